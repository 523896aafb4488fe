"""Reads what was measured: bench.json of pytest-benchmark and runs.json of bench/runs.py.

A machine that is shared is slower for minutes at a time. Of several reports of a kind the quietest
counts, as a whole: ratios are of times of the same run.
"""

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pgfast.benchmark.rows import Row
from pgfast.benchmark.work import Timing


def read(paths: Iterable[Path]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The quietest report of the benchmarks and of the whole runs; files in any order."""
    reports = [json.loads(path.read_text()) for path in paths]
    benchmarks = [report for report in reports if "benchmarks" in report]
    runs = [report for report in reports if "runs" in report]
    if not benchmarks or len(benchmarks) + len(runs) < len(reports):
        raise ValueError("expected reports of pytest-benchmark and of bench/runs.py")
    return quietest(benchmarks), quietest(runs or [{"runs": []}])


def quietest(reports: list[dict[str, Any]]) -> dict[str, Any]:
    """The report with the lowest geometric mean of the times of what all of them measured."""
    times = []
    for report in reports:
        rows = of_benchmarks(report) if "benchmarks" in report else of_runs(report)
        times.append({(r.group, r.member, r.threads): r.timing.median for r in rows})
    common = set.intersection(*(set(found) for found in times))
    totals = [sum(math.log(found[name]) for name in sorted(common)) for found in times]
    return reports[totals.index(min(totals))]


def of_benchmarks(report: dict[str, Any]) -> list[Row]:
    """Rows of pytest-benchmark's report."""
    rows = []
    for benchmark in report["benchmarks"]:
        info, stats = benchmark["extra_info"], benchmark["stats"]
        rows.append(
            Row(
                benchmark["group"],
                info["member"],
                info["threads"],
                info["unit"],
                info["work"],
                Timing(stats["median"], stats["q1"], stats["q3"], stats["rounds"]),
                info.get("limit"),
                info.get("limited_by"),
            )
        )
    names = [(row.group, row.member, row.threads) for row in rows]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"results: {twice} are there more than once: groups hold different works")
    return rows


def of_runs(report: dict[str, Any]) -> list[Row]:
    """Rows of the whole runs."""
    return [
        Row(
            run["group"],
            run["member"],
            run["threads"],
            "step",
            run["steps"],
            Timing.of(run["seconds"]),
        )
        for run in report["runs"]
    ]


def share(row: Row) -> str:
    """Of the limit, and of which."""
    return "" if row.share is None else f"{100 * row.share:.0f} % of {row.limited_by}"
