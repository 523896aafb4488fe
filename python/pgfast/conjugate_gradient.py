"""Conjugate gradients, matrix-free."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from pgfast import _core
from pgfast._typing import FloatArray

CGStatus = Literal["converged", "max_iterations", "non_positive_curvature", "non_finite"]


class CGResult(NamedTuple):
    """What a solve gives."""

    x: FloatArray
    """The solution, or the last iterate: see `status`."""
    iterations: int
    """Steps taken; each is one product."""
    residual: float
    """‖b − (A + damping I) x‖ / ‖b‖ as the recursion carries it; 0 for b = 0."""
    status: CGStatus
    """`converged`; `max_iterations`; `non_positive_curvature`: a direction p with
    pᵀ(A + damping I)p ≤ 0 was met, x is from before it; `non_finite`: NaN or infinity came in or
    up."""


def conjugate_gradient(
    matvec: Callable[[FloatArray], FloatArray],
    b: FloatArray,
    *,
    tolerance: float = 1e-6,
    max_iterations: int | None = None,
    damping: float = 0.0,
) -> CGResult:
    """Solve (A + damping I) x = b for a symmetric positive semi-definite A known only by products.

    x₀ = 0, r₀ = p₀ = b;  αᵢ = rᵢᵀrᵢ / pᵢᵀApᵢ,  xᵢ₊₁ = xᵢ + αᵢ pᵢ,  rᵢ₊₁ = rᵢ − αᵢ A pᵢ,
    pᵢ₊₁ = rᵢ₊₁ + (rᵢ₊₁ᵀrᵢ₊₁ / rᵢᵀrᵢ) pᵢ, until ‖rᵢ‖ ≤ tolerance · ‖b‖.

    Exact after as many steps as A has distinct eigenvalues, but for rounding. Scalars are float64
    also for float32 vectors.

    Source: Hestenes & Stiefel 1952; Shewchuk 1994, section B2.

    Parameters:
        matvec: v (P,) ↦ A v (P,), in the dtype of `b`.
        b: (P,) float32 or float64.
        tolerance: relative, ≥ 0.
        max_iterations: at least 1; None means P.
        damping: ≥ 0, added to the diagonal.

    Returns:
        CGResult(x, iterations, residual, status).

    Raises:
        ValueError: a shape or number that does not fit, also of what `matvec` gives.
        TypeError: a dtype that does not fit.

    >>> result = conjugate_gradient(lambda v: np.array([1.0, 4.0]) * v, np.array([1.0, 1.0]))
    >>> result.x, result.iterations, result.status
    (array([1.  , 0.25]), 2, 'converged')
    """
    return CGResult(*_core.conjugate_gradient(matvec, b, tolerance, max_iterations, damping))
