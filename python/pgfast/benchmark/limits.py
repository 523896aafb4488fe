"""What this machine does at most, on one thread or several."""

from __future__ import annotations

from functools import cache

import pgfast as pg
from pgfast import _core
from pgfast.benchmark.work import Limit, LimitKind

REPEATS = 30
FAR = 256 * 2**20
"""Bytes that no cache holds."""


def rate(kind: LimitKind, size: int, repeats: int) -> float:
    """Measure a limit on pgfast's threads, a second's work: the fastest of `repeats` runs.

    Floating-point operations of float32 multiply-adds; bytes read and written by copies of `size`
    bytes; steps of CartPole's arithmetic alone.
    """
    if kind == "multiply-add":
        return _core.fma_peak(repeats)
    if kind == "CartPole":
        return _core.plain_cartpole(repeats)
    return _core.copy_bandwidth(size, repeats)


@cache
def peak(kind: LimitKind, size: int = 0, threads: int = 1) -> float:
    """Measure a limit thoroughly, once."""
    before = pg.get_num_threads()
    pg.set_num_threads(threads)
    try:
        return rate(kind, size, max(3, REPEATS * 2**24 // max(size, 2**24)))
    finally:
        pg.set_num_threads(before)


def size_of(limit: Limit) -> int:
    """Bytes of one copy that touches as many as the work does; 0 where the limit is no copy."""
    return max(1, int(limit.amount) // 2) if limit.kind == "copy" else 0


def seconds_at(limit: Limit, threads: int = 1) -> float:
    """Seconds that so many threads take for it at the limit."""
    return limit.amount / peak(limit.kind, size_of(limit), threads)
