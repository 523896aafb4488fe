"""Running mean and variance of samples, mergeable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pgfast._typing import BoolArray, FloatArray, as_count

Float64Array = npt.NDArray[np.float64]
State = dict[str, npt.NDArray[Any]]
"""What has been learned, as plain float64 arrays by name."""


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
        mean = array_of(state, "mean", self.size)
        squares, count = array_of(state, "squares", self.size), array_of(state, "count", 1)
        if count[0] < 0 or count[0] != np.floor(count[0]) or (squares < 0).any():
            raise ValueError("restore: state holds negative counts or squares, expected >= 0")
        self.count, self.mean, self._squares = int(count[0]), mean, squares


def mask_of(function: str, valid: BoolArray | None, shape: tuple[int, ...]) -> BoolArray:
    """`valid` of that shape, True everywhere where it is None."""
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
    flat = x[mask_of(function, valid, x.shape[:-1])].astype(np.float64)
    if not np.isfinite(flat).all():
        wrong = flat[~np.isfinite(flat)][0]
        raise ValueError(f"{function}: samples holds {wrong}, expected finite numbers")
    if len(flat) == 0:
        return 0, np.zeros(size), np.zeros(size)
    mean = flat.mean(axis=0)
    return len(flat), mean, np.square(flat - mean).sum(axis=0)


def array_of(state: Mapping[str, npt.NDArray[Any]], name: str, size: int | None) -> Float64Array:
    """One array of a state, a copy of its own; `size` None is any."""
    if name not in state:
        raise ValueError(f"restore: state holds {sorted(state)}, expected {name!r} as well")
    array = np.array(state[name], np.float64)
    if array.ndim != 1 or size not in (None, len(array)):
        raise ValueError(f"restore: {name} has shape {array.shape}, expected ({size or 'N'},)")
    if not np.isfinite(array).all():
        raise ValueError(f"restore: {name} is not finite")
    return array
