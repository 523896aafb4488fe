"""Twins of `pgfast.explained_variance` and `pgfast.normalize_advantages`."""

from __future__ import annotations

import numpy as np

from pgfast._typing import BoolArray, FloatArray


def _samples(array: FloatArray, valid: BoolArray | None) -> FloatArray:
    """Those that count, in one row of float64."""
    x = array.astype(np.float64)
    return x.ravel() if valid is None else x[valid]


def explained_variance(
    values: FloatArray, targets: FloatArray, valid: BoolArray | None = None
) -> float:
    """1 − Var(y − V) / Var(y); 0 where y does not vary."""
    y, v = _samples(targets, valid), _samples(values, valid)
    return 0.0 if y.var() == 0 else float(1 - (y - v).var() / y.var())


def normalize_advantages(advantages: FloatArray, valid: BoolArray | None = None) -> FloatArray:
    """(A − mean) / std over the valid steps; 0 elsewhere, and where std is rounding."""
    result = np.zeros_like(advantages)
    a = _samples(advantages, valid)
    if a.size == 0:
        return result
    centred = a - a[0]
    centred -= centred.mean()
    deviation = np.sqrt(np.square(centred).mean())
    if not deviation <= np.finfo(advantages.dtype).eps * np.abs(a).max():
        result[np.ones_like(advantages, bool) if valid is None else valid] = centred / deviation
    return result
