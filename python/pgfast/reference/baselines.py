"""Twin of `pgfast.baselines`."""

from __future__ import annotations

import numpy as np

from pgfast._typing import BoolArray, FloatArray


def _valid(returns: FloatArray, valid: BoolArray | None) -> BoolArray:
    return np.ones(returns.shape, np.bool_) if valid is None else valid


def constant_baseline(returns: FloatArray, valid: BoolArray | None = None) -> FloatArray:
    """Mean over all valid steps."""
    mask = _valid(returns, valid)
    mean = returns[mask].mean(dtype=np.float64) if mask.any() else 0.0
    return np.where(mask, mean, 0).astype(returns.dtype)


def time_baseline(returns: FloatArray, valid: BoolArray | None = None) -> FloatArray:
    """Mean over the valid trajectories of each row."""
    mask = _valid(returns, valid)
    total = np.where(mask, returns, 0).sum(axis=1, keepdims=True, dtype=np.float64)
    mean = total / np.maximum(mask.sum(axis=1, keepdims=True), 1)
    return np.where(mask, mean, 0).astype(returns.dtype)


def leave_one_out_baseline(returns: FloatArray, valid: BoolArray | None = None) -> FloatArray:
    """Mean over the other valid trajectories of each row; 0 where there is none."""
    mask = _valid(returns, valid)
    total = np.where(mask, returns, 0).sum(axis=1, keepdims=True, dtype=np.float64)
    others = mask.sum(axis=1, keepdims=True) - 1
    mean = (total - np.where(mask, returns, 0)) / np.maximum(others, 1)
    return np.where(mask & (others > 0), mean, 0).astype(returns.dtype)
