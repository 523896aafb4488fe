"""Bandits: one decision an episode, with and without a context."""

from __future__ import annotations

from typing import Any

from pgfast._typing import as_number, as_reals
from pgfast.envs.native import Box, Discrete, Model


def bandit(function: str, means: Any, std: float) -> Model:
    """Arm a pays N(means[a], std²); the observation is the number 1.

    The default means are those of Sutton & Barto's figure 2.1, as far as they can be read there.
    """
    means = as_reals(function, "means", means)
    if means.ndim != 1 or not means.size:
        raise ValueError(f"{function}: means has shape {means.shape}, expected (k,)")
    return _model(function, means[:, None], std, 1.0)


def contextual_bandit(function: str, weights: Any, std: float) -> Model:
    """Arm a pays N(weights[a]ᵀx, std²) in context x, uniform on [-1, 1]ᵈ; weights are (k, d)."""
    weights = as_reals(function, "weights", weights)
    if weights.ndim != 2 or not weights.size:
        raise ValueError(f"{function}: weights has shape {weights.shape}, expected (k, d)")
    return _model(function, weights, std, -1.0)


def _model(function: str, weights: Any, std: float, low: float) -> Model:
    sigma = as_number(function, "std", std, "a number >= 0")
    if not 0 <= sigma < float("inf"):
        raise ValueError(f"{function}: std is {sigma}, expected a finite number >= 0")
    arms, size = weights.shape
    return Model(
        observation=Box(size * (min(low, 0.0),), size * (1.0,)),
        action=Discrete(arms),
        arguments={"weights": weights, "sigma": sigma, "low": low, "high": 1.0},
    )
