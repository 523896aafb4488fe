"""What one thread of this machine does at most."""

from __future__ import annotations

from functools import cache

from pgfast import _core
from pgfast.benchmark.work import Limit

REPEATS = 30
FAR = 256 * 2**20
"""Bytes that no cache holds."""


@cache
def fma_peak() -> float:
    """Measure the peak of float32 multiply-adds, floating-point operations per second."""
    return _core.fma_peak(REPEATS)


@cache
def copy_bandwidth(size: int = FAR) -> float:
    """Measure copies of `size` bytes, bytes read and written per second."""
    return _core.copy_bandwidth(size, max(3, REPEATS * 2**24 // max(size, 2**24)))


@cache
def cartpole_peak() -> float:
    """Measure CartPole's arithmetic alone, steps per second."""
    return _core.plain_cartpole(REPEATS)


def seconds_at(limit: Limit) -> float:
    """Seconds that one thread takes for it at the limit."""
    if limit.kind == "multiply-add":
        return limit.amount / fma_peak()
    if limit.kind == "CartPole":
        return limit.amount / cartpole_peak()
    return limit.amount / copy_bandwidth(max(1, int(limit.amount) // 2))
