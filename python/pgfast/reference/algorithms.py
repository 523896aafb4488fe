"""Twins of the algorithms' updates: their pseudocode over samples (B, ...), for softmax policies.

A policy here is one of `pgfast.reference`; what an update changes is its θ.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pgfast._typing import BoolArray, FloatArray, IntArray
from pgfast.reference.distributions import softmax
from pgfast.reference.optimizers import adam_step
from pgfast.reference.policy import SoftmaxPolicy
from pgfast.reference.value_function import ValueFunction, shuffle


class Adam:
    """Adam on something that has a θ."""

    def __init__(self, owner: SoftmaxPolicy | ValueFunction, learning_rate: float) -> None:
        self.owner, self.learning_rate, self.count = owner, learning_rate, 0
        self.m, self.v = np.zeros_like(owner.theta), np.zeros_like(owner.theta)

    def step(self, gradient: FloatArray, sign: int) -> None:
        """Up the gradient (1) or down (−1)."""
        self.count += 1
        self.owner.theta, self.m, self.v = adam_step(
            self.owner.theta,
            gradient,
            self.m,
            self.v,
            self.count,
            sign * self.learning_rate,
            0.9,
            0.999,
            1e-8,
        )


def entropy_gradient(policy: SoftmaxPolicy, observations: FloatArray) -> FloatArray:
    """Σ_b ∇H: dH/dz = −π (log π + H)."""
    log_p = softmax._log_softmax(policy.logits(observations))
    p = np.exp(log_p)
    entropy = -(p * log_p).sum(axis=-1, keepdims=True)
    return policy.network.backward(policy.theta, observations, -p * (log_p + entropy))


def kl_gradient(
    policy: SoftmaxPolicy, observations: FloatArray, other_logits: FloatArray
) -> FloatArray:
    """Σ_b ∇KL(π ‖ π′): dKL/dz = π (log π − log π′ − KL)."""
    log_p = softmax._log_softmax(policy.logits(observations))
    difference = log_p - softmax._log_softmax(other_logits)
    p = np.exp(log_p)
    kl = (p * difference).sum(axis=-1, keepdims=True)
    return policy.network.backward(policy.theta, observations, p * (difference - kl))


def reverse_kl_gradient(
    policy: SoftmaxPolicy, observations: FloatArray, other_logits: FloatArray
) -> FloatArray:
    """Σ_b ∇KL(π′ ‖ π): dKL/dz = π − π′."""
    p = np.exp(softmax._log_softmax(policy.logits(observations)))
    q = np.exp(softmax._log_softmax(other_logits))
    return policy.network.backward(policy.theta, observations, p - q)


def score_weights(
    ratio: FloatArray, advantages: FloatArray, weighting: str, clip: float
) -> FloatArray:
    """What the surrogate makes the weights of the scores."""
    if weighting == "log_prob":
        return advantages
    if weighting == "ratio":
        return ratio * advantages
    clipped = np.clip(ratio, 1 - clip, 1 + clip) * advantages
    return np.where(clipped < ratio * advantages, 0, ratio * advantages)


def value_gradient(
    value: ValueFunction,
    observations: FloatArray,
    targets: FloatArray,
    old_values: FloatArray | None,
    clip: float,
) -> FloatArray:
    """∇φ of mean ½ (V − y)², or of the larger error where V is held within old V ± clip."""
    v = value.predict(observations)
    error = v - targets
    if old_values is not None:
        held = np.clip(v, old_values - clip, old_values + clip)
        error = np.where((held - targets) ** 2 > error**2, 0, error)
    return value.network.backward(value.theta, observations, error[:, None] / len(targets))


def shortened(gradient: FloatArray, longest: float | None) -> FloatArray:
    """The gradient, no longer than that."""
    norm = np.linalg.norm(gradient)
    return gradient if longest is None or norm <= longest else gradient * (longest / norm)


def climb_minibatches(
    policy: SoftmaxPolicy,
    adam: Adam,
    observations: FloatArray,
    actions: IntArray,
    log_probs: FloatArray,
    advantages: FloatArray,
    *,
    weighting: str = "log_prob",
    clip: float = 0.0,
    entropy: float = 0.0,
    kl_old: float = 0.0,
    kl_prior: float = 0.0,
    prior: SoftmaxPolicy | None = None,
    value: ValueFunction | None = None,
    value_adam: Adam | None = None,
    targets: FloatArray | None = None,
    old_values: FloatArray | None = None,
    value_clip: float = 0.0,
    epochs: int = 1,
    batch_size: int | None = None,
    max_gradient_norm: float | None = None,
    kl_limit: float = np.inf,
    seed: int = 0,
    stream: int = 0,
) -> int:
    """A2C, PPO, GRPO and cloning: epochs of minibatches. Gives how many were stepped along."""
    n = len(actions)
    size = n if batch_size is None else min(batch_size, n)
    order = list(range(n))
    old_logits = policy.logits(observations)
    steps = 0
    for epoch in range(epochs):
        if size < n:
            shuffle(order, seed, stream, epoch * n)
        for first in range(0, n, size):
            b = order[first : first + size]
            s, a = observations[b], actions[b]
            ratio = np.exp(policy.log_prob(s, a) - log_probs[b])
            if kl_old:
                kl = softmax.softmax_kl(old_logits[b], policy.logits(s)).mean()
            else:
                kl = (ratio - 1 - np.log(ratio)).mean()
            if kl > kl_limit:
                return steps
            weights = score_weights(ratio, advantages[b], weighting, clip)
            gradient = policy.score(s, a, weights) + entropy * entropy_gradient(policy, s)
            gradient = gradient - kl_old * reverse_kl_gradient(policy, s, old_logits[b])
            if prior is not None:
                gradient = gradient - kl_prior * kl_gradient(policy, s, prior.logits(s))
            if value is not None and value_adam is not None and targets is not None:
                old = None if old_values is None else old_values[b]
                slope = value_gradient(value, s, targets[b], old, value_clip)
                value_adam.step(shortened(slope, max_gradient_norm), -1)
            adam.step(shortened(gradient / len(b), max_gradient_norm), 1)
            steps += 1
    return steps


def dense_fisher(policy: SoftmaxPolicy, observations: FloatArray) -> FloatArray:
    """F = mean_b Σₐ π(a|s_b) ∇ log π ∇ log πᵀ."""
    logits = policy.logits(observations)
    total = np.zeros((len(policy.theta), len(policy.theta)))
    for action in range(logits.shape[1]):
        actions = np.full(len(observations), action)
        scores = policy.scores(observations, actions)
        p = np.exp(policy.log_prob(observations, actions))
        total += (scores * p[:, None]).T @ scores
    return total / len(observations)


def trust_region_step(
    policy: SoftmaxPolicy,
    observations: FloatArray,
    actions: IntArray,
    advantages: FloatArray,
    *,
    kl_radius: float,
    damping: float,
    max_backtracks: int,
    shrink: float,
    accept: float,
) -> int | None:
    """TRPO's step, with the Fisher system solved directly. Gives j, or None without a step."""
    start, old_logits = policy.theta, policy.logits(observations)
    old = policy.log_prob(observations, actions)
    g = policy.score(observations, actions, advantages) / len(actions)
    metric = dense_fisher(policy, observations) + damping * np.eye(len(g))
    x = np.linalg.solve(metric, g)
    step = np.sqrt(2 * kl_radius / (x @ metric @ x)) * x
    for j in range(max_backtracks + 1):
        policy.theta = start + shrink**j * step
        ratio = np.exp(policy.log_prob(observations, actions) - old)
        improvement = ((ratio - 1) * advantages).mean()
        kl = softmax.softmax_kl(old_logits, policy.logits(observations)).mean()
        if kl <= kl_radius and improvement > 0 and improvement >= accept * shrink**j * (g @ step):
            return j
    policy.theta = start
    return None


def group_advantages(returns: FloatArray, group_size: int, divide_by_std: bool) -> FloatArray:
    """GRPO's: each episode's return beside the others of its group."""
    result = np.empty_like(returns)
    for first in range(0, len(returns), group_size):
        group = slice(first, first + group_size)
        result[group] = returns[group] - returns[group].mean()
        if divide_by_std:
            result[group] /= returns[group].std()
    return result


def compatible_weights(
    scores: FloatArray, advantages: FloatArray, damping: float, weights: FloatArray | None = None
) -> FloatArray:
    """w of argmin Σ_b c_b (scoreᵀ_b w − A_b)² + n damping |w|², c_b = 1 unless they are given."""
    c = np.ones(len(advantages)) if weights is None else weights
    normal = scores.T @ (c[:, None] * scores) + len(scores) * damping * np.eye(scores.shape[1])
    return np.linalg.solve(normal, scores.T @ (c * advantages))


def compatible_incremental(
    scores_at: Callable[[int, int], FloatArray],
    climb: Callable[[FloatArray], None],
    w: FloatArray,
    rewards: FloatArray,
    ends: BoolArray,
    valid: BoolArray,
    time: IntArray,
    *,
    gamma: float,
    critic_rate: float,
) -> FloatArray:
    """w after w ← w − β γᵗ (scoreᵀw − r − γ score′ᵀw) score at each time t of (T, N).

    `scores_at(t, n)` is ∇ log π(a|s) under the θ of that moment, `climb(w)` moves θ.
    """
    length, width = rewards.shape
    for t in range(length):
        change, count = np.zeros_like(w), 0
        for n in range(width):
            if not valid[t, n] or (t == length - 1 and not ends[t, n]):
                continue
            score = scores_at(t, n)
            following = 0.0 if ends[t, n] else scores_at(t + 1, n) @ w
            error = score @ w - rewards[t, n] - gamma * following
            change = change + gamma ** time[t, n] * error * score
            count += 1
        if count:
            w = w - critic_rate * change / count
            climb(w)
    return w
