"""Twin of `pgfast.features`: functions of observations (B, D)."""

from __future__ import annotations

import itertools

import numpy as np

from pgfast._typing import FloatArray
from pgfast.reference.random import FEATURES, draws


def one_hot_features(x: FloatArray, states: int) -> FloatArray:
    """1 where x is the index."""
    return np.where(np.isnan(x), x, x == np.arange(states)).astype(x.dtype)


def polynomial_features(x: FloatArray, degree: int) -> FloatArray:
    """Products of variables, in the order of itertools."""
    columns = [
        np.prod(x[:, list(chosen)], axis=1)
        for k in range(degree + 1)
        for chosen in itertools.combinations_with_replacement(range(x.shape[1]), k)
    ]
    return np.stack(columns, axis=1)


def place(x: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """The place u in the box [low, high]."""
    return ((x - low) / np.subtract(high, low)).astype(x.dtype)


def fourier_features(x: FloatArray, low: FloatArray, high: FloatArray, order: int) -> FloatArray:
    """cos(π cᵀu) for all c."""
    c = np.array(list(itertools.product(range(order + 1), repeat=x.shape[1])))
    return np.cos(np.pi * place(x, low, high) @ c.T).astype(x.dtype)


def rbf_features(
    x: FloatArray, low: FloatArray, high: FloatArray, features: int, width: float, seed: int = 0
) -> FloatArray:
    """Gaussian bumps at uniform centres."""
    D = x.shape[1]
    centres = draws(seed, FEATURES, 0, np.arange(features * D), np.float64).reshape(features, D)
    squares = ((place(x, low, high)[:, None] - centres) ** 2).sum(axis=-1)
    return np.exp(-squares / (2 * width**2)).astype(x.dtype)


def tile_features(
    x: FloatArray, low: FloatArray, high: FloatArray, tiles: list[int], tilings: int
) -> FloatArray:
    """One tile of each grid."""
    B, D = x.shape
    phi = np.zeros((B, tilings, *(m + 1 for m in tiles)), x.dtype)
    u = np.clip(place(x, low, high), 0, 1)
    for b, k in itertools.product(range(B), range(tilings)):
        shifts = [(k * (2 * d + 1)) % tilings / tilings for d in range(D)]
        tile = tuple(int(tiles[d] * u[b, d] + shifts[d]) for d in range(D))
        phi[(b, k, *tile)] = 1
    return phi.reshape(B, -1)
