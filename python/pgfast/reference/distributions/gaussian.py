"""Twin of `pgfast.distributions.gaussian`: mean (..., A), log_std (..., A) or (A,).

The policies' floor of log σ is here too: below it σ is the floor's, and every derivative by log σ
is 0.
"""

from __future__ import annotations

import math

import numpy as np

from pgfast._typing import FloatArray
from pgfast.reference.random import ACTION, draws


def gaussian_log_prob(
    mean: FloatArray, log_std: FloatArray, actions: FloatArray, *, floor: float = -np.inf
) -> FloatArray:
    """−Σ (u²/2 + log σ + ½ log 2π)."""
    log_sigma = np.maximum(log_std, mean.dtype.type(floor))
    u = (actions - mean) / np.exp(log_sigma)
    return -(u**2 / 2 + log_sigma + mean.dtype.type(np.log(2 * np.pi) / 2)).sum(axis=-1)


def gaussian_score(
    mean: FloatArray, log_std: FloatArray, actions: FloatArray, *, floor: float = -np.inf
) -> tuple[FloatArray, FloatArray]:
    """u / σ by the mean, u² − 1 by log σ."""
    sigma = np.exp(np.maximum(log_std, mean.dtype.type(floor)))
    u = (actions - mean) / sigma
    return u / sigma, np.where(log_std < floor, 0, u**2 - 1)


def gaussian_entropy(
    mean: FloatArray, log_std: FloatArray, *, floor: float = -np.inf
) -> FloatArray:
    """Σ (log σ + ½ log 2πe)."""
    log_sigma = np.maximum(log_std, mean.dtype.type(floor)) + np.zeros_like(mean)
    return (log_sigma + mean.dtype.type((np.log(2 * np.pi) + 1) / 2)).sum(axis=-1)


def gaussian_kl(
    mean: FloatArray,
    log_std: FloatArray,
    other_mean: FloatArray,
    other_log_std: FloatArray,
    *,
    floor: float = -np.inf,
) -> FloatArray:
    """Σ log σ′/σ + (σ² + (μ − μ′)²) / 2σ′² − ½."""
    log_sigma, other = np.maximum(log_std, floor), np.maximum(other_log_std, floor)
    ratio = (np.exp(2 * log_sigma) + (mean - other_mean) ** 2) / np.exp(2 * other)
    return (other - log_sigma + ratio / 2 - mean.dtype.type(0.5)).sum(axis=-1)


def gaussian_fisher(
    mean: FloatArray,
    log_std: FloatArray,
    u: FloatArray,
    v: FloatArray,
    *,
    floor: float = -np.inf,
) -> tuple[FloatArray, FloatArray]:
    """M (u, v) = (u / σ², 2 v)."""
    variance = np.exp(2 * np.maximum(log_std, floor)) + np.zeros_like(mean)
    return u / variance, np.where(log_std < floor, 0, 2 * v)


def gaussian_sample(
    mean: FloatArray,
    log_std: FloatArray,
    *,
    seed: int,
    index: int = 0,
    first_stream: int = 0,
    floor: float = -np.inf,
) -> FloatArray:
    """μ + σ n, with a pair of normals from each pair of the row's uniform draws."""
    leading, size = mean.shape[:-1], mean.shape[-1]
    even = size + size % 2
    streams = first_stream + np.arange(math.prod(leading)).reshape(leading)
    indices = index * even + np.arange(even)
    uniforms = draws(seed, ACTION, streams[..., None], indices, mean.dtype)
    u, v = uniforms[..., ::2], uniforms[..., 1::2]
    radius = np.sqrt(-2 * np.log(1 - u))
    angle = mean.dtype.type(2 * np.pi) * v
    normals = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    normals = normals.reshape(*leading, even)[..., :size]
    return mean + np.exp(np.maximum(log_std, mean.dtype.type(floor))) * normals
