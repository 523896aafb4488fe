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
    try:
        result = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"{function}: dtype is {dtype!r}, expected float32 or float64") from None
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


def as_seed(function: str, seed: int, name: str = "seed", bits: int = 64) -> int:
    """`seed` as a number in [0, 2**bits)."""
    result = as_int(function, name, seed)
    if not 0 <= result < 2**bits:
        raise ValueError(f"{function}: {name} is {result}, expected 0 <= {name} < 2**{bits}")
    return result


def as_count(function: str, name: str, value: int) -> int:
    """`value` as a number in [1, 2**63)."""
    result = as_int(function, name, value)
    if result < 1:
        raise ValueError(f"{function}: {name} is {result}, expected at least 1")
    if result >= 2**63:
        raise ValueError(f"{function}: {name} is {result}, expected less than 2**63")
    return result


def as_sizes(function: str, name: str, value: Sequence[int]) -> tuple[int, ...]:
    """`value` as a tuple of numbers ≥ 1."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        kind = type(value).__name__
        raise TypeError(f"{function}: {name} is a {kind}, expected a sequence such as (64, 64)")
    return tuple(as_count(function, name, size) for size in value)


def as_int(function: str, name: str, value: object) -> int:
    """`value` as an int."""
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        kind = type(value).__name__
        raise TypeError(f"{function}: {name} is a {kind}, expected an int") from None


def as_number(function: str, name: str, value: object, expected: str) -> float:
    """`value`, where it is a real number at all; `expected` tells what it should have been."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise TypeError(f"{function}: {name} is a {type(value).__name__}, expected {expected}")
    return float(value)


def as_reals(
    function: str, name: str, value: npt.ArrayLike, shape: tuple[int, ...] | None = None
) -> npt.NDArray[np.float64]:
    """`value` as a C-contiguous float64 array of finite numbers, of `shape` where it is given."""
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{function}: {name} has dtype {array.dtype}, expected real numbers")
    array = np.ascontiguousarray(array, np.float64).reshape(array.shape)
    if shape is not None and array.shape != shape:
        raise ValueError(f"{function}: {name} has shape {array.shape}, expected {shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{function}: {name} holds a number that is not finite")
    return array


def unknown(function: str, name: str, value: object, known: Iterable[str]) -> ValueError:
    """Make the error for a name that is none of the known ones: it tells the nearest of them."""
    names = sorted(set(known))
    nearest = difflib.get_close_matches(str(value), names, n=3, cutoff=0.4)
    listed = ", ".join(repr(n) for n in (nearest or names))
    return ValueError(
        f"{function}: {name} is {value!r}, expected {'perhaps' if nearest else 'one of'} {listed}"
    )
