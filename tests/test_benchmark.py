"""What is measured: limits that are plausible, equal answers of peers, rows that read right."""

from __future__ import annotations

import io
import itertools
import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import pgfast as pg
from pgfast import _core
from pgfast.benchmark import kernels, limits, machine, measure, minibatch, runs, stepping, table
from pgfast.benchmark.rows import Row, duration, factor, grouped, ours, peers, slower
from pgfast.benchmark.work import Limit, Member, Timing, Work, time_in_turns

SMALL = {
    "gae": lambda: kernels.gae(16, 64),
    "score": lambda: kernels.score(256, 6, 3),
    "score of a network": lambda: kernels.score(256, 6, 3, (8,)),
    "Fisher solve": lambda: kernels.fisher_solve(4096, 6, 3),
    "minibatches": lambda: minibatch.minibatches(3, 64, 4, 2, (16, 16)),
    "CartPole": lambda: stepping.step("CartPole-v1", 64),
    "Pendulum": lambda: stepping.step("Pendulum-v1", 8),
    "FrozenLake": lambda: stepping.step("FrozenLake-v1", 8),
    "collect": lambda: stepping.collect((), 64, 32),
    "training": lambda: runs.ppo_pendulum_work(1),
}


@pytest.fixture(scope="module", params=SMALL)
def small(request):
    """Each work, small."""
    return SMALL[request.param]()


def test_every_member_that_is_installed_gives_the_answer(small):
    """The members of a work do the same work: each passes the check, and again when run again.

    Those in JAX are left to `pytest bench`: once it is loaded it warns of every fork.
    """
    for name in set(small.members) - {"jax", "gymnax"}:
        try:
            member = small.prepare(name)
        except ImportError:
            continue
        member.run()


def test_the_kernels_of_numpys_blas_are_told(monkeypatch):
    """And that somebody has chosen them: a peer may be slower for it."""
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    name = np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    found = machine.numpy_blas()
    assert found.startswith(name)
    assert (" kernels" in found) == ("openblas" in name)
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert machine.numpy_blas() == f"{found} (OPENBLAS_CORETYPE is set)"


def test_a_wrong_answer_is_found():
    """The checks of kernels refuse an answer that is 10 % off."""
    for name in ("gae", "score", "Fisher solve"):
        work = SMALL[name]()
        member = work.members["pgfast"]()
        right = np.asarray(member.read(member.run()))
        work.check(right)
        with pytest.raises(AssertionError):
            work.check(1.1 * right + 0.5)


def test_operations_of_the_score_are_those_of_its_products():
    """2 B Σ i·o for each product: forward, back to the weights, and back to hidden layers."""
    assert kernels.score(10, 6, 3).limit.amount == 2 * 10 * (6 * 3 + 6 * 3)
    deep = kernels.score(10, 6, 3, (8,)).limit.amount
    assert deep == 2 * 10 * ((6 * 8 + 8 * 3) + (6 * 8 + 8 * 3) + 8 * 3)


def test_operations_of_minibatches_are_those_of_its_products():
    """As the score's, for both networks."""
    layers = [4 * 16, 16 * 16, 16 * 2], [4 * 16, 16 * 16, 16]
    expected = sum(2 * 3 * 64 * (3 * sum(sizes) - sizes[0]) for sizes in layers)
    assert minibatch.minibatches(3, 64, 4, 2, (16, 16)).limit.amount == expected


def test_limits_are_measured_while_the_number_of_threads_changes():
    """The arrays are those of as many threads as copy them."""
    before = pg.get_num_threads()
    try:
        pg.set_num_threads(1)
        rates = []
        measuring = threading.Thread(
            target=lambda: rates.append(_core.copy_bandwidth(20_000_000, 20))
        )
        measuring.start()
        while measuring.is_alive():
            for threads in (1, 8):
                pg.set_num_threads(threads)
                time.sleep(1e-4)
    finally:
        pg.set_num_threads(before)
    assert 1e8 < rates[0] < 1e13


def test_limits_are_those_of_a_processor():
    """Between those of a very small and of a very large core; finite, and never exceeded by half.

    0 is what the core gives where a sum is not exact.
    """
    before = pg.get_num_threads()
    pg.set_num_threads(1)
    try:
        peak, copies = _core.fma_peak(5), _core.copy_bandwidth(2**24, 3)
        steps, again = _core.plain_cartpole(5), _core.fma_peak(5)
    finally:
        pg.set_num_threads(before)
    assert 1e9 < peak < 1e12
    assert 1e8 < copies < 1e12
    assert 1e6 < steps < 1e11
    assert again < 2 * peak


@pytest.mark.parametrize("kind", ["multiply-add", "copy", "CartPole"])
def test_limits_of_several_threads_count_the_work_of_all(threads, kind):
    """Also where there are more threads than processors, which then wait for each other."""
    rates = threads(lambda: limits.rate(kind, 2**16, 5))
    assert min(rates) > 0.2 * rates[0]  # a machine may be busy, but not with five others
    assert all(rate < 2 * n * rates[0] for n, rate in enumerate(rates, 1))


def test_a_limit_is_asked_for_with_its_own_number_of_threads(monkeypatch):
    """And pgfast's is afterwards what it was."""
    before, asked = pg.get_num_threads(), []

    def rate(kind, size, repeats):
        asked.append(pg.get_num_threads())
        return 100.0

    monkeypatch.setattr(limits, "rate", rate)
    limits.peak.cache_clear()
    try:
        for count in (3, 1):
            assert limits.seconds_at(Limit("multiply-add", 50.0), count) == 0.5
    finally:
        limits.peak.cache_clear()
    assert asked == [3, 1]
    assert pg.get_num_threads() == before


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: _core.fma_peak(0), "fma_peak: repeats is 0, expected at least 1"),
        (lambda: _core.plain_cartpole(0), "plain_cartpole: repeats is 0, expected at least 1"),
        (lambda: _core.copy_bandwidth(0, 1), "copy_bandwidth: bytes is 0, expected at least 1"),
        (lambda: _core.copy_bandwidth(1, 0), "copy_bandwidth: repeats is 0, expected at least 1"),
    ],
)
def test_limits_refuse_counts_below_one(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_members_take_turns():
    """In their order, each begun anew; three turns at least, of many rounds of short calls."""
    told = []
    runs = {name: lambda name=name: told.append(name) for name in "ab"}
    timings = time_in_turns(runs, budget=0.0, begin=lambda key: told.append(key.upper()))
    turns = [name for name, _ in itertools.groupby(told)]
    assert turns == ["A", "a", "B", "b"] * 4  # one to see how long a call takes
    for timing in timings.values():
        assert timing.rounds > 3
        assert 0 < timing.lower <= timing.median <= timing.upper
    assert Timing.of([1.0, 2.0, 3.0, 4.0, 5.0]) == Timing(3.0, 2.0, 4.0, 5)


def test_a_long_call_is_a_turn_and_the_first_is_not_counted():
    """A call that is slow once, at first, does not show."""
    pauses = itertools.chain([0.2], itertools.repeat(0.012))
    timing = time_in_turns({"slow": lambda: time.sleep(next(pauses))}, budget=0.0)["slow"]
    assert timing.rounds == 3
    assert 0.012 <= timing.lower <= timing.upper < 0.1


def row(member, seconds, threads=1, work=1000.0, limit=None):
    timing = Timing(seconds, seconds, seconds, 3)
    return Row("sums, float32", member, threads, "element", work, timing, limit, "copy")


def test_rows_tell_rates_shares_and_ratios():
    """Rates have a prefix, a single thing its time; the share is of one thread's limit."""
    mine, theirs = row("pgfast", 1e-6, limit=5e-7), row("numpy", 4e-6)
    assert mine.rate == "1 G elements/s"
    assert row("pgfast", 0.0123, work=1).rate == "12.3 ms"
    assert mine.share == 0.5
    assert row("pgfast", 1e-6, threads=2, limit=2e-7).share == 0.2
    assert slower(theirs, mine) == 4.0
    assert slower(row("numpy", 4e-6, work=2000.0), mine) == 2.0
    assert factor(4.0) == "4×"
    assert factor(123.4) == "123×"
    assert duration(2.5e-5) == "25 µs"
    assert ours(grouped([theirs, mine])["sums, float32"]) == mine
    twin = row("reference", 1e-5)
    assert peers([mine, twin, theirs]) == [theirs]
    assert peers([mine, twin]) == [twin]
    assert Row.from_dict(json.loads(json.dumps(mine.as_dict()))) == mine


def test_the_table_has_a_line_for_each_work_and_each_peer():
    """Work, rate, share, threads, and how many times as fast as each peer."""
    from rich.console import Console

    rows = [
        row("pgfast", 1e-6, limit=5e-7),
        row("pgfast", 5e-7, threads=2),
        row("numpy", 4e-6),
        row("jax", 2e-6),
    ]
    console = Console(width=80, file=io.StringIO())
    console.print(table.table(rows))
    text = " ".join(console.file.getvalue().split())
    for word in ("sums", "1 G elements/s", "50%", "2×", "NumPy 4×", "JAX 2×"):
        assert word in text


def test_a_missing_peer_is_left_out():
    """A maker that raises ImportError: the work goes on without it."""

    def missing():
        raise ImportError("not here")

    work = Work(
        "nothing",
        "call",
        2,
        {"pgfast": lambda: Member(lambda: 1), "jax": missing},
        lambda answer: None,
        Limit("multiply-add", 1.0),
    )
    with pytest.raises(ImportError):
        work.prepare("jax")
    [one, *more] = measure.measure_work(work, 0.0, {})
    assert (one.member, one.threads, one.limited_by) == ("pgfast", 1, "multiply-add")
    assert 0 < one.limit < 1e-6
    assert {row.member for row in more} <= {"pgfast"}


def test_a_peer_that_raises_is_left_out_and_named(monkeypatch):
    """The other members are measured; what is pgfast's own is not passed over."""

    def works(broken):
        def fails():
            raise ValueError("not this version")

        members = {"pgfast": lambda: Member(lambda: 1), "numpy": lambda: Member(lambda: 2)}
        work = Work("sums", "element", 2, {**members, broken: fails}, lambda answer: None)
        return (lambda: work,)

    monkeypatch.setattr(measure, "WORKS", works("jax"))
    failed = {}
    rows = list(measure.measure(seconds=0.0, failed=failed))
    assert {row.member for row in rows} == {"pgfast", "numpy"}
    assert failed == {"sums: jax": "ValueError('not this version')"}
    assert list(measure.measure("no such work")) == []
    monkeypatch.setattr(measure, "WORKS", works("pgfast"))
    with pytest.raises(ValueError, match="not this version"):
        list(measure.measure())


@pytest.mark.slow
def test_a_training_of_the_same_work_as_its_peers_learns():
    """What is compared with RLtools: Pendulum ends above −700, where it begins at −1300."""
    trainer = runs.ppo_pendulum(seed=1, activation="relu")
    answer = runs.timed(trainer, "Pendulum-v1")
    assert answer["steps"] == 74 * 4096
    assert answer["return"] > -700


def test_memory_of_runs_is_measured_in_processes_of_their_own():
    """The peak holds the arrays that the run needs."""
    measured = runs.peak_memory()
    assert list(measured) == ["ppo", "a2c", "reinforce"]
    for name, memory in measured.items():
        assert memory["peak"] - memory["before"] > 0.9 * memory["arrays"], name
        assert memory["before"] > 0


def test_one_thread_is_asked_of_every_library():
    """The command line's environment is that of the repository's benchmarks."""
    from pgfast.benchmark import ONE_THREAD

    text = (Path(__file__).parents[1] / "bench" / "conftest.py").read_text()
    for name in ONE_THREAD:
        assert name.removesuffix("_NUM_THREADS") in text
    assert json.dumps(ONE_THREAD)
    assert pg.get_num_threads() >= 1
