"""Times the works that `pgfast bench` shows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import pgfast as pg
from pgfast.benchmark import kernels, limits, minibatch, runs, stepping
from pgfast.benchmark.rows import OURS, Row
from pgfast.benchmark.work import Work, time_in_turns

WORKS: tuple[Callable[[], Work], ...] = (
    stepping.step,
    partial(stepping.step, "Pendulum-v1"),
    partial(stepping.step, "MountainCar-v0", elsewhere=False),
    partial(stepping.step, "MountainCarContinuous-v0", elsewhere=False),
    partial(stepping.step, "Acrobot-v1", elsewhere=False),
    stepping.collect,
    partial(stepping.collect, (64, 64)),
    kernels.gae,
    kernels.score,
    kernels.fisher_solve,
    minibatch.minibatches,
    runs.until_solved("npg"),
    runs.until_solved("ppo"),
    runs.ppo_pendulum_work,
)
LIMIT = "limit"
"""What the machine's limit is called among the members."""
LIMIT_REPEATS = 3
"""Runs of a limit in its turn, of which the fastest counts."""


def measure(
    only: str = "",
    seconds: float = 0.1,
    tell: Callable[[str], None] = lambda name: None,
    failed: dict[str, str] | None = None,
) -> Iterator[Row]:
    """Time every work whose name contains `only`, and every peer that is installed.

    Each member is timed for about `seconds`: pgfast on one thread and on all processors, a peer on
    one, the machine's limit as pgfast. All of them take turns. A peer that is installed and yet
    raises (in another version than the pinned one, say) is left out, and `failed` says of what and
    why.
    """
    before = pg.get_num_threads()
    try:
        for make in WORKS:
            work = make()
            if only.lower() in work.name.lower():
                tell(work.name)
                yield from measure_work(work, seconds, {} if failed is None else failed)
    finally:
        pg.set_num_threads(before)


def measure_work(work: Work, seconds: float, failed: dict[str, str]) -> list[Row]:
    """The rows of one work."""
    ours = sorted({1, len(os.sched_getaffinity(0))})
    calls: dict[tuple[str, int], Callable[[], Any]] = {}
    for name in work.members:
        for threads in ours if name in OURS else [1]:
            pg.set_num_threads(threads)
            try:
                calls[name, threads] = work.prepare(name).run
            except ImportError:
                continue
            except Exception as error:
                if name in OURS:
                    raise
                failed[f"{work.name}: {name}"] = repr(error)
    limit = work.limit
    rates: dict[int, list[float]] = {threads: [] for threads in ours}
    if limit is not None:

        def at_limit(threads: int) -> None:
            rates[threads].append(limits.rate(limit.kind, limits.size_of(limit), LIMIT_REPEATS))

        calls |= {(LIMIT, threads): partial(at_limit, threads) for threads in ours}
    timings = time_in_turns(calls, seconds, lambda key: pg.set_num_threads(key[1]))
    return [
        Row.of(
            work,
            name,
            threads,
            timing,
            None if limit is None else limit.amount / float(np.median(rates[threads])),
        )
        for (name, threads), timing in timings.items()
        if name != LIMIT
    ]
