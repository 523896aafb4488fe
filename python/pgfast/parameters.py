"""The flat parameter vector θ that policies and value functions have."""

from __future__ import annotations

from typing import Any

import numpy as np

from pgfast._typing import FloatArray


class Parameters:
    """Has θ: change it in place or assign to it; it stays the same array."""

    _theta: FloatArray

    def _begin_as(self, theta: FloatArray) -> None:
        """Make θ of these numbers, in memory of its own that begins at a multiple of 64 bytes.

        NumPy's begins at one of 16, and then every vector of 64 bytes lies in two lines of the
        cache: a rollout of 4 environments with two hidden layers of 64 takes a third longer.
        """
        line = 64 // theta.itemsize
        memory = np.empty(theta.size + line, theta.dtype)
        first = -memory.ctypes.data % 64 // theta.itemsize
        self._theta = memory[first : first + theta.size]
        self._theta[...] = theta

    @property
    def theta(self) -> FloatArray:
        """The parameters θ (P,)."""
        return self._theta

    @theta.setter
    def theta(self, value: FloatArray) -> None:
        if value is self._theta:  # x.theta += step
            return
        array = np.asarray(value)
        if array.shape != self._theta.shape:
            raise ValueError(f"theta: has shape {array.shape}, expected {self._theta.shape}")
        if array.dtype != self._theta.dtype:
            raise TypeError(f"theta: has dtype {array.dtype}, expected {self._theta.dtype}")
        self._theta[...] = array

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64: of θ and of every array that goes with it."""
        return self._theta.dtype
