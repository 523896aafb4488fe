"""Times the works that `pgfast bench` shows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial

import pgfast as pg
from pgfast.benchmark import kernels, minibatch, runs, stepping
from pgfast.benchmark.rows import OURS, Row
from pgfast.benchmark.work import Work, time_calls

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
    minibatch.minibatch,
    runs.until_solved("npg"),
    runs.ppo_pendulum_work,
)
BUDGET = 0.1
"""Seconds of timing for each member."""


def measure(
    only: str = "",
    tell: Callable[[str], None] = lambda name: None,
    failed: dict[str, str] | None = None,
) -> Iterator[Row]:
    """Time every work whose name contains `only`, and every peer that is installed.

    pgfast is timed on one thread, then on all processors; a peer on one. NumPy's twin is left out
    where NumPy or SciPy is there as its users write it. A peer that is installed and yet raises (in
    another version than the pinned one, say) is left out, and `failed` says of what and why.
    """
    before, processors = pg.get_num_threads(), len(os.sched_getaffinity(0))
    try:
        for make in WORKS:
            work = make()
            if only.lower() not in work.name.lower():
                continue
            tell(work.name)
            for name in work.members:
                if name == "reference" and {"numpy", "scipy"} & set(work.members):
                    continue
                pg.set_num_threads(1)
                try:
                    member = work.prepare(name)
                except ImportError:
                    continue
                except Exception as error:
                    if name in OURS:
                        raise
                    if failed is not None:
                        failed[f"{work.name}: {name}"] = repr(error)
                    continue
                yield Row.of(work, name, 1, time_calls(member.run, BUDGET))
                if name in OURS and processors > 1:
                    pg.set_num_threads(processors)
                    yield Row.of(work, name, processors, time_calls(member.run, BUDGET))
    finally:
        pg.set_num_threads(before)
