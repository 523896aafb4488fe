"""Reads what was measured: bench.json of pytest-benchmark, runs.json of bench/runs.py, and
turns.json of `pgfast bench`.

A machine that is shared is slower for minutes at a time. Of several reports of a kind the quietest
counts, as a whole: ratios are of times of the same run.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgfast.benchmark.rows import Row, grouped
from pgfast.benchmark.work import Timing


@dataclass(frozen=True)
class Reports:
    """One of each kind; a kind that is not there is empty."""

    benchmarks: dict[str, Any]
    runs: dict[str, Any]
    turns: dict[str, Any]

    @property
    def rows(self) -> list[Row]:
        """All that was measured; a work that was measured in turns counts as it was there."""
        rows, turns = of_benchmarks(self.benchmarks), of_turns(self.turns)
        groups = grouped(rows) | grouped(turns) | grouped(of_runs(self.runs))
        return [row for members in groups.values() for row in members]


def read(paths: Iterable[Path]) -> Reports:
    """The quietest of each kind, all of one build; files in any order."""
    found: dict[str, list[dict[str, Any]]] = {"benchmarks": [], "runs": [], "rows": []}
    builds: dict[str, Path] = {}
    for path in paths:
        report = json.loads(path.read_text())
        kinds = found.keys() & report.keys()
        if len(kinds) != 1:
            raise ValueError(
                f"{path}: expected a report of pytest-benchmark, bench/runs.py or `pgfast bench`"
            )
        found[kinds.pop()].append(report)
        builds.setdefault(extension_of(report), path)
    if len(builds) > 1:
        told = ", ".join(f"{path} is of {build}" for build, path in builds.items())
        raise ValueError(f"expected reports of one build of the extension; {told}")
    if not found["benchmarks"]:
        raise ValueError("expected a report of pytest-benchmark")
    return Reports(*(quietest(reports or [{kind: []}]) for kind, reports in found.items()))


def extension_of(report: dict[str, Any]) -> str:
    """The digest of the build that was measured."""
    benchmarks = "machine_info" in report
    machine = report["machine_info"]["pgfast"] if benchmarks else report["machine"]
    build: str = machine.get("extension", "an unknown build")
    return build


def quietest(reports: list[dict[str, Any]]) -> dict[str, Any]:
    """The report with the lowest geometric mean of the times of what all of them measured."""
    times = []
    for report in reports:
        reader = {"benchmarks": of_benchmarks, "runs": of_runs, "rows": of_turns}
        [rows] = (read_rows(report) for kind, read_rows in reader.items() if kind in report)
        times.append({row.name: row.timing.median for row in rows})
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
    names = [row.name for row in rows]
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


def of_turns(report: dict[str, Any]) -> list[Row]:
    """Rows of `pgfast bench`."""
    return [Row.from_dict(row) for row in report["rows"]]


def share(row: Row) -> str:
    """Of the limit, and of which."""
    return "" if row.share is None else f"{100 * row.share:.0f} % of {row.limited_by}"
