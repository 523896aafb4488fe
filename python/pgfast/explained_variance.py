"""How much of the targets' variance a value function explains."""

from __future__ import annotations

from pgfast import _core
from pgfast._typing import BoolArray, FloatArray


def explained_variance(
    values: FloatArray, targets: FloatArray, valid: BoolArray | None = None
) -> float:
    """Share of the targets' variance that the values explain, 1 − Var(y − V) / Var(y).

    1 is perfect, 0 is no better than a constant, below 0 is worse.

    Parameters:
        values: V (...) in the dtype of `targets`.
        targets: y (...) float32 or float64.
        valid: (...) bool, the samples that count; None means all.

    Returns:
        At most 1; 0 where the targets don't vary, and there is nothing to explain.

    Raises:
        ValueError: shapes that differ, or no sample at all.
        TypeError: dtypes that differ.

    >>> import numpy as np
    >>> explained_variance(np.array([1.0, 2.0]), np.array([1.0, 3.0]))
    0.75
    """
    return _core.explained_variance(values, targets, valid)
