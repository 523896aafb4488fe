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

from pgfast._typing import BoolArray, FloatArray, as_count, as_number
from pgfast.returns import reward_to_go

Float64Array = npt.NDArray[np.float64]
State = dict[str, npt.NDArray[Any]]
"""What a normalizer has learned, as plain float64 arrays by name."""


class RunningMoments:
    """Mean and variance of all samples so far, in float64.

    Two sets of n and m samples are merged by Chan's rule: with δ = mean_m − mean_n,
    mean = mean_n + δ m / (n + m), and M = M_n + M_m + δ² n m / (n + m), M being the sum of squared
    deviations. No digits are lost to a large mean, and neither the order nor the size of the
    updates matters but for rounding.

    Source: Chan, Golub & LeVeque 1983, eqs. 1.5.

    Parameters:
        size: D, of a sample.

    >>> moments = RunningMoments(1)
    >>> moments.update(np.array([[1.0], [3.0]])); moments.update(np.array([[5.0]]))
    >>> moments.count, moments.mean, moments.variance.round(4)
    (3, array([3.]), array([2.6667]))
    """

    def __init__(self, size: int) -> None:
        self.size = as_count("RunningMoments", "size", size)
        self.count = 0
        self.mean: Float64Array = np.zeros(self.size)
        self._squares: Float64Array = np.zeros(self.size)

    @property
    def variance(self) -> Float64Array:
        """M / n (D,), that of the samples themselves; 1 before there are any."""
        return self._squares / self.count if self.count else np.ones(self.size)

    def update(self, samples: FloatArray, valid: BoolArray | None = None) -> None:
        """Take in samples (..., D); `valid` (...) marks those that happened, None all of them.

        Raises:
            ValueError: another shape, or a valid sample that is not finite; nothing is taken in.
        """
        self._merge(*_moments("update", samples, valid, self.size))

    def merge(self, other: RunningMoments) -> None:
        """Take in what another one has seen."""
        if other.size != self.size:
            raise ValueError(f"merge: other has size {other.size}, expected {self.size}")
        self._merge(other.count, other.mean, other._squares)

    def _merge(self, count: int, mean: Float64Array, squares: Float64Array) -> None:
        total = self.count + count
        if count == 0:
            return
        delta = mean - self.mean
        self.mean = self.mean + delta * (count / total)
        self._squares = self._squares + squares + delta**2 * (self.count * (count / total))
        self.count = total

    def state(self) -> State:
        """Give what has been learned, as arrays."""
        count = np.array([self.count], np.float64)
        return {"count": count, "mean": self.mean.copy(), "squares": self._squares.copy()}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Become what `state` gave.

        Raises:
            ValueError: an array is missing, has another shape, or numbers that are no statistics.
        """
        mean = _array(state, "mean", self.size)
        squares, count = _array(state, "squares", self.size), _array(state, "count", 1)
        if count[0] < 0 or count[0] != np.floor(count[0]) or (squares < 0).any():
            raise ValueError("restore: state holds negative counts or squares, expected >= 0")
        self.count, self.mean, self._squares = int(count[0]), mean, squares


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
        self.moments = RunningMoments(as_count("ObservationNormalizer", "size", size))
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
        running = _array(state, "running", None)
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
        ValueError: `valid` has another shape.
        TypeError: no floating-point dtype.

    >>> normalize_advantages(np.array([1.0, 3.0])), normalize_advantages(np.array([7.0]))
    (array([-1.,  1.]), array([0.]))
    """
    a = np.asarray(advantages)
    if a.dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise TypeError(
            f"normalize_advantages: advantages has dtype {a.dtype}, expected float32 or float64"
        )
    happened = _mask("normalize_advantages", valid, a.shape)
    of_steps = a[happened].astype(np.float64)
    result = np.zeros_like(a)
    if of_steps.size == 0:
        return result
    with np.errstate(invalid="ignore"):  # what is not finite goes in and comes out as NaN
        centred = of_steps - of_steps[0]  # first, so that equal ones have no deviation at all
        centred -= centred.mean()
        deviation = math.sqrt(np.square(centred).mean())
        rounding = np.finfo(a.dtype).eps * np.abs(of_steps).max()
        result[happened] = 0.0 if deviation <= rounding else centred / deviation
    return result


_EPSILON = 1e-8


def _mask(function: str, valid: BoolArray | None, shape: tuple[int, ...]) -> BoolArray:
    mask = np.ones(shape, np.bool_) if valid is None else np.asarray(valid)
    if mask.dtype != np.bool_:
        raise TypeError(f"{function}: valid has dtype {mask.dtype}, expected bool")
    if mask.shape != shape:
        raise ValueError(f"{function}: valid has shape {mask.shape}, expected {shape}")
    return mask


def _moments(
    function: str, samples: FloatArray, valid: BoolArray | None, size: int
) -> tuple[int, Float64Array, Float64Array]:
    """How many valid samples, their mean, and the sum of their squared deviations."""
    x = np.asarray(samples)
    if x.ndim < 2 or x.shape[-1] != size:
        raise ValueError(f"{function}: samples has shape {x.shape}, expected (..., {size})")
    flat = x[_mask(function, valid, x.shape[:-1])].astype(np.float64)
    if not np.isfinite(flat).all():
        wrong = flat[~np.isfinite(flat)][0]
        raise ValueError(f"{function}: samples holds {wrong}, expected finite numbers")
    if len(flat) == 0:
        return 0, np.zeros(size), np.zeros(size)
    mean = flat.mean(axis=0)
    return len(flat), mean, np.square(flat - mean).sum(axis=0)


def _array(state: Mapping[str, npt.NDArray[Any]], name: str, size: int | None) -> Float64Array:
    if name not in state:
        raise ValueError(f"restore: state holds {sorted(state)}, expected {name!r} as well")
    array = np.array(state[name], np.float64)
    if array.ndim != 1 or size not in (None, len(array)):
        raise ValueError(f"restore: {name} has shape {array.shape}, expected ({size or 'N'},)")
    if not np.isfinite(array).all():
        raise ValueError(f"restore: {name} is not finite")
    return array


def _positive(function: str, name: str, value: float) -> float:
    expected = "a finite number > 0"
    if not 0 < as_number(function, name, value, expected) < math.inf:
        raise ValueError(f"{function}: {name} is {value}, expected {expected}")
    return float(value)
