"""The results page and the README's table: made of what was measured, losses told."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import json
from pathlib import Path

import pytest

import pgfast as pg

BENCH = Path(__file__).parents[1] / "bench"


@pytest.fixture
def results(monkeypatch):
    """The script that writes bench/RESULTS.md."""
    monkeypatch.syspath_prepend(BENCH)
    return importlib.import_module("results")


@pytest.fixture
def short_table(monkeypatch):
    """The script that writes the README's table."""
    monkeypatch.syspath_prepend(BENCH)
    return importlib.import_module("short_table")


@pytest.fixture
def goals(monkeypatch):
    """The goals' module."""
    monkeypatch.syspath_prepend(BENCH)
    return importlib.import_module("goals")


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
        "extension": EXTENSION,
        "versions": {"numpy": "2.0"},
        "numpy_blas": "openblas 0.3",
        "limits": {"multiply-add, flop/s": 1e11, "copy, byte/s": 2e10, "CartPole, step/s": 1e9},
    }
    return {
        "machine_info": {"pgfast": machine},
        "commit_info": {"id": "0123456789abcdef", "dirty": False},
        "benchmarks": [
            measured("gae, T=128 float32", "pgfast", 1e-4, limit=4e-5),
            measured("gae, T=128 float32", "pgfast", 2e-4, threads=2, limit=4e-5),
            measured("gae, T=128 float32", "reference", 9e-4),
            measured("gae, T=128 float32", "jax", 4e-4),
            measured("sums, float32", "pgfast", 3e-4),
            measured("sums, float32", "numpy", 2e-4),
        ],
    }


@pytest.fixture
def reports(monkeypatch, report):
    """One of each kind, as the scripts read them; none of `pgfast bench`."""
    monkeypatch.syspath_prepend(BENCH)
    return importlib.import_module("measured").Reports(report, WHOLE, {"rows": []})


EXTENSION = "fedcba9876543210"
WHOLE = {
    "machine": {"extension": EXTENSION},
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
    "memory": {"ppo": {"before": 4e7, "peak": 5e7, "arrays": 8e6}},
}


def test_the_page_has_machine_ratios_shares_and_where_pgfast_is_slower(results, reports):
    """Losses have a section of their own: to a peer, and of two threads to one."""
    page = results.page(reports)
    for words in (
        "Abacus, 2 cores",
        " at 0123456789: ",
        "rltools 2.2",
        "100.0 GFLOP/s",
        "| gae, T=128 float32 | pgfast | 100 ns per element | ± 10.0 % | 40 % of copy | 7 | 1 |",
        "|  | JAX | 400 ns per element | ± 10.0 % |  | 7 | 4 |",
        "| PPO on Pendulum-v1 | RLtools | 6 s | 167 | -170.0 | training |",
        "- ppo: 10.0 MB more than before it, 1.25 of its arrays' 8.0 MB",
    ):
        assert words in page
    section = page[page.index("## Where pgfast is slower") : page.index("## Whole runs")]
    assert "| sums, float32 | pgfast: 300 ns per element | NumPy: 200 ns per element | 1.5× |" in (
        section
    )
    assert "pgfast, 2 threads: 200 ns per element | pgfast: 100 ns per element | 2× |" in section
    assert "JAX" not in section


def test_the_short_table_has_the_telling_rows(short_table, reports):
    """Rate, share, two threads, peers but the twin; works that are not told are left out."""
    text = short_table.readme(reports)
    row = "| gae, T=128 | 10 M elements/s | 40 % of copy | 0.5× | JAX 4× |"
    assert row in text
    assert "| PPO on Pendulum-v1 | 500 steps/s |  |  | RLtools 3× |" in text
    assert "sums" not in text


def test_a_work_that_was_measured_in_turns_counts_as_it_was_there(results, short_table, reports):
    """As a whole, so that its ratios are of one run; the page says so."""
    rows = [
        {
            "group": "gae, T=128 float32",
            "member": member,
            "threads": 1,
            "unit": "element",
            "work": 1000,
            "timing": {"median": seconds, "lower": seconds, "upper": seconds, "rounds": 5},
            "limit": 2e-5,
            "limited_by": "copy",
        }
        for member, seconds in (("pgfast", 1e-4), ("numba", 5e-4))
    ]
    assert results.IN_TURNS not in results.page(reports)
    in_turns = dataclasses.replace(reports, turns={"rows": rows})
    page = results.page(in_turns)
    assert results.IN_TURNS in page
    assert (
        "| gae, T=128 float32 | pgfast | 100 ns per element | ± 0.0 % | 20 % of copy | 5 | 1 |"
        in page
    )
    assert "|  | Numba | 500 ns per element | ± 0.0 % | 4 % of copy | 5 | 5 |" in page
    assert "|  | JAX |" not in page
    assert "| sums, float32 |" in page
    assert "| gae, T=128 | 10 M elements/s | 20 % of copy |  | Numba 5× |" in (
        short_table.readme(in_turns)
    )


def test_goals_are_held_against_what_was_measured(goals, results, reports):
    """Reached or not, what the limit would give and what bounds it; or that it was not measured."""
    relu, tanh = (goals.PENDULUM.format(activation) for activation in ("relu", "tanh"))
    npg, ppo = (goals.SOLVED.format(algorithm) for algorithm in ("npg", "ppo"))
    reports.benchmarks["benchmarks"] += [
        measured(goals.STEP, "gymnasium", 19e-4),
        measured(goals.STEP, "pgfast", 2e-4, limit=8e-5),
        measured(goals.STEP, "core", 1e-4, limit=8e-5),
        measured(goals.LINEAR, "pgfast", 9.5e-4, limit=19e-5),
        measured(goals.GAE, "pgfast", 1e-4, limit=4e-5),
        measured(goals.GAE, "jax", 2e-4),
        measured(goals.GAE, "numba", 4e-4),
        measured(goals.MINIBATCH, "pgfast", 1e-4, limit=9e-5),
        measured(goals.MINIBATCH, "pgfast", 6e-5, threads=2, limit=5e-5),
        measured(relu, "pgfast", 5e-4),
        measured(relu, "pgfast", 4e-4, threads=2),
        measured(relu, "rltools", 1e-3),
        measured(relu, "rltools", 8e-4, threads=2),
        measured(npg, "pgfast", 4e-3),
        measured(ppo, "pgfast", 0.2),
    ]
    page = results.page(reports)
    section = page[page.index("## Goals") : page.index("## Where pgfast is slower")]
    lines = section.splitlines()[6:-1]
    assert len(lines) == len(goals.GOALS)
    assert [line for line in lines if "not measured" not in line] == [
        f"| {goals.STEP} | 18 × Gymnasium | 19 × | 23.8 × | yes |  |",
        f"| {goals.STEP} | 83 % of the limit | 80 % of copy | 100 % | no | {goals.RESETS} |",
        f"| {goals.LINEAR} | 4 × Gymnasium at {goals.STEP} | 2 × | 10 × | no "
        "| sampling, and the step |",
        f"| {goals.GAE} | 3 × JAX | 2 × | 5 × | no | {goals.STREAMS} |",
        f"| {goals.GAE} | 3 × Numba | 4 × | 10 × | yes |  |",
        f"| {goals.MINIBATCH} | 80 % of the limit | 90 % of copy | 100 % | yes |  |",
        f"| {relu} | 1.33 × RLtools | 2 × |  | yes |  |",
        f"| {relu} | 2.38 × RLtools, 2 threads | 2 × |  | no | {goals.ONE_BLOCK} |",
        f"| {npg} | 5 ms at most | 4 ms |  | yes |  |",
        f"| {ppo} | 150 ms at most | 200 ms |  | no | {goals.CHECKS} |",
        f"| {goals.MINIBATCH} | two threads 1.8 × one | 1.67 × | 1.8 × | no | {goals.WAITS} |",
    ]
    assert f"| {tanh} | 1.33 × RLtools | not measured |  |  |  |" in lines


def test_what_the_goals_compare_is_measured(goals):
    """Works and members have the names that they have on the results page."""
    rows, group = set(), ""
    for line in (BENCH / "RESULTS-AVX2.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 9:  # of the table of all rows
            group = cells[1] or group
            rows.add((group, cells[2]))
    assert len(rows) > 200
    for goal in goals.GOALS:
        assert (goal.group, goals.TITLES[getattr(goal, "mine", "pgfast")]) in rows
        if isinstance(goal, goals.Beside):
            threads = f", {goal.threads} threads" if goal.threads > 1 else ""
            assert (goal.of or goal.group, goals.TITLES[goal.member] + threads) in rows


def test_a_member_that_is_there_twice_is_an_error(results, reports):
    """Two works under one name would be compared with each other."""
    reports.benchmarks["benchmarks"].append(reports.benchmarks["benchmarks"][0])
    with pytest.raises(ValueError, match="more than once"):
        results.page(reports)


def test_of_several_reports_the_quietest_counts_as_a_whole(monkeypatch, report, tmp_path):
    """Also where one of its times is not the lowest: ratios are of the same run."""
    monkeypatch.syspath_prepend(BENCH)
    measured = importlib.import_module("measured")
    slower, whole = copy.deepcopy(report), copy.deepcopy(WHOLE)
    for benchmark in slower["benchmarks"]:
        benchmark["stats"]["median"] *= 2
    slower["benchmarks"][3]["stats"]["median"] /= 4
    del slower["benchmarks"][5]
    whole["runs"][0]["seconds"] = [3.0, 2.5, 4.0]
    files = {"a": whole, "b": slower, "c": report, "d": WHOLE}
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    turns = {"rows": []}
    assert measured.read([tmp_path / name for name in "abcd"]) == (
        measured.Reports(report, WHOLE, turns)
    )
    assert measured.read([tmp_path / "b"]) == measured.Reports(slower, {"runs": []}, turns)


def test_reports_of_different_builds_are_refused(monkeypatch, report, tmp_path):
    """A ratio of two builds would be told as one of pgfast to a peer."""
    monkeypatch.syspath_prepend(BENCH)
    read = importlib.import_module("measured").read
    turns = {"machine": {"extension": EXTENSION}, "rows": []}
    for name, content in {"a": report, "b": WHOLE, "c": turns}.items():
        (tmp_path / name).write_text(json.dumps(content))
    paths = [tmp_path / name for name in "abc"]
    read(paths)
    for path in paths:
        of_another = path.read_text().replace(EXTENSION, "another")
        (tmp_path / "d").write_text(of_another)
        with pytest.raises(
            ValueError, match=f"one build of the extension; .* of {EXTENSION}, .*d is of another"
        ):
            read([*paths, tmp_path / "d"])


def test_what_is_no_report_is_refused(monkeypatch, tmp_path):
    """And so is a page without benchmarks."""
    monkeypatch.syspath_prepend(BENCH)
    (tmp_path / "a").write_text('{"seconds": 1}')
    (tmp_path / "b").write_text(json.dumps(WHOLE))
    for name in "ab":
        with pytest.raises(ValueError, match="expected a report of pytest-benchmark"):
            importlib.import_module("measured").read([tmp_path / name])


def test_the_readme_has_room_for_the_table(short_table):
    """Both marks are there, once."""
    readme = (BENCH.parent / "README.md").read_text()
    assert readme.count(short_table.BEGIN) == readme.count(short_table.END) == 1
