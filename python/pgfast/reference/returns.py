"""Twin of `pgfast.returns`: the recursions, one row of time after the other."""

from __future__ import annotations

import numpy as np

from pgfast._typing import BoolArray, FloatArray


def _bootstrap(
    rewards: FloatArray,
    terminated: BoolArray,
    truncated: BoolArray,
    gamma: float,
    final_values: FloatArray | None,
) -> FloatArray:
    """γ V(final observation) on the truncated steps that did not terminate, else 0."""
    bootstrap = np.zeros_like(rewards)
    if final_values is not None:
        bootstrap[truncated] = gamma * final_values
    bootstrap[terminated] = 0
    return bootstrap


def episode_return(
    rewards: FloatArray,
    terminated: BoolArray,
    truncated: BoolArray,
    *,
    gamma: float,
    valid: BoolArray | None = None,
) -> FloatArray:
    """R = Σₖ γᵏ rₖ of the episode, on every one of its steps."""
    done = terminated | truncated
    happened = np.ones_like(done) if valid is None else valid
    result = np.zeros_like(rewards)
    for n in range(rewards.shape[1]):
        first = 0
        for t in range(len(rewards)):
            if done[t, n] or t == len(rewards) - 1:
                episode = rewards[first : t + 1, n][happened[first : t + 1, n]]
                discounts = np.power(gamma, np.arange(len(episode)), dtype=rewards.dtype)
                result[first : t + 1, n] = (discounts * episode).sum()
                first = t + 1
    return result


def reward_to_go(
    rewards: FloatArray,
    terminated: BoolArray,
    truncated: BoolArray,
    *,
    gamma: float,
    last_values: FloatArray | None = None,
    final_values: FloatArray | None = None,
) -> FloatArray:
    """Gₜ = rₜ + γ Gₜ₊₁ inside an episode."""
    done = terminated | truncated
    bootstrap = _bootstrap(rewards, terminated, truncated, gamma, final_values)
    result = np.empty_like(rewards)
    following = np.zeros_like(rewards[0]) if last_values is None else last_values
    for t in reversed(range(len(rewards))):
        tail = np.where(done[t], bootstrap[t], gamma * following)
        following = result[t] = rewards[t] + tail
    return result


def gae(
    rewards: FloatArray,
    values: FloatArray,
    terminated: BoolArray,
    truncated: BoolArray,
    *,
    gamma: float,
    lam: float,
    final_values: FloatArray | None = None,
) -> FloatArray:
    """Aₜ = δₜ + γλ Aₜ₊₁ inside an episode, δₜ = rₜ + γ V′ₜ − Vₜ."""
    done = terminated | truncated
    bootstrap = _bootstrap(rewards, terminated, truncated, gamma, final_values)
    delta = rewards + np.where(done, bootstrap, gamma * values[1:]) - values[:-1]
    result = np.empty_like(rewards)
    following = np.zeros_like(rewards[0])
    for t in reversed(range(len(rewards))):
        following = result[t] = delta[t] + np.where(done[t], 0, gamma * lam * following)
    return result


def n_step_return(
    rewards: FloatArray,
    values: FloatArray,
    terminated: BoolArray,
    truncated: BoolArray,
    *,
    gamma: float,
    n: int,
    final_values: FloatArray | None = None,
) -> FloatArray:
    """Gₜ = Σ_{k<n} γᵏ rₜ₊ₖ + γⁿ Vₜ₊ₙ, each window on its own, from its end."""
    done = terminated | truncated
    bootstrap = _bootstrap(rewards, terminated, truncated, gamma, final_values)
    result = np.empty_like(rewards)
    for t in range(len(rewards)):
        end = min(t + n, len(rewards))
        following = values[end]
        for k in reversed(range(t, end)):
            following = rewards[k] + np.where(done[k], bootstrap[k], gamma * following)
        result[t] = following
    return result


def lambda_return(
    rewards: FloatArray,
    values: FloatArray,
    terminated: BoolArray,
    truncated: BoolArray,
    *,
    gamma: float,
    lam: float,
    final_values: FloatArray | None = None,
) -> FloatArray:
    """Gₜ = rₜ + γ ((1 − λ) Vₜ₊₁ + λ Gₜ₊₁) inside an episode."""
    done = terminated | truncated
    bootstrap = _bootstrap(rewards, terminated, truncated, gamma, final_values)
    result = np.empty_like(rewards)
    following = values[-1]
    for t in reversed(range(len(rewards))):
        mixed = (1 - lam) * values[t + 1] + lam * following
        following = result[t] = rewards[t] + np.where(done[t], bootstrap[t], gamma * mixed)
    return result
