"""The linear-quadratic regulator, and its optimum by the Riccati equation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pgfast._typing import FloatArray, as_count, as_number, as_reals
from pgfast.envs.native import INF, Box, Model

Matrix = FloatArray


def model(
    function: str,
    A: Any,
    B: Any,
    Q: Any,
    R: Any,
    noise: Any,
    start_mean: Any,
    start_covariance: Any,
) -> Model:
    """x' = A x + B u + w, reward -(xᵀQx + uᵀRu), w ~ N(0, noise), x₀ ~ N(mean, covariance)."""
    A, B, Q, R = _system(function, A, B, Q, R)
    n, m = B.shape
    noise = _covariance(function, "noise", noise, n)
    mean = _mean(function, start_mean, n)
    covariance = _covariance(function, "start_covariance", start_covariance, n)
    return Model(
        observation=Box.symmetric(*n * (INF,)),
        action=Box.symmetric(*m * (INF,)),
        arguments={
            "A": A,
            "B": B,
            "Q": Q,
            "R": R,
            "noise": _root(noise) if noise.any() else None,
            "mean": mean,
            "spread": _root(covariance),
        },
        growth=float(np.abs(np.linalg.eigvals(A)).max()),
    )


@dataclass(frozen=True)
class LQROptimum:
    """The best that can be done in an LQR.

    The action u = -K x loses xᵀ P x, and what noise adds, from state x on.
    """

    gains: Matrix
    """K: (T, m, n) of each step of a horizon T, or (m, n) without one."""
    costs: Matrix
    """P: (T + 1, n, n), or (n, n)."""
    mean_return: float
    """Expected discounted return of an episode that begins as LQR-v0's do."""


def lqr_optimum(
    A: npt.ArrayLike,
    B: npt.ArrayLike,
    Q: npt.ArrayLike,
    R: npt.ArrayLike,
    *,
    noise: npt.ArrayLike = 0.0,
    start_mean: npt.ArrayLike = 0.0,
    start_covariance: npt.ArrayLike = 1.0,
    gamma: float = 1.0,
    horizon: int | None = None,
) -> LQROptimum:
    """The optimal gains, costs and return of a linear-quadratic regulator.

    The Riccati recursion, backward from P_T = 0 over a horizon T, or to its fixed point without:

        K_t = γ (R + γ Bᵀ P_{t+1} B)⁻¹ Bᵀ P_{t+1} A
        P_t = Q + γ Aᵀ P_{t+1} (A - B K_t)

    The return is -(tr(P_0 (Σ₀ + μμᵀ)) + Σ_t γ^{t+1} tr(P_{t+1} W)), W being the noise covariance.
    Source: Bertsekas, Dynamic Programming and Optimal Control I, section 4.1.

    Parameters:
        A: (n, n). x' = A x + B u + w.
        B: (n, m).
        Q: (n, n), symmetric, positive semi-definite. Reward -(xᵀQx + uᵀRu).
        R: (m, m), symmetric, positive definite.
        noise: covariance of w, (n, n); a number stands for that many times the identity.
        start_mean: μ (n,) of the first state, or a number for all of its parts.
        start_covariance: Σ₀, as `noise`.
        gamma: discount in (0, 1].
        horizon: T steps; None: no end.

    Returns:
        LQROptimum.

    Raises:
        ValueError: shapes that do not fit; Q or R not symmetric or not definite; without a horizon
            an unstable part of A that B does not reach, or noise without a discount, because then
            the cost is infinite.

    >>> best = lqr_optimum([[1.0]], [[1.0]], [[1.0]], [[1.0]])
    >>> best.costs.round(6)  # the golden ratio
    array([[1.618034]])
    """
    function = "lqr_optimum"
    A, B, Q, R = _system(function, A, B, Q, R)
    n = len(A)
    W = _covariance(function, "noise", noise, n)
    mean = _mean(function, start_mean, n)
    second_moment = _covariance(function, "start_covariance", start_covariance, n)
    second_moment = second_moment + np.outer(mean, mean)
    gamma = as_number(function, "gamma", gamma, "a number in (0, 1]")
    if not 0 < gamma <= 1:
        raise ValueError(f"{function}: gamma is {gamma}, expected a number in (0, 1]")

    def backward(P: Matrix) -> tuple[Matrix, Matrix]:
        K: Matrix = gamma * np.linalg.solve(R + gamma * B.T @ P @ B, B.T @ P @ A)
        before: Matrix = Q + gamma * A.T @ P @ (A - B @ K)
        return K, 0.5 * (before + before.T)

    if horizon is None:
        if gamma == 1 and W.any():
            raise ValueError(f"{function}: noise without discount or horizon costs without end")
        P: Matrix = np.zeros((n, n))
        for _ in range(100_000):
            K, following = backward(P)
            settled = np.abs(following - P).max() <= 1e-13 * np.abs(following).max()
            P = following
            if settled:
                break
        else:
            raise ValueError(f"{function}: the Riccati recursion does not settle, give a horizon")
        cost = np.trace(P @ second_moment) + (
            gamma / (1 - gamma) * np.trace(P @ W) if W.any() else 0
        )
        return LQROptimum(K, P, -float(cost))
    costs: list[Matrix] = [np.zeros((n, n))]
    gains: list[Matrix] = []
    for _ in range(as_count(function, "horizon", horizon)):
        K, P = backward(costs[0])
        costs.insert(0, P)
        gains.insert(0, K)
    cost = np.trace(costs[0] @ second_moment)
    cost += sum(gamma**t * np.trace(P @ W) for t, P in enumerate(costs) if t)
    return LQROptimum(np.array(gains), np.array(costs), -float(cost))


def _system(function: str, A: Any, B: Any, Q: Any, R: Any) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    """The matrices, checked: their shapes, and whether the cost has a finite minimum."""
    B = as_reals(function, "B", B)
    if B.ndim != 2 or not B.size:
        raise ValueError(f"{function}: B has shape {B.shape}, expected (n, m)")
    n, m = B.shape
    A = as_reals(function, "A", A, (n, n))
    Q, R = as_reals(function, "Q", Q, (n, n)), as_reals(function, "R", R, (m, m))
    _check_definite(function, "Q", Q, 0.0)
    _check_definite(function, "R", R, 1e-12)
    # Popov, Belevitch and Hautus: a mode of A that does not fade must be in reach of B.
    for mode in np.linalg.eigvals(A):
        reach = np.linalg.matrix_rank(np.hstack([A - mode * np.eye(n), B]), tol=1e-9)
        if abs(mode) >= 1 and reach < n:
            raise ValueError(
                f"{function}: A has the mode {mode:.6g} that does not fade and that B does not "
                "reach, expected a system that can be made stable"
            )
    return A, B, Q, R


def _check_definite(function: str, name: str, matrix: Matrix, least: float) -> None:
    scale = max(float(np.abs(matrix).max()), 1e-300)
    if np.abs(matrix - matrix.T).max() > 1e-9 * scale:
        raise ValueError(f"{function}: {name} is not symmetric, expected a symmetric matrix")
    smallest = float(np.linalg.eigvalsh(matrix).min())
    if smallest < (least or -1e-12) * scale:
        kind = "positive definite" if least else "positive semi-definite"
        raise ValueError(f"{function}: {name} has the eigenvalue {smallest:.6g}, expected {kind}")


def _covariance(function: str, name: str, value: Any, n: int) -> Matrix:
    matrix = as_reals(function, name, value)
    if matrix.ndim == 0:
        matrix = matrix * np.eye(n)
    matrix = as_reals(function, name, matrix, (n, n))
    _check_definite(function, name, matrix, 0.0)
    return matrix


def _mean(function: str, value: Any, n: int) -> Matrix:
    mean = as_reals(function, "start_mean", value)
    return as_reals(function, "start_mean", mean * np.ones(n) if mean.ndim == 0 else mean, (n,))


def _root(covariance: Matrix) -> Matrix:
    """L with L Lᵀ the covariance."""
    values, vectors = np.linalg.eigh(covariance)
    return np.ascontiguousarray(vectors * np.sqrt(np.maximum(values, 0)))
