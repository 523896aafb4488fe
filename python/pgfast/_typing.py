"""The types of arguments, and the checks of scalars that come before the core's own."""

from __future__ import annotations

import difflib
import operator
from collections.abc import Iterable, Sequence
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
FloatDType = npt.DTypeLike
Shape = SupportsIndex | Sequence[SupportsIndex]


def as_float_dtype(function: str, dtype: FloatDType) -> np.dtype[Any]:
    """`dtype`, where it is float32 or float64."""
    result = np.dtype(dtype)
    if result not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise TypeError(f"{function}: dtype is {result}, expected float32 or float64")
    return result


def as_shape(function: str, shape: Shape) -> tuple[int, ...]:
    """`shape` as a tuple of numbers ≥ 0."""
    parts = shape if isinstance(shape, Sequence) else (shape,)
    result = tuple(operator.index(n) for n in parts)
    if any(n < 0 for n in result):
        raise ValueError(f"{function}: shape is {result}, expected numbers >= 0")
    return result


def as_seed(function: str, seed: int, name: str = "seed") -> int:
    """`seed` as a number in [0, 2**64), or [0, 2**32) for a stream."""
    bits = 32 if name == "stream" else 64
    try:
        result = operator.index(seed)
    except TypeError:
        raise TypeError(f"{function}: {name} is a {type(seed).__name__}, expected an int") from None
    if not 0 <= result < 2**bits:
        raise ValueError(f"{function}: {name} is {result}, expected 0 <= {name} < 2**{bits}")
    return result


def as_count(function: str, name: str, value: int) -> int:
    """`value` as a number ≥ 1."""
    try:
        result = operator.index(value)
    except TypeError:
        raise TypeError(
            f"{function}: {name} is a {type(value).__name__}, expected an int"
        ) from None
    if result < 1:
        raise ValueError(f"{function}: {name} is {result}, expected at least 1")
    return result


def as_number(function: str, name: str, value: object, expected: str) -> float:
    """`value`, where it is a real number at all; `expected` tells what it should have been."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise TypeError(f"{function}: {name} is a {type(value).__name__}, expected {expected}")
    return float(value)


def unknown(function: str, name: str, value: object, known: Iterable[str]) -> ValueError:
    """Make the error for a name that is none of the known ones: it tells the nearest of them."""
    names = sorted(set(known))
    nearest = difflib.get_close_matches(str(value), names, n=3, cutoff=0.4)
    listed = ", ".join(repr(n) for n in (nearest or names))
    return ValueError(
        f"{function}: {name} is {value!r}, expected {'perhaps' if nearest else 'one of'} {listed}"
    )
