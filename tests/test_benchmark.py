"""What is measured: limits that are plausible, equal answers of peers, rows that read right."""

from __future__ import annotations

import importlib.util
import io
import json
import math
from pathlib import Path

import numpy as np
import pytest

import pgfast as pg
from pgfast import _core
from pgfast.benchmark import kernels, measure, minibatch, runs, stepping, table
from pgfast.benchmark.rows import Row, duration, factor, grouped, ours, slower
from pgfast.benchmark.work import Limit, Member, Timing, Work, time_calls

SMALL = {
    "gae": lambda: kernels.gae(16, 64),
    "score": lambda: kernels.score(256, 6, 3),
    "score of a network": lambda: kernels.score(256, 6, 3, (8,)),
    "Fisher solve": lambda: kernels.fisher_solve(4096, 6, 3),
    "minibatch": lambda: minibatch.minibatch(64, 4, 2, (16, 16)),
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
    """The members of a work do the same work: each passes the check, and again when run again."""
    for name in small.members:
        try:
            member = small.prepare(name)
        except ImportError:
            continue
        member.run()


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


def test_operations_of_a_minibatch_are_those_of_its_products():
    """As the score's, for both networks."""
    layers = [4 * 16, 16 * 16, 16 * 2], [4 * 16, 16 * 16, 16]
    expected = sum(2 * 64 * (3 * sum(sizes) - sizes[0]) for sizes in layers)
    assert minibatch.minibatch(64, 4, 2, (16, 16)).limit.amount == expected


def test_limits_are_those_of_a_processor():
    """Between those of a very small and of a very large core; finite, and never exceeded by half.

    0 is what the core gives where a sum is not exact.
    """
    peak, copies = _core.fma_peak(5), _core.copy_bandwidth(2**24, 3)
    steps = _core.plain_cartpole(5)
    assert 1e9 < peak < 1e12
    assert 1e8 < copies < 1e12
    assert 1e6 < steps < 1e11
    assert _core.fma_peak(5) < 2 * peak


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


def test_timing_has_the_quartiles_and_skips_the_first_call():
    """A call that is slow once, at first, does not show; there are three rounds at least."""
    calls = []
    timing = time_calls(lambda: calls.append(0), budget=0.0)
    assert timing.rounds == 3
    assert timing.lower <= timing.median <= timing.upper
    assert Timing.of([1.0, 2.0, 3.0, 4.0, 5.0]) == Timing(3.0, 2.0, 4.0, 5)


def row(member, seconds, threads=1, work=1000.0, limit=None):
    timing = Timing(seconds, seconds, seconds, 3)
    return Row("sums, float32", member, threads, "element", work, timing, limit, "copy")


def test_rows_tell_rates_shares_and_ratios():
    """Rates have a prefix, a single thing its time; the share is of one thread's limit."""
    mine, theirs = row("pgfast", 1e-6, limit=5e-7), row("numpy", 4e-6)
    assert mine.rate == "1 G elements/s"
    assert row("pgfast", 0.0123, work=1).rate == "12.3 ms"
    assert mine.share == 0.5
    assert row("pgfast", 1e-6, threads=2, limit=5e-7).share is None
    assert slower(theirs, mine) == 4.0
    assert slower(row("numpy", 4e-6, work=2000.0), mine) == 2.0
    assert factor(4.0) == "4×"
    assert factor(123.4) == "123×"
    assert duration(2.5e-5) == "25 µs"
    assert ours(grouped([theirs, mine])["sums, float32"]) == mine


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
    assert math.isfinite(time_calls(work.prepare("pgfast").run, 0.0).median)


def test_a_peer_that_raises_is_left_out_and_named(monkeypatch):
    """The other members are measured; what is pgfast's own is not passed over."""

    def works(broken):
        def fails():
            raise ValueError("not this version")

        members = {"pgfast": lambda: Member(lambda: 1), "numpy": lambda: Member(lambda: 2)}
        work = Work("sums", "element", 2, {**members, broken: fails}, lambda answer: None)
        return (lambda: work,)

    monkeypatch.setattr(measure, "BUDGET", 0.0)
    monkeypatch.setattr(measure, "WORKS", works("jax"))
    failed = {}
    rows = list(measure.measure(failed=failed))
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


def test_memory_of_a_run_is_measured_in_its_own_process():
    """The peak holds the arrays that the run needs."""
    memory = runs.peak_memory()
    assert memory["peak"] - memory["before"] > 0.9 * memory["arrays"]
    assert memory["before"] > 0


def test_one_thread_is_asked_of_every_library():
    """The command line's environment is that of the repository's benchmarks."""
    from pgfast.benchmark import ONE_THREAD

    text = (Path(__file__).parents[1] / "bench" / "conftest.py").read_text()
    for name in ONE_THREAD:
        assert name.removesuffix("_NUM_THREADS") in text
    assert json.dumps(ONE_THREAD)
    assert pg.get_num_threads() >= 1


# --- bench/results.py -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def results():
    """The script that writes bench/RESULTS.md."""
    path = Path(__file__).parents[1] / "bench" / "results.py"
    spec = importlib.util.spec_from_file_location("results", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measured(group, member, seconds, threads=1, limit=None):
    """As pytest-benchmark reports it."""
    info = {"member": member, "threads": threads, "work": 1000, "unit": "element"}
    if limit is not None:
        info |= {"limit": limit, "limited_by": "copy"}
    stats = {"median": seconds, "q1": 0.9 * seconds, "q3": 1.1 * seconds, "rounds": 7}
    return {"group": group, "extra_info": info, "stats": stats}


@pytest.fixture
def report():
    """A kernel that is faster than its peers, and one that is slower than one of them."""
    machine = {
        "processor": "Abacus",
        "cores": 2,
        "system": "Linux",
        "python": "3.11",
        "build": dict(pg.build_info()),
        "versions": {"numpy": "2.0"},
        "numpy_blas": "openblas 0.3",
        "limits": {"multiply-add, flop/s": 1e11, "copy, byte/s": 2e10, "CartPole, step/s": 1e9},
    }
    return {
        "machine_info": {"pgfast": machine},
        "benchmarks": [
            measured("gae, T=128 float32", "pgfast", 1e-4, limit=4e-5),
            measured("gae, T=128 float32", "pgfast", 2e-4, threads=2, limit=4e-5),
            measured("gae, T=128 float32", "reference", 9e-4),
            measured("gae, T=128 float32", "jax", 4e-4),
            measured("sums, float32", "pgfast", 3e-4),
            measured("sums, float32", "numpy", 2e-4),
        ],
    }


WHOLE = {
    "runs": [
        {
            "group": "PPO on Pendulum-v1",
            "member": member,
            "threads": 1,
            "counted": "training",
            "steps": 1000,
            "seconds": [2.0 * factor, 1.0 * factor, 3.0 * factor],
            "returns": [-200.0, -150.0, -170.0],
        }
        for member, factor in (("pgfast", 1), ("rltools", 3))
    ],
    "versions": {"rltools": "2.2"},
    "memory": {"before": 4e7, "peak": 5e7, "arrays": 8e6},
}


def test_the_page_has_machine_ratios_shares_and_where_pgfast_is_slower(results, report):
    """Losses have a section of their own: to a peer, and of two threads to one."""
    page = results.page(report, WHOLE)
    for words in (
        "Abacus, 2 cores",
        "rltools 2.2",
        "100.0 GFLOP/s",
        "| gae, T=128 float32 | pgfast | 100 ns per element | ± 10.0 % | 40 % of copy | 7 | 1 |",
        "|  | JAX | 400 ns per element | ± 10.0 % |  | 7 | 4 |",
        "| PPO on Pendulum-v1 | RLtools | 6 s | 167 | -170.0 | training |",
        "10.0 MB more than before it, 1.25 of its arrays' 8.0 MB",
    ):
        assert words in page
    section = page[page.index("## Where pgfast is slower") : page.index("## Whole runs")]
    assert "| sums, float32 | pgfast: 300 ns per element | NumPy: 200 ns per element | 1.5× |" in (
        section
    )
    assert "pgfast, 2 threads: 200 ns per element | pgfast: 100 ns per element | 2× |" in section
    assert "JAX" not in section


def test_the_short_table_has_the_telling_rows(results, report):
    """Rate, share, two threads, peers but the twin; works that are not told are left out."""
    text = results.readme(report, WHOLE)
    row = "| gae, T=128 | 10 M elements/s | 40 % of copy | 0.5× | JAX 4× |"
    assert row in text
    assert "| PPO on Pendulum-v1 | 500 steps/s |  |  | RLtools 3× |" in text
    assert "sums" not in text


def test_a_member_that_is_there_twice_is_an_error(results, report):
    """Two works under one name would be compared with each other."""
    report["benchmarks"].append(report["benchmarks"][0])
    with pytest.raises(ValueError, match="more than once"):
        results.page(report, {"runs": []})


def test_the_readme_has_room_for_the_table(results):
    """Both marks are there, once."""
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    assert readme.count(results.BEGIN) == readme.count(results.END) == 1
