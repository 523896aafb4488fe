"""Diagnostics: how good an estimate of the gradient, of the values, or a change of policy is."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pgfast._typing import BoolArray, FloatArray
from pgfast.algorithms.reinforce import Baseline, advantages
from pgfast.policy import Policy
from pgfast.rollout import Rollout


def episode_gradients(policy: Policy, batch: Rollout, weights: FloatArray) -> FloatArray:
    """Each episode's own estimate of the gradient, gₖ = Σₜ wₜₖ ∇θ log π(aₜₖ|sₜₖ).

    Their mean is what `Algorithm.gradient` gives for the batch.

    Parameters:
        policy: π.
        batch: whole episodes, one in each column.
        weights: (T, K) in the dtype of θ, 0 where no step happened.

    Returns:
        (K, P) in the dtype of θ.

    Raises:
        ValueError: weights of another shape.
        TypeError: weights of another dtype.

    >>> import pgfast as pg
    >>> policy = pg.SoftmaxPolicy(4, 2)
    >>> batch = pg.collect(pg.make("CartPole-v1", 4), policy, episodes=3)
    >>> episode_gradients(policy, batch, batch.rewards).shape
    (3, 10)
    """
    if weights.shape != batch.rewards.shape:
        raise ValueError(
            f"episode_gradients: weights has shape {weights.shape}, expected {batch.rewards.shape}"
        )
    return np.stack(
        [
            policy.score(
                np.ascontiguousarray(batch.observations[:, k]),
                np.ascontiguousarray(batch.actions[:, k]),
                np.ascontiguousarray(weights[:, k]),
                masks=None if batch.masks is None else np.ascontiguousarray(batch.masks[:, k]),
            )
            for k in range(batch.rewards.shape[1])
        ]
    )


def gradient_variance(gradients: FloatArray) -> float:
    """Variance of one estimate of the gradient, tr Cov = 1/(K − 1) Σₖ |gₖ − ḡ|².

    The mean ḡ of K independent ones has a K-th of it.

    Parameters:
        gradients: gₖ (K, P), K ≥ 2.

    Returns:
        The variance, summed over the parameters.

    Raises:
        ValueError: another rank, or fewer than two.

    >>> gradient_variance(np.array([[1.0, 0.0], [3.0, 0.0]]))
    2.0
    """
    g = _gradients("gradient_variance", gradients)
    return float(np.square(g - g.mean(axis=0)).sum() / (len(g) - 1))


def signal_to_noise_ratio(gradients: FloatArray) -> float:
    """Signal-to-noise ratio of the mean of K estimates, |ḡ|² / (tr Cov / K).

    Where the true gradient is 0 it is about 1: the noise is its own signal.

    Parameters:
        gradients: gₖ (K, P), K ≥ 2.

    Returns:
        The ratio: infinite without noise, 0 where ḡ is 0.

    Raises:
        ValueError: another rank, or fewer than two.

    >>> signal_to_noise_ratio(np.array([[1.0], [3.0]]))
    4.0
    """
    g = _gradients("signal_to_noise_ratio", gradients)
    signal, noise = float(np.square(g.mean(axis=0)).sum()), gradient_variance(g) / len(g)
    if noise == 0:
        return np.inf if signal > 0 else 0.0
    return signal / noise


def effective_sample_size(log_ratios: FloatArray, valid: BoolArray | None = None) -> float:
    """How many samples of π the weighted samples of μ are worth, (Σ w)² / Σ w².

    w = π(a|s) / μ(a|s). It is n where all w are equal, 1 where one of them outweighs the others.

    Source: Kong 1992.

    Parameters:
        log_ratios: log w (...), finite or −∞.
        valid: (...) bool, the samples that count; None means all.

    Returns:
        A number in [1, n]; 0 where no sample has weight.

    Raises:
        ValueError: `valid` has another shape.

    >>> effective_sample_size(np.log(np.array([1.0, 1.0, 2.0]))).__round__(4)
    2.6667
    """
    x = _samples("effective_sample_size", log_ratios, valid)
    if x.size == 0 or x.max() == -np.inf:
        return 0.0
    w = np.exp(x - x.max())  # any common factor of the weights cancels
    return float(w.sum() ** 2 / np.square(w).sum())


def compare_baselines(
    policy: Policy,
    batch: Rollout,
    *,
    gamma: float,
    baselines: Iterable[Baseline] = (
        "none",
        "constant",
        "time",
        "leave-one-out",
        "linear",
        "optimal",
    ),
) -> dict[str, float]:
    """Variance of REINFORCE's gradient with each baseline, on one batch.

    For each b: `gradient_variance` of gₖ = Σₜ (Gₜₖ − bₜₖ) ∇ log π(aₜₖ|sₜₖ), k = 1 … K.

    Parameters:
        policy: the one that collected the batch.
        batch: whole episodes, at least two.
        gamma: discount γ in [0, 1].
        baselines: names, or functions (returns (T, K), valid) ↦ (T, K).

    Returns:
        The variances by name, in that order; a function goes by its own name.

    Raises:
        ValueError: a batch that is not of whole episodes, an unknown name.

    >>> import pgfast as pg
    >>> policy = pg.SoftmaxPolicy(4, 2)
    >>> batch = pg.collect(pg.make("CartPole-v1", 16), policy, episodes=64)
    >>> variance = compare_baselines(policy, batch, gamma=0.99)
    >>> variance["time"] < variance["none"]
    True
    """
    if batch.last_observations is not None:
        raise ValueError("compare_baselines: batch is of steps, expected whole episodes")
    result = {}
    for baseline in baselines:
        name = baseline if isinstance(baseline, str) else getattr(baseline, "__name__", "function")
        weights = advantages(batch, gamma, baseline, policy)
        result[name] = gradient_variance(episode_gradients(policy, batch, weights))
    return result


def _gradients(function: str, gradients: FloatArray) -> FloatArray:
    g = np.asarray(gradients, np.float64)
    if g.ndim != 2 or len(g) < 2:
        raise ValueError(
            f"{function}: gradients has shape {g.shape}, expected (K, P) with K at least 2"
        )
    return g


def _samples(function: str, array: FloatArray, valid: BoolArray | None) -> FloatArray:
    """The samples that count, in one row of float64."""
    x = np.asarray(array, np.float64)
    if valid is None:
        return x.ravel()
    if np.shape(valid) != x.shape:
        raise ValueError(f"{function}: valid has shape {np.shape(valid)}, expected {x.shape}")
    return x[valid]
