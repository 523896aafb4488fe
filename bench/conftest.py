"""How the benchmarks are run, and what they report.

    pytest bench                              every kernel beside its reference and its peers
    pytest bench --benchmark-disable          once each, without timing: do they still work?
    pytest bench --benchmark-json=bench.json && python bench/table.py bench.json

A group is one piece of work; its members do the same work on the same data, and each checks its
answer before it is timed. `work` and `unit` make a rate of the median time. NumPy's BLAS gets one
thread, as pgfast does where nothing else is said.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when NumPy is loaded

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import pgfast


@pytest.fixture
def measure(benchmark: Any) -> Iterator[Callable[..., None]]:
    """measure(function, work=, unit=, check=, threads=) checks the answer, then times."""
    before = pgfast.get_num_threads()

    def run(
        function: Callable[[], Any],
        *,
        work: float,
        unit: str,
        check: Callable[[Any], None],
        threads: int = 1,
    ) -> None:
        pgfast.set_num_threads(threads)
        check(function())
        benchmark.extra_info.update(work=work, unit=unit)
        benchmark(function)

    yield run
    pgfast.set_num_threads(before)


@pytest.fixture
def rng() -> np.random.Generator:
    """The same numbers for every member of a group."""
    return np.random.default_rng(0)
