"""How a policy's actions become an environment's: one small class for each kind of space.

A rollout keeps the policy's actions, the ones that log-probabilities belong to; only the
environment sees the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol, TypeGuard

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from pgfast._typing import FloatArray, IntArray
from pgfast.policy import Policy


class ActionMap(Protocol):
    """Gives a batch of the environment's actions for one of the policy's."""

    def __call__(self, actions: Any) -> npt.NDArray[Any]:
        """Map (N,) or (N, A) to (N, ...)."""


@dataclass(frozen=True)
class DiscreteActions:
    """Discrete(n, start): the policy's k is the environment's start + k."""

    start: int
    dtype: np.dtype[Any]

    def __call__(self, actions: IntArray) -> npt.NDArray[Any]:
        """(N,) to (N,)."""
        return (actions + self.start).astype(self.dtype)


@dataclass(frozen=True)
class MultiDiscreteActions:
    """MultiDiscrete(counts, start) and MultiBinary of any shape: each part as in Discrete."""

    start: npt.NDArray[Any]
    dtype: np.dtype[Any]

    def __call__(self, actions: IntArray) -> npt.NDArray[Any]:
        """(N, A) to (N, ...)."""
        shifted: npt.NDArray[Any] = actions.reshape(-1, *self.start.shape) + self.start
        return shifted.astype(self.dtype)


@dataclass(frozen=True)
class BoxActions:
    """Box: a real action is clipped to the bounds."""

    low: npt.NDArray[Any]
    high: npt.NDArray[Any]

    def __call__(self, actions: FloatArray) -> npt.NDArray[Any]:
        """(N, A) to (N, ...)."""
        clipped = np.clip(actions.reshape(-1, *self.low.shape), self.low, self.high)
        return clipped.astype(self.low.dtype)


@dataclass(frozen=True)
class BinnedActions:
    """Box cut into bins: bin k of n is low + (high − low) k / (n − 1), both bounds included."""

    low: npt.NDArray[Any]
    high: npt.NDArray[Any]
    bins: tuple[int, ...]

    def __call__(self, actions: IntArray) -> npt.NDArray[Any]:
        """(N, A) to (N, ...)."""
        share = (actions / (np.array(self.bins) - 1)).reshape(-1, *self.low.shape)
        low, high = self.low.astype(np.float64), self.high.astype(np.float64)
        between: npt.NDArray[Any] = (1 - share) * low + share * high
        return between.astype(self.low.dtype)


def action_map(function: str, space: gym.Space[Any], policy: Policy) -> ActionMap:
    """Find how a policy's actions become those of a space.

    A policy tells its kind of actions: `actions` is their number (a softmax), or a tuple of one
    number for each dimension (several of them); `action_size` is the size of a real vector.

    Raises:
        TypeError: the policy has another kind of actions.
        ValueError: another number of actions.
    """
    counts, size = getattr(policy, "actions", None), getattr(policy, "action_size", None)
    found: ActionMap | None = None
    if isinstance(counts, int):
        expected = "Discrete"
        found = _of_one(function, space, counts)
    elif isinstance(counts, tuple):
        expected = "MultiDiscrete, MultiBinary or a Box of floats"
        found = _of_several(function, space, counts)
    else:
        expected = "a Box of floats"
        if isinstance(size, int) and _is_real(space):
            _check(function, size, _dimensions(space), " dimensions of")
            found = BoxActions(space.low, space.high)
    if found is None:
        name = type(policy).__name__
        raise TypeError(f"{function}: env has actions {space}, expected {expected} for a {name}")
    return found


def _of_one(function: str, space: gym.Space[Any], count: int) -> ActionMap | None:
    if not isinstance(space, gym.spaces.Discrete):
        return None
    _check(function, count, int(space.n))
    return DiscreteActions(int(space.start), np.dtype(space.dtype))


def _of_several(function: str, space: gym.Space[Any], counts: tuple[int, ...]) -> ActionMap | None:
    if isinstance(space, gym.spaces.MultiDiscrete):
        _check(function, counts, tuple(space.nvec.ravel().tolist()))
        return MultiDiscreteActions(space.start, np.dtype(space.dtype))
    if isinstance(space, gym.spaces.MultiBinary):
        _check(function, counts, (2,) * _dimensions(space))
        return MultiDiscreteActions(np.zeros(space.shape, np.int64), np.dtype(space.dtype))
    if not _is_real(space):
        return None
    _check(function, len(counts), _dimensions(space), " dimensions of")
    if not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
        raise ValueError(f"{function}: env has actions {space}, expected finite bounds for bins")
    if min(counts) < 2:
        raise ValueError(f"{function}: the policy has {counts} bins, expected at least 2 of each")
    return BinnedActions(space.low, space.high, counts)


def _is_real(space: gym.Space[Any]) -> TypeGuard[gym.spaces.Box]:
    return isinstance(space, gym.spaces.Box) and np.dtype(space.dtype).kind == "f"


def _dimensions(space: gym.Space[Any]) -> int:
    return math.prod(space.shape or ())


def _check(function: str, came: object, expected: object, of: str = "") -> None:
    if came != expected:
        raise ValueError(
            f"{function}: the policy has {came}{of} actions, expected {expected}, those of the "
            "environment"
        )
