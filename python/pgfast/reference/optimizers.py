"""Twin of the optimizers' kernels; they return what the kernels write in place."""

from __future__ import annotations

import numpy as np

from pgfast._typing import FloatArray


def sgd_step(theta: FloatArray, gradient: FloatArray, step_size: float) -> FloatArray:
    """θ + step_size · g."""
    return theta + step_size * gradient


def adam_step(
    theta: FloatArray,
    gradient: FloatArray,
    m: FloatArray,
    v: FloatArray,
    count: int,
    step_size: float,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """θ, m and v after step `count`."""
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient**2
    m_hat, v_hat = m / (1 - beta1**count), v / (1 - beta2**count)
    return theta + step_size * m_hat / (np.sqrt(v_hat) + epsilon), m, v
