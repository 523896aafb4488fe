"""Walks through a vector environment: all that its calls returned, and copies taken at once."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import Space
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import concatenate, create_empty_array, iterate

PARTS = ("observations", "rewards", "terminated", "truncated", "infos")


class CallError(Exception):
    """A call of the environment raised, or returned what no environment returns."""


@dataclass(frozen=True)
class Returned:
    """What one call returned."""

    call: str
    """As a message names it: "reset", "step 3"."""
    values: dict[str, Any]
    """The objects themselves, by the names of `PARTS`; a reset has no rewards and flags."""
    copies: dict[str, Any]
    """What they were when they were returned."""

    @property
    def is_step(self) -> bool:
        """Whether it was a step, not a reset."""
        return "rewards" in self.values

    @property
    def done(self) -> npt.NDArray[np.bool_]:
        """(N,): where a step ended an episode."""
        result: npt.NDArray[np.bool_] = self.copies["terminated"] | self.copies["truncated"]
        return result

    @property
    def ended(self) -> list[int]:
        """The environments in which a step ended an episode."""
        ended: list[int] = np.flatnonzero(self.done).tolist()
        return ended


Choose = Callable[[int, npt.NDArray[np.bool_]], Any]
"""The actions of step t, from t and from where step t − 1 ended episodes."""
Touch = Callable[[dict[str, Any]], None]
"""Called with what a call returned, to write into it."""


@dataclass
class Walk:
    """A walk with random actions, and others with the same ones beside it."""

    env: VectorEnv[Any, Any, Any]
    seed: int
    """Of the reset that it begins with."""
    actions: list[Any] = field(default_factory=list)
    """One batch for each step."""
    given: list[Any] = field(default_factory=list)
    """The copies of them that the environment got."""
    returned: list[Returned] = field(default_factory=list)

    @property
    def mode(self) -> AutoresetMode:
        """What happens at the end of an episode."""
        mode: AutoresetMode = self.env.metadata["autoreset_mode"]
        return mode

    @property
    def steps(self) -> list[Returned]:
        """The steps, without the resets."""
        return [r for r in self.returned if r.is_step]

    def row(self, returned: Returned, i: int) -> Any:
        """Observation of environment i."""
        return rows(self.env.observation_space, returned.copies["observations"])[i]

    def again(
        self, *, seed: Any, choose: Choose | None = None, touch: Touch | None = None
    ) -> list[Returned]:
        """Walk from another seed (None gives none), `choose` replacing the actions."""
        return walk(self.env, self.actions, seed=seed, choose=choose, touch=touch)

    def differs(self, other: list[Returned]) -> str | None:
        """The first call and part in which another walk with the same actions differs."""
        for a, b in zip(self.returned, other, strict=False):
            for part in PARTS[:-1] if a.is_step and b.is_step else PARTS[:1]:
                if not same(a.copies[part], b.copies[part]):
                    return f"{part} of {a.call}"
            if self.mode is AutoresetMode.SAME_STEP and not same(
                a.copies["infos"].get("final_obs"), b.copies["infos"].get("final_obs")
            ):
                return f"infos['final_obs'] of {a.call}"
        return None


def walk(
    env: VectorEnv[Any, Any, Any],
    actions: list[Any],
    *,
    seed: Any,
    choose: Choose | None = None,
    touch: Touch | None = None,
) -> list[Returned]:
    """Walk with the given actions, one batch for each step; `choose` may replace them."""
    calls = []
    left = len(actions)
    for call in walking(env, seed, choose or (lambda t, done: copy.deepcopy(actions[t])), touch):
        calls.append(call)
        left -= call.is_step
        if left == 0:
            break
    return calls


def walking(
    env: VectorEnv[Any, Any, Any], seed: Any, choose: Choose, touch: Touch | None = None
) -> Iterator[Returned]:
    """Reset with a seed (None gives none), then step without end; one call after another.

    Under DISABLED the environments that have ended are reset before the next step.
    """
    disabled = env.metadata["autoreset_mode"] is AutoresetMode.DISABLED
    done = np.zeros(env.num_envs, np.bool_)
    t = 0
    while True:
        call = None
        if t == 0:
            call = reset(env, **({} if seed is None else {"seed": seed}))
        elif disabled and done.any():
            options = {"reset_mask": done.copy()}
            call = reset(env, f"the reset after step {t}", options=options)
        if call:
            yield call
            if touch:
                touch(call.values)
        call = step(env, choose(t, done), f"step {t + 1}")
        yield call
        done = call.done
        if touch:
            touch(call.values)
        t += 1


def reset(env: VectorEnv[Any, Any, Any], call: str = "reset", **arguments: Any) -> Returned:
    """Reset, and note what came."""
    return _returned(call, lambda: env.reset(**arguments), ("observations", "infos"))


def step(env: VectorEnv[Any, Any, Any], actions: Any, call: str) -> Returned:
    """Step, and note what came."""
    return _returned(call, lambda: env.step(actions), PARTS)


def _returned(call: str, function: Callable[[], Any], names: tuple[str, ...]) -> Returned:
    try:
        result = function()
    except Exception as error:
        raise CallError(f"{call} raised {type(error).__name__}: {error}") from error
    if not isinstance(result, tuple) or len(result) != len(names):
        what = f"a tuple of {len(result)}" if isinstance(result, tuple) else type(result).__name__
        raise CallError(f"{call} returned {what}, expected a tuple of {len(names)}")
    values = dict(zip(names, result, strict=True))
    return Returned(call, values, copy.deepcopy(values))


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal, dtypes too; NaN equals NaN."""
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        if not isinstance(b, np.ndarray) or a.dtype != b.dtype or a.shape != b.shape:
            return False
        if a.dtype == object:
            return all(map(same, a.ravel(), b.ravel()))
        return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
    return bool(a is b or a == b)


def arrays(value: Any) -> Iterator[npt.NDArray[Any]]:
    """The arrays inside a value."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from arrays(part)


def rows(space: Space[Any], batch: Any) -> list[Any]:
    """The entries of a batch."""
    return list(iterate(space, batch))


def batch_of(single: Space[Any], entries: list[Any]) -> Any:
    """A batch of entries."""
    empty: Any = create_empty_array(single, n=len(entries))
    return concatenate(single, entries, empty)
