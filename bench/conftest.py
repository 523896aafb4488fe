"""How the benchmarks are run, and what they report.

    pytest bench                              every kernel beside its reference and its peers
    pytest bench --benchmark-disable          once each, without timing: do they still work?
    pytest bench --benchmark-json=bench.json && python bench/results.py bench.json

A group is one piece of work; its members do the same work on the same data, and each checks its
answer before it is timed. `extra_info` says who (`member`, `threads`), how much (`work`, `unit`),
and, where the machine bounds it, `limit`: the seconds that as many threads take at the limit,
measured in the same run. Everything has one thread but the members that say otherwise.
"""

import os

# Read when the libraries are loaded: NumPy's and SciPy's BLAS, PyTorch, Numba, JAX.
for name in ("OPENBLAS", "OMP", "MKL", "NUMBA"):
    os.environ.setdefault(f"{name}_NUM_THREADS", "1")
os.environ.setdefault("PJRT_NPROC", "1")
os.environ.setdefault("NPROC", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

import pgfast
from pgfast.benchmark import limits
from pgfast.benchmark.work import Member, Work


def pytest_configure(config: pytest.Config) -> None:
    """Half a second for each member, unless the command line says otherwise."""
    if config.option.benchmark_max_time == "1.0":
        config.option.benchmark_max_time = "0.5"


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict) -> None:
    """The build, the peers' versions and the limits, beside pytest-benchmark's own."""
    from pgfast.benchmark.machine import describe

    machine_info["pgfast"] = describe()


@pytest.fixture
def measure(benchmark: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., None]]:
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
        words = re.split(r"[\[\]-]", request.node.name)
        [member] = {"reference", "pgfast"} & set(words)
        benchmark.extra_info.update(member=member, threads=threads, work=work, unit=unit)
        benchmark(function)

    yield run
    pgfast.set_num_threads(before)


@cache
def prepared(work: Callable[[], Work]) -> Work:
    """A group's data, made once for all its members."""
    return work()


@pytest.fixture
def compare(benchmark: Any) -> Iterator[Callable[[Callable[[], Work], str], None]]:
    """compare(work, member) makes a member of it ("pgfast-2": on two threads) and times it."""
    before = pgfast.get_num_threads()

    def run(make: Callable[[], Work], member: str) -> None:
        work = prepared(make)
        name, _, threads = member.partition("-")
        benchmark.group = work.name
        pgfast.set_num_threads(int(threads or 1))
        if name not in work.members:
            pytest.skip(f"{name} does not do this")
        try:
            made: Member = work.prepare(name)
        except ImportError as error:
            pytest.skip(f"{name}: {error}")
        benchmark.extra_info.update(
            member=name, threads=int(threads or 1), work=work.amount, unit=work.unit
        )
        if work.limit is not None and not benchmark.disabled:
            benchmark.extra_info["limit"] = limits.seconds_at(work.limit, int(threads or 1))
            benchmark.extra_info["limited_by"] = work.limit.kind
        benchmark(made.run)

    yield run
    pgfast.set_num_threads(before)


@pytest.fixture
def rng() -> np.random.Generator:
    """The same numbers for every member of a group."""
    return np.random.default_rng(0)
