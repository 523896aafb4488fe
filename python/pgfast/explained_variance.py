"""How much of the targets' variance a value function explains."""

from __future__ import annotations

import numpy as np

from pgfast._typing import BoolArray, FloatArray, as_samples


def explained_variance(
    values: FloatArray, targets: FloatArray, valid: BoolArray | None = None
) -> float:
    """Share of the targets' variance that the values explain, 1 − Var(y − V) / Var(y).

    1 is perfect, 0 is no better than a constant, below 0 is worse.

    Parameters:
        values: V (...).
        targets: y (...).
        valid: (...) bool, the samples that count; None means all.

    Returns:
        At most 1; 0 where the targets don't vary, and there is nothing to explain.

    Raises:
        ValueError: shapes that differ.

    >>> explained_variance(np.array([1.0, 2.0]), np.array([1.0, 3.0]))
    0.75
    """
    if np.shape(values) != np.shape(targets):
        raise ValueError(
            f"explained_variance: values has shape {np.shape(values)}, expected {np.shape(targets)}"
        )
    y = as_samples("explained_variance", targets, valid)
    residual = y - as_samples("explained_variance", values, valid)
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite comes out as NaN
        if y.size == 0 or y.var() == 0:
            return 0.0
        return float(1 - residual.var() / y.var())
