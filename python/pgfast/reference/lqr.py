"""Twin of LQR-v0's step without noise, over states (N, n)."""

from __future__ import annotations

import numpy as np

from pgfast._typing import FloatArray


def lqr_step(
    state: FloatArray,
    actions: FloatArray,
    A: FloatArray,
    B: FloatArray,
    Q: FloatArray,
    R: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Next state A x + B u and reward -(xᵀQx + uᵀRu) of each row."""
    cost = np.einsum("ni,ij,nj->n", state, Q, state) + np.einsum("ni,ij,nj->n", actions, R, actions)
    return state @ A.T + actions @ B.T, -cost
