"""How a policy's actions become an environment's: one small class for each kind of space.

A rollout keeps the policy's actions, the ones that log-probabilities belong to; only the
environment sees the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

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
        return (actions.reshape(-1, *self.start.shape) + self.start).astype(self.dtype)


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
        return ((1 - share) * low + share * high).astype(self.low.dtype)


def action_map(function: str, space: gym.Space[Any], policy: Policy) -> ActionMap:
    """Find how a policy's actions become those of a space.

    A policy tells its kind of actions: `actions` is a number (a softmax), or a number for each
    dimension (several); `action_size` is the size of a real vector.

    Raises:
        TypeError: the policy has another kind of actions, or none fits the space.
        ValueError: another number of actions.
    """
    counts, size = getattr(policy, "actions", None), getattr(policy, "action_size", None)
    several = isinstance(counts, tuple)
    if isinstance(space, gym.spaces.Discrete) and isinstance(counts, int):
        _check_counts(function, counts, int(space.n))
        return DiscreteActions(int(space.start), space.dtype)
    if isinstance(space, gym.spaces.MultiDiscrete) and several:
        _check_counts(function, counts, tuple(space.nvec.ravel().tolist()))
        return MultiDiscreteActions(space.start, space.dtype)
    if isinstance(space, gym.spaces.MultiBinary) and several:
        _check_counts(function, counts, (2,) * int(np.prod(space.shape)))
        return MultiDiscreteActions(np.zeros(space.shape, space.dtype), space.dtype)
    if isinstance(space, gym.spaces.Box) and space.dtype.kind == "f":
        dimensions = int(np.prod(space.shape))
        if isinstance(size, int):
            _check_counts(function, size, dimensions, " dimensions of")
            return BoxActions(space.low, space.high)
        if several:
            _check_counts(function, len(counts), dimensions, " dimensions of")
            if not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
                raise ValueError(f"{function}: env has actions {space}, expected bounds to cut it")
            if min(counts) < 2:
                raise ValueError(f"{function}: the policy cuts actions into {counts} bins, "
                                 "expected at least 2")
            return BinnedActions(space.low, space.high, counts)
    expected = expected_actions(policy)
    raise TypeError(
        f"{function}: env has actions {space}, expected {expected} for a {type(policy).__name__}"
    )


def expected_actions(policy: Policy) -> str:
    """The spaces that a policy's actions fit, in words."""
    if isinstance(getattr(policy, "actions", None), int):
        return "Discrete"
    if isinstance(getattr(policy, "actions", None), tuple):
        return "MultiDiscrete, MultiBinary or a Box of floats"
    return "a Box of floats"


def _check_counts(function: str, came: object, expected: object, of: str = "") -> None:
    if came != expected:
        raise ValueError(
            f"{function}: the policy has {came}{of} actions, expected {expected}, those of the "
            "environment"
        )
