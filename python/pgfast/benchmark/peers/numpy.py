"""In NumPy and SciPy, as their users write it: whole arrays, no temporary that can be saved."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def split(theta: Floats, D: int) -> tuple[Floats, Floats]:
    """W (D, A) and b (A,) of a linear policy's θ."""
    A = theta.size // (D + 1)
    return theta[: D * A].reshape(D, A), theta[D * A :]


def probabilities(theta: Floats, observations: Floats) -> Floats:
    """π(a|s), (B, A)."""
    W, b = split(theta, observations.shape[1])
    z = observations @ W
    z += b
    z -= z.max(axis=1, keepdims=True)
    np.exp(z, out=z)
    z /= z.sum(axis=1, keepdims=True)
    return z


def score(theta: Floats, observations: Floats, actions: Any, weights: Floats) -> Floats:
    """Σ_b w_b ∇ log π(a_b|s_b) of a linear softmax policy: Sᵀ(w (1_a − π)) and its column sums."""
    dz = probabilities(theta, observations)
    dz *= -weights[:, None]
    dz[np.arange(len(actions)), actions] += weights
    return np.concatenate([(observations.T @ dz).ravel(), dz.sum(axis=0)])


def natural_gradient(
    theta: Floats, observations: Floats, gradient: Floats, damping: float, iterations: int
) -> Floats:
    """`iterations` steps of SciPy's conjugate gradients on the Fisher matrix, never built."""
    from scipy.sparse.linalg import LinearOperator, cg

    B, D = observations.shape
    p = probabilities(theta, observations)

    def product(v: Floats) -> Floats:
        V, c = split(v, D)
        dz = observations @ V
        dz += c
        dz -= np.einsum("ba,ba->b", p, dz)[:, None]
        dz *= p
        back = np.concatenate([(observations.T @ dz).ravel(), dz.sum(axis=0)])
        back /= np.float32(B)
        back += np.float32(damping) * v
        return back

    matrix = LinearOperator((theta.size, theta.size), matvec=product, dtype=np.float32)
    return np.asarray(cg(matrix, gradient, rtol=0.0, atol=0.0, maxiter=iterations)[0])
