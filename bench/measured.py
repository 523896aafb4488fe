"""Reads what was measured: bench.json of pytest-benchmark and runs.json of bench/runs.py."""

from typing import Any

from pgfast.benchmark.rows import Row
from pgfast.benchmark.work import Timing


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
