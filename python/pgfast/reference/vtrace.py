"""Twin of `pgfast.vtrace`: the paper's sum, term by term, one trajectory after the other."""

from __future__ import annotations

import numpy as np

from pgfast._typing import BoolArray, FloatArray


def vtrace(
    rewards: FloatArray,
    values: FloatArray,
    log_ratios: FloatArray,
    terminated: BoolArray,
    truncated: BoolArray,
    *,
    gamma: float,
    lam: float = 1.0,
    rho_clip: float = 1.0,
    c_clip: float = 1.0,
    final_values: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """vₛ = Vₛ + Σ_{t≥s} γᵗ⁻ˢ (Π_{s≤i<t} cᵢ) δₜ to the end of the episode."""
    T, N = rewards.shape
    following = values[1:].copy()  # V of what comes after each step
    if final_values is not None:
        following[truncated] = final_values
    following[terminated] = 0
    done = terminated | truncated
    with np.errstate(over="ignore"):
        ratios = np.exp(log_ratios)
    rho, c = np.minimum(rho_clip, ratios), lam * np.minimum(c_clip, ratios)
    targets, advantages = values[:-1].copy(), np.empty_like(rewards)
    for n in range(N):
        for s in range(T):
            weight = 1.0
            for t in range(s, T):
                error = rewards[t, n] + gamma * following[t, n] - values[t, n]
                targets[s, n] += weight * rho[t, n] * error
                if done[t, n]:
                    break
                weight *= gamma * c[t, n]
        for s in range(T):
            value = following[s, n]
            if not done[s, n] and s + 1 < T:
                value = (1 - lam) * value + lam * targets[s + 1, n]
            advantages[s, n] = rho[s, n] * (rewards[s, n] + gamma * value - values[s, n])
    return targets, advantages
