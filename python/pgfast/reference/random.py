"""Twin of `pgfast.random`: Philox4x32-10 on arrays of counters."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from pgfast._typing import FloatArray, FloatDType, Shape, as_float_dtype, as_shape

GENERAL, ENVIRONMENT, ACTION, PARAMETERS, FEATURES, SHUFFLE = 0, 1, 2, 3, 4, 5
"""Purposes: the last word of the counter."""


def philox(counter: npt.ArrayLike, key: npt.ArrayLike) -> npt.NDArray[np.uint32]:
    """Blocks of Philox4x32-10: counter (..., 4) and key (..., 2) to (..., 4)."""
    c = [np.asarray(word, np.uint64) for word in np.moveaxis(np.asarray(counter, np.uint64), -1, 0)]
    k = [np.asarray(word, np.uint64) for word in np.moveaxis(np.asarray(key, np.uint64), -1, 0)]
    low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> shift) ^ c[1] ^ k[0], p1 & low, (p0 >> shift) ^ c[3] ^ k[1], p0 & low]
        k = [(k[0] + np.uint64(0x9E3779B9)) & low, (k[1] + np.uint64(0xBB67AE85)) & low]
    return np.stack(c, axis=-1).astype(np.uint32)


def draws(
    seed: int, purpose: int, stream: npt.ArrayLike, index: npt.ArrayLike, dtype: FloatDType
) -> FloatArray:
    """Uniform draw `index` of each stream, in the broadcast shape of the two."""
    streams, indices = np.broadcast_arrays(
        np.asarray(stream, np.uint64), np.asarray(index, np.uint64)
    )
    words_per_draw = np.dtype(dtype).itemsize // 4
    per_block = np.uint64(4 // words_per_draw)
    block, place = indices // per_block, (indices % per_block) * np.uint64(words_per_draw)
    low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    counter = np.stack(
        [block & low, block >> shift, streams, np.full_like(streams, purpose)], axis=-1
    )
    words = philox(counter, [seed & 0xFFFFFFFF, seed >> 32])
    first = np.take_along_axis(words, place[..., None].astype(np.int64), -1)[..., 0]
    if words_per_draw == 1:
        return (first >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)
    second = np.take_along_axis(words, place[..., None].astype(np.int64) + 1, -1)[..., 0]
    bits = (first.astype(np.uint64) << shift) | second
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def uniform(
    shape: Shape, *, seed: int, stream: int = 0, dtype: FloatDType = np.float32
) -> FloatArray:
    """Draws 0, 1, 2, ... of a stream."""
    size = as_shape("uniform", shape)
    indices = np.arange(math.prod(size))
    return draws(seed, GENERAL, stream, indices, as_float_dtype("uniform", dtype)).reshape(size)


def normal(
    shape: Shape, *, seed: int, stream: int = 0, dtype: FloatDType = np.float32
) -> FloatArray:
    """Box–Muller on pairs of draws."""
    size = as_shape("normal", shape)
    count = math.prod(size)
    pairs = uniform(((count + 1) // 2, 2), seed=seed, stream=stream, dtype=dtype)
    one, two = pairs.dtype.type(1), pairs.dtype.type(2 * np.pi)
    radius, angle = np.sqrt(-2 * np.log(one - pairs[:, 0])), two * pairs[:, 1]
    both = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return both.ravel()[:count].reshape(size)
