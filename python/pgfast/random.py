"""Counter-based random numbers: Philox4x32-10, keyed by (seed, stream)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pgfast import _core
from pgfast._typing import FloatArray, FloatDType, Shape, as_float_dtype, as_seed, as_shape


def philox(counter: npt.ArrayLike, key: npt.ArrayLike) -> npt.NDArray[np.uint32]:
    """One block of Philox4x32-10.

    Ten rounds, each (c0, c1, c2, c3) <- (hi(M1 c2) ^ c1 ^ k0, lo(M1 c2), hi(M0 c0) ^ c3 ^ k1,
    lo(M0 c0)), then k0 += W0 and k1 += W1, with M0 = 0xD2511F53, M1 = 0xCD9E8D57, W0 = 0x9E3779B9,
    W1 = 0xBB67AE85 (Salmon, Moraes, Dror & Shaw, SC 2011).

    Parameters:
        counter: four numbers in [0, 2**32).
        key: two numbers in [0, 2**32).

    Returns:
        (4,) uint32.

    >>> [hex(word) for word in philox([0, 0, 0, 0], [0, 0])]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    words = [int(word) for word in np.asarray(counter).ravel()]
    keys = [int(word) for word in np.asarray(key).ravel()]
    for name, numbers, length in (("counter", words, 4), ("key", keys, 2)):
        if len(numbers) != length or not all(0 <= word < 2**32 for word in numbers):
            raise ValueError(
                f"philox: {name} is {numbers}, expected {length} numbers in [0, 2**32)"
            )
    return _core.philox(words, keys)


def uniform(
    shape: Shape, *, seed: int, stream: int = 0, dtype: FloatDType = np.float32
) -> FloatArray:
    """Uniform draws in [0, 1): a function of (seed, stream) and the place in the array alone.

    Draw i is word group i of the stream: ⌊word / 2⁸⌋ · 2⁻²⁴ for float32, 53 bits of two words for
    float64. A longer array begins with the shorter one.

    Parameters:
        shape: of the result.
        seed: 0 ≤ seed < 2⁶⁴.
        stream: 0 ≤ stream < 2³²; streams of one seed are independent.
        dtype: float32 or float64.

    Returns:
        An array of that shape and dtype.

    >>> bool((uniform(5, seed=1)[:3] == uniform(3, seed=1)).all())
    True
    """
    kernel = {"float32": _core.uniform_float32, "float64": _core.uniform_float64}
    return kernel[as_float_dtype("uniform", dtype).name](
        as_shape("uniform", shape),
        as_seed("uniform", seed),
        as_seed("uniform", stream, "stream", 32),
        _core.Purpose.general,
    )


def normal(
    shape: Shape, *, seed: int, stream: int = 0, dtype: FloatDType = np.float32
) -> FloatArray:
    """Standard normal draws, two from two uniforms (Box & Muller 1958).

    n₂ₘ = √(−2 ln(1 − u₂ₘ)) cos(2π u₂ₘ₊₁),  n₂ₘ₊₁ = √(−2 ln(1 − u₂ₘ)) sin(2π u₂ₘ₊₁), with the u of
    `uniform` for the same arguments.

    Parameters:
        shape: of the result.
        seed: 0 ≤ seed < 2⁶⁴.
        stream: 0 ≤ stream < 2³².
        dtype: float32 or float64.

    Returns:
        An array of that shape and dtype.

    >>> normal((2, 3), seed=0).shape
    (2, 3)
    """
    kernel = {"float32": _core.normal_float32, "float64": _core.normal_float64}
    return kernel[as_float_dtype("normal", dtype).name](
        as_shape("normal", shape),
        as_seed("normal", seed),
        as_seed("normal", stream, "stream", 32),
        _core.Purpose.general,
    )
