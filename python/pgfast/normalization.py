"""Normalization: observations and rewards by running statistics, advantages by those of a batch.

The running ones only learn where `update` is called. To evaluate, do not call it: what they are
then is frozen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pgfast import _core
from pgfast._typing import BoolArray, FloatArray, as_number
from pgfast.returns import reward_to_go
from pgfast.running_moments import Float64Array, RunningMoments, State, array_of


class ObservationNormalizer:
    """Observations with mean 0 and variance 1, by running statistics.

    x ↦ clip((x − mean) · scale, −clip, clip) with scale = 1 / √(variance + 1e-8).

    Parameters:
        size: D.
        clip: > 0.

    Raises:
        ValueError: a size below 1, a clip that is not positive.

    >>> normalizer = ObservationNormalizer(1)
    >>> normalizer.update(np.array([[1.0], [3.0]]))
    >>> normalizer(np.array([[1.0], [2.0], [1e9]])).round(4)
    array([[-1.],
           [ 0.],
           [10.]])
    """

    def __init__(self, size: int, *, clip: float = 10.0) -> None:
        self.moments = RunningMoments(size)
        self.clip = _positive("ObservationNormalizer", "clip", clip)

    @property
    def mean(self) -> Float64Array:
        """(D,)."""
        return self.moments.mean

    @property
    def scale(self) -> Float64Array:
        """1 / √(variance + 1e-8) (D,)."""
        return 1 / np.sqrt(self.moments.variance + _EPSILON)

    def update(self, observations: FloatArray, valid: BoolArray | None = None) -> None:
        """Take in observations (..., D); `valid` (...) marks those that happened."""
        self.moments.update(observations, valid)

    def merge(self, other: ObservationNormalizer) -> None:
        """Take in what another one has seen."""
        self.moments.merge(other.moments)

    def __call__(self, observations: FloatArray) -> FloatArray:
        """Normalize observations (..., D), in their dtype."""
        x = np.asarray(observations)
        if x.ndim < 1 or x.shape[-1] != self.moments.size:
            raise ValueError(
                f"ObservationNormalizer: observations has shape {x.shape}, "
                f"expected (..., {self.moments.size})"
            )
        normal = (x.astype(np.float64) - self.mean) * self.scale
        return np.clip(normal, -self.clip, self.clip).astype(x.dtype)

    def state(self) -> State:
        """Give what has been learned, as arrays."""
        return self.moments.state()

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Become what `state` gave; see `RunningMoments.restore`."""
        self.moments.restore(state)


class RewardNormalizer:
    """Rewards in units of the standard deviation of the discounted return.

    r ↦ clip(r / √(Var(R) + 1e-8), −clip, clip) with Rₜ = rₜ + γ Rₜ₋₁ inside an episode, rₜ where
    one begins: after a step that terminated or was truncated. The mean is not subtracted, which
    would change what is optimal.

    R goes on from one batch to the next in every column that has not ended.

    Source: as in Stable-Baselines3's VecNormalize, after OpenAI's baselines.

    Parameters:
        gamma: discount γ in [0, 1].
        clip: > 0.

    Raises:
        ValueError: a γ or clip out of its range.

    >>> normalizer, no = RewardNormalizer(gamma=1.0), np.zeros((2, 1), bool)
    >>> normalizer.update(np.array([[2.0], [2.0]]), no, no)  # R is 2, then 4
    >>> normalizer(np.array([3.0])).round(4)
    array([3.])
    """

    def __init__(self, *, gamma: float, clip: float = 10.0) -> None:
        name = "RewardNormalizer"
        if not 0 <= as_number(name, "gamma", gamma, "a number in [0, 1]") <= 1:
            raise ValueError(f"{name}: gamma is {gamma}, expected a number in [0, 1]")
        self.gamma = float(gamma)
        self.clip = _positive(name, "clip", clip)
        self.moments = RunningMoments(1)
        self.running: Float64Array = np.zeros(0)
        """γ R of each column after the last batch, (N,)."""

    @property
    def scale(self) -> float:
        """1 / √(Var(R) + 1e-8)."""
        return float(1 / np.sqrt(self.moments.variance[0] + _EPSILON))

    def update(
        self,
        rewards: FloatArray,
        terminated: BoolArray,
        truncated: BoolArray,
        valid: BoolArray | None = None,
    ) -> None:
        """Take in rewards and flags (T, N), all that followed since the last update.

        Raises:
            ValueError: another shape, a valid reward that is not finite, another number of columns
                while episodes are under way; nothing is taken in.
        """
        r = np.asarray(rewards, np.float64)
        if r.ndim != 2:
            raise ValueError(f"update: rewards has shape {r.shape}, expected (T, N)")
        before = self.running
        if len(before) != r.shape[1]:
            if before.any():
                raise ValueError(
                    f"update: rewards has shape {r.shape}, expected (T, {len(before)}), because "
                    "episodes of the last batch are under way"
                )
            before = np.zeros(r.shape[1])
        if valid is not None:
            r = np.where(valid, r, 0.0)
        # Backwards in time R is a reward-to-go, cut where the step before was an end.
        ends = np.asarray(terminated) | np.asarray(truncated)
        begins = np.vstack([np.zeros((1, r.shape[1]), np.bool_), ends[:-1]])
        backwards = [np.ascontiguousarray(a[::-1]) for a in (r, begins, np.zeros_like(begins))]
        # The first row goes on from `running`, which is discounted already.
        backwards[0][-1] += before
        running = np.asarray(reward_to_go(*backwards, gamma=self.gamma)[::-1], np.float64)
        self.moments.update(running[..., None], valid)
        self.running = np.where(ends[-1], 0.0, self.gamma * running[-1])

    def __call__(self, rewards: FloatArray) -> FloatArray:
        """Normalize rewards of any shape, in their dtype."""
        r = np.asarray(rewards)
        scaled = np.clip(r.astype(np.float64) * self.scale, -self.clip, self.clip)
        return np.asarray(scaled).astype(r.dtype)

    def state(self) -> State:
        """Give what has been learned, as arrays."""
        return {**self.moments.state(), "running": self.running.copy()}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Become what `state` gave; see `RunningMoments.restore`."""
        running = array_of(state, "running", None)
        self.moments.restore(state)
        self.running = running


def normalize_advantages(advantages: FloatArray, valid: BoolArray | None = None) -> FloatArray:
    """Advantages with mean 0 and standard deviation 1 over the valid steps.

    A ↦ (A − mean) / std, std with the number of steps below. One step, or steps that are equal but
    for the rounding of their dtype, have no deviation: then all are 0, never NaN or noise blown up.
    Nothing is added to std, so that the scale of rewards does not matter.

    Parameters:
        advantages: (...) float32 or float64.
        valid: (...) bool, the steps that happened, or None.

    Returns:
        (...) in the dtype of `advantages`, 0 where not valid.

    Raises:
        ValueError: `valid` has another shape; no sample at all.
        TypeError: no floating-point dtype.

    >>> normalize_advantages(np.array([1.0, 3.0])), normalize_advantages(np.array([7.0]))
    (array([-1.,  1.]), array([0.]))
    """
    return _core.normalize_advantages(advantages, valid)


_EPSILON = 1e-8


def _positive(function: str, name: str, value: float) -> float:
    expected = "a finite number > 0"
    if not 0 < as_number(function, name, value, expected) < math.inf:
        raise ValueError(f"{function}: {name} is {value}, expected {expected}")
    return float(value)
