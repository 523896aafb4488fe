"""`check_vector_env`: does an environment keep Gymnasium's contract of vector environments?"""

from __future__ import annotations

import contextlib
import copy
import functools
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv, VectorWrapper
from gymnasium.wrappers.vector import RecordEpisodeStatistics

from pgfast._typing import as_count
from pgfast.envs.check_autoreset import (
    check_autoreset,
    check_finished,
    check_ignored_actions,
    check_reset_masks,
)
from pgfast.envs.check_returns import Found, check_returned, check_spaces
from pgfast.envs.check_seeds import check_seeds
from pgfast.envs.check_spec import check_spec
from pgfast.envs.walk import PARTS, CallError, Walk, arrays, reset, same, walking

SEED = 5

# What Gymnasium's own classes do against the contract. In them, not in classes derived from them,
# it is a warning, so that they pass and it is still said.
KNOWN: dict[str, tuple[type, ...]] = {
    "options": (SyncVectorEnv, AsyncVectorEnv, RecordEpisodeStatistics),  # pop "reset_mask"
    "written-infos": (RecordEpisodeStatistics,),  # a reset writes into the "_episode" it returned
    "rewards-dtype": (CartPoleVectorEnv,),  # float32
    "seed-list": (CartPoleVectorEnv,),  # one generator for the whole batch, so no lists
    "closed": (CartPoleVectorEnv,),  # close does not note it
    "finished": (AsyncVectorEnv,),  # steps on under DISABLED
}


class VectorEnvError(AssertionError):
    """A vector environment does not keep the contract; `faults` are the sentences."""

    def __init__(self, env: object, faults: list[str]) -> None:
        self.faults = faults
        count = "a fault" if len(faults) == 1 else f"{len(faults)} faults"
        title = f"check_vector_env: {type(env).__name__} has {count}:"
        super().__init__("\n- ".join([title, *faults]))


def check_vector_env(env: VectorEnv[Any, Any, Any], *, steps: int = 2000) -> None:
    """Check that a vector environment keeps Gymnasium's contract, whoever wrote it.

    It walks through the environment with random actions, several times from the same seed, and
    compares. Checked are: spaces, batched ones against single ones; dtype, shape and membership of
    all that is returned; masks of infos; that what was returned is neither written over later nor
    read again; that options and actions stay as they were; what happens at the end of episodes,
    against metadata["autoreset_mode"]; bad reset masks; determinism and seeds (an int s gives
    environment i the seed s + i); and, where `env.spec` tells how to make it, that
    `gymnasium.make_vec` makes the same again and that a terminal state reached in the last step
    allowed is both terminated and truncated.

    What Gymnasium's own classes do against it is a warning there, and an error in all others:
    SyncVectorEnv, AsyncVectorEnv and RecordEpisodeStatistics take "reset_mask" out of the caller's
    options; RecordEpisodeStatistics writes into infos it has returned; AsyncVectorEnv goes on with
    episodes that have ended under DISABLED; CartPoleVectorEnv pays float32, takes no list of seeds
    and does not note that it was closed.

    Parameters:
        env: is reset again and again, and closed at the end.
        steps: at most this many in one walk. Two episodes of each environment should end in them;
            a warning says where none did.

    Raises:
        VectorEnvError: an AssertionError with one sentence for each fault, also in its `faults`.
        TypeError: not a `gymnasium.vector.VectorEnv`.

    >>> from pgfast import make
    >>> check_vector_env(make("CartPole-v1", num_envs=3))
    """
    if not isinstance(env, VectorEnv):
        raise TypeError(
            f"check_vector_env: env is a {type(env).__name__}, expected a gymnasium VectorEnv"
        )
    findings = _Findings(env)
    _check(env, as_count("check_vector_env", "steps", steps), findings)
    for sentence in findings.known.values():
        warnings.warn(f"check_vector_env: {sentence}", stacklevel=2)
    if findings.faults:
        raise VectorEnvError(env, list(findings.faults.values()))


class _Findings:
    """One sentence for each kind of fault."""

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        self.faults: dict[str, str] = {}
        self.known: dict[str, str] = {}
        """What is a warning."""
        self._classes = {type(env)}
        while isinstance(env, VectorWrapper):
            env = env.env
            self._classes.add(type(env))

    def found(self, kind: str, sentence: str) -> None:
        """Note a fault, unless there is one of its kind."""
        classes = [c.__name__ for c in KNOWN.get(kind, ()) if c in self._classes]
        if classes:
            self.known.setdefault(kind, f"{sentence} (Gymnasium's {classes[0]} does that)")
        else:
            self.faults.setdefault(kind, sentence)


def _check(env: VectorEnv[Any, Any, Any], most: int, findings: _Findings) -> None:
    """All checks, one after another; those that need what is not there are left out."""
    found, faults = findings.found, findings.faults
    check_spaces(env, found)
    if faults:
        return
    first = Walk(env, SEED)
    with _calls(found):
        _walk_first(first, most, findings)
    if faults:
        return
    _check_written(first, found)
    if not any(r.done.any() for r in first.steps):
        findings.known["no-end"] = (
            f"no episode ended in {len(first.actions)} steps, so what happens then was not checked;"
            " give more steps"
        )
    with _calls(found):
        check_autoreset(first, found)
    repeatable = False
    with _calls(found):
        repeatable = _check_repeat(first, found)
    checks = [_check_options, check_reset_masks, check_finished, _check_close]
    if repeatable:
        checks = [
            _check_read_arrays,
            check_ignored_actions,
            check_seeds,
            check_spec,
            *checks,
        ]
    for check in checks:
        with _calls(found):
            check(first, found)


@contextlib.contextmanager
def _calls(found: Found) -> Iterator[None]:
    """Note a call that raised; what was to come after it is left out."""
    try:
        yield
    except CallError as error:
        found("call", str(error))


def _walk_first(first: Walk, most: int, findings: _Findings) -> None:
    """Walk with random actions until every environment has ended two episodes, and 20 steps."""
    env = first.env
    space = copy.deepcopy(env.action_space)  # its draws are the user's
    space.seed(first.seed)

    def choose(t: int, done: npt.NDArray[np.bool_]) -> Any:
        first.actions.append(space.sample())
        first.given.append(copy.deepcopy(first.actions[-1]))
        return first.given[-1]

    ends = np.zeros(env.num_envs, np.int64)
    for returned in walking(env, first.seed, choose):
        check_returned(env, returned, findings.found)
        if findings.faults:
            return
        first.returned.append(returned)
        if returned.is_step:
            ends += returned.done
            t = len(first.actions)
            if t == most or (t >= 20 and (ends >= 2).all()):
                break


def _check_written(first: Walk, found: Found) -> None:
    if not same(first.given, first.actions):
        found("actions", "step writes into the actions that it is given")
    for returned in first.returned:
        for part, before in returned.copies.items():
            if not same(returned.values[part], before):
                found(
                    f"written-{part}",
                    f"the {part} that {returned.call} returned are changed by a later call",
                )


def _check_repeat(first: Walk, found: Found) -> bool:
    where = first.differs(first.again(seed=first.seed))
    if where:
        found("determinism", f"{where} differ after the same seed and actions")
    return where is None


def _check_read_arrays(first: Walk, found: Found) -> None:
    for part in PARTS[:-1]:
        touch = functools.partial(_write, part)
        if first.differs(first.again(seed=first.seed, touch=touch)):
            found(
                f"read-{part}",
                f"writing into the {part} that were returned changes what the environment does",
            )


def _write(part: str, values: dict[str, Any]) -> None:
    """Write other numbers into the arrays of one part of what was returned."""
    for array in arrays(values.get(part)):
        if array.flags.writeable and array.dtype.kind in "biuf":
            array[...] = ~array if array.dtype.kind == "b" else array + 1


def _check_options(first: Walk, found: Found) -> None:
    for options in ({}, {"reset_mask": np.ones(first.env.num_envs, np.bool_)}):
        given = copy.deepcopy(options)
        try:
            reset(first.env, "reset with options", options=given)
        except CallError:
            if not options or first.mode is AutoresetMode.DISABLED:
                raise  # elsewhere it need not know masks
        if not same(given, options):
            found("options", f"reset changes its caller's options from {options} to {given}")


def _check_close(first: Walk, found: Found) -> None:
    for call in ("close", "a second close"):
        try:
            first.env.close()
        except Exception as error:
            found("close", f"{call} raised {type(error).__name__}: {error}")
            return
    if not first.env.closed:
        found("closed", "closed is False after close")
