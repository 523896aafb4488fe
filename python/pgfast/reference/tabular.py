"""Twin of `pgfast.tabular`: sums over time, carried on until nothing changes.

P (S, A, S), R (S, A), p0 (S,), π (S, A). An end is a state that every action leaves where it is,
with reward 0.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pgfast._typing import BoolArray, FloatArray


def _until_nothing_changes(
    step: Callable[[FloatArray], FloatArray], start: FloatArray
) -> FloatArray:
    """Fixed point of a contraction, to the last bit or two."""
    now = start
    for _ in range(100_000):
        following = step(now)
        if np.abs(following - now).max() <= 1e-16 * max(1.0, np.abs(now).max()):
            return following
        now = following
    raise RuntimeError("no fixed point")


def _ends(P: FloatArray, R: FloatArray) -> BoolArray:
    stays = np.array([(P[s, :, s] == 1).all() for s in range(len(P))])
    ends: BoolArray = stays & (R == 0).all(axis=1)
    return ends


def tabular_values(
    P: FloatArray, R: FloatArray, gamma: float, policy: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """V ← Σₐ π (R + γ P V), and Q of it."""
    values = _until_nothing_changes(
        lambda V: (policy * (R + gamma * P @ V)).sum(axis=1), np.zeros(len(P))
    )
    return values, R + gamma * P @ values


def tabular_visitation(
    P: FloatArray, R: FloatArray, p0: FloatArray, gamma: float, policy: FloatArray
) -> FloatArray:
    """d ← p0 + γ P_πᵀ d, without the ends."""
    P_pi = np.einsum("sa,sat->st", policy, P)
    live = ~_ends(P, R)
    return _until_nothing_changes(lambda d: live * (p0 + gamma * d @ P_pi), np.zeros(len(P)))


def tabular_gradient(
    P: FloatArray, R: FloatArray, p0: FloatArray, gamma: float, policy: FloatArray
) -> FloatArray:
    """Σ_s d(s) Σₐ π(a|s) (e_sa − π(·|s)) Q(s, a), by its sum."""
    _, Q = tabular_values(P, R, gamma, policy)
    d = tabular_visitation(P, R, p0, gamma, policy)
    gradient = np.zeros_like(policy)
    for s, a in np.ndindex(policy.shape):
        score = np.eye(policy.shape[1])[a] - policy[s]
        gradient[s] += d[s] * policy[s, a] * score * Q[s, a]
    return gradient


def tabular_fisher(
    P: FloatArray, R: FloatArray, p0: FloatArray, gamma: float, policy: FloatArray
) -> FloatArray:
    """Σ_s d(s) Σₐ π(a|s) score scoreᵀ, by its sum."""
    d = tabular_visitation(P, R, p0, gamma, policy)
    F = np.zeros((policy.size, policy.size))
    for s, a in np.ndindex(policy.shape):
        score = np.zeros_like(policy)
        score[s] = np.eye(policy.shape[1])[a] - policy[s]
        F += d[s] * policy[s, a] * np.outer(score, score)
    return F


def tabular_optimal_values(P: FloatArray, R: FloatArray, gamma: float) -> FloatArray:
    """V ← maxₐ (R + γ P V): value iteration, where policies are iterated otherwise."""
    return _until_nothing_changes(lambda V: (R + gamma * P @ V).max(axis=1), np.zeros(len(P)))
