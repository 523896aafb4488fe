"""Twin of `pgfast.conjugate_gradient`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pgfast._typing import FloatArray
from pgfast.conjugate_gradient import CGResult


def conjugate_gradient(
    matvec: Callable[[FloatArray], FloatArray],
    b: FloatArray,
    *,
    tolerance: float = 1e-6,
    max_iterations: int | None = None,
    damping: float = 0.0,
) -> CGResult:
    """Hestenes & Stiefel's recursion from x = 0."""
    x, r, p = np.zeros_like(b), b.copy(), b.copy()
    limit = len(b) if max_iterations is None else max_iterations
    norm = float(np.linalg.norm(b.astype(np.float64)))
    if norm == 0:
        return CGResult(x, 0, 0.0, "converged")
    if not np.isfinite(norm):
        return CGResult(x, 0, norm, "non_finite")
    rr = norm**2
    iterations, residual = 0, 1.0
    while residual > tolerance:
        if iterations == limit:
            return CGResult(x, iterations, residual, "max_iterations")
        product = matvec(p) + b.dtype.type(damping) * p
        curvature = float(p.astype(np.float64) @ product)
        if not np.isfinite(curvature):
            return CGResult(x, iterations, residual, "non_finite")
        if curvature <= 0:
            return CGResult(x, iterations, residual, "non_positive_curvature")
        alpha = b.dtype.type(rr / curvature)
        r, x_next = r - alpha * product, x + alpha * p
        rr_next = float(r.astype(np.float64) @ r)
        if not (np.isfinite(rr_next) and np.isfinite(x_next).all()):
            return CGResult(x, iterations, residual, "non_finite")
        x = x_next
        p = r + b.dtype.type(rr_next / rr) * p
        rr = rr_next
        iterations += 1
        residual = float(np.sqrt(rr)) / norm
    return CGResult(x, iterations, residual, "converged")
