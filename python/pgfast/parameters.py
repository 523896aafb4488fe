"""The flat parameter vector θ that policies and value functions have."""

from __future__ import annotations

from typing import Any

import numpy as np

from pgfast._typing import FloatArray


class Parameters:
    """Has θ: change it in place or assign to it; it stays the same array."""

    _theta: FloatArray

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
