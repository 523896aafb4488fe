"""In Numba: loops, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit
def gae(
    rewards: Any,
    values: Any,
    terminated: Any,
    truncated: Any,
    final_values: Any,
    gamma: Any,
    lam: Any,
) -> Any:
    """GAE as `pgfast.gae`, a row of environments at a time, so that LLVM makes vector code."""
    T, N = rewards.shape
    advantages = np.empty_like(rewards)
    following = np.empty_like(rewards[0])
    trace = np.zeros_like(rewards[0])
    zero = trace[0]
    k = len(final_values)
    for t in range(T - 1, -1, -1):
        following[:] = values[t + 1]
        for n in range(N - 1, -1, -1):
            if truncated[t, n]:
                k -= 1
                following[n] = final_values[k]
        for n in range(N):
            ahead = zero if terminated[t, n] else following[n]
            later = zero if terminated[t, n] | truncated[t, n] else trace[n]
            trace[n] = rewards[t, n] + gamma * ahead - values[t, n] + gamma * lam * later
            advantages[t, n] = trace[n]
    return advantages
