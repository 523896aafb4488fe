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


def optimal_baseline(
    returns: FloatArray,
    valid: BoolArray | None,
    score_norms: FloatArray,
    *,
    per_time: bool = False,
) -> FloatArray:
    """Σ |score|² g / Σ |score|², over everything or over each row."""
    mask = _valid(returns, valid)
    axis = 1 if per_time else None
    weights = np.where(mask, score_norms, 0).astype(np.float64)
    total = weights.sum(axis=axis, keepdims=True)
    weighted = (weights * np.where(mask, returns, 0)).sum(axis=axis, keepdims=True)
    mean = np.divide(weighted, total, out=np.zeros_like(total), where=total > 0)
    return np.where(mask, mean, 0).astype(returns.dtype)


def linear_baseline(
    returns: FloatArray,
    valid: BoolArray | None,
    observations: FloatArray,
    *,
    ridge: float = 1e-5,
) -> FloatArray:
    """Ridge regression of g on s, s², τ, τ², τ³ with τ = t / 100."""
    mask, s = _valid(returns, valid), observations.astype(np.float64)
    tau = np.broadcast_to(np.arange(len(returns))[:, None, None] / 100, (*returns.shape, 1))
    x = np.concatenate([s, s**2, tau, tau**2, tau**3], axis=-1)
    weights, intercept = ridge_regression(x[mask], returns[mask].astype(np.float64), ridge)
    return np.where(mask, x @ weights + intercept, 0).astype(returns.dtype)


def ridge_regression(x: FloatArray, y: FloatArray, ridge: float) -> tuple[FloatArray, float]:
    """Weights and intercept of min Σ (xᵀw + b − y)² + ridge |w|², as one least-squares problem."""
    mean, target = x.mean(axis=0), y.mean()
    penalty = np.sqrt(ridge) * np.eye(x.shape[1])
    left, right = np.vstack([x - mean, penalty]), np.append(y - target, np.zeros(x.shape[1]))
    weights = np.linalg.lstsq(left, right, rcond=None)[0]
    return weights, target - mean @ weights
