"""Reads what was measured: reports of pytest-benchmark and of bench/runs.py, any number of each.

A machine that is shared is slower for minutes at a time. Where a work was measured several times,
the run with the lowest median counts, for pgfast and peers alike.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgfast.benchmark.rows import Row
from pgfast.benchmark.work import Timing

Report = dict[str, Any]


@dataclass(frozen=True)
class Measurements:
    """Reports that are told of together."""

    benchmarks: list[Report]
    runs: list[Report]

    @classmethod
    def read(cls, paths: Iterable[Path]) -> "Measurements":
        """Files of either kind, in any order."""
        reports = [json.loads(path.read_text()) for path in paths]
        benchmarks = [report for report in reports if "benchmarks" in report]
        runs = [report for report in reports if "runs" in report]
        if not benchmarks or len(benchmarks) + len(runs) < len(reports):
            raise ValueError("expected reports of pytest-benchmark and of bench/runs.py")
        return cls(benchmarks, runs)

    @property
    def machine(self) -> Report:
        """What it was measured on."""
        machine: Report = self.benchmarks[0]["machine_info"]["pgfast"]
        return machine

    @property
    def commits(self) -> list[str]:
        """Of pgfast, one for each state that was measured."""
        found = []
        for report in self.benchmarks:
            commit = report["commit_info"]
            changed = ", with changes" if commit.get("dirty") else ""
            found.append(str(commit.get("id"))[:10] + changed)
        return sorted(set(found))

    @property
    def versions(self) -> dict[str, str]:
        """Of all libraries."""
        versions: dict[str, str] = dict(self.machine["versions"])
        for report in self.runs:
            versions |= report.get("versions", {})
        return versions

    @property
    def memory(self) -> dict[str, dict[str, int]]:
        """Of whole runs, by algorithm."""
        memory: dict[str, dict[str, int]] = {}
        for report in self.runs:
            memory |= report.get("memory", {})
        return memory

    @property
    def whole_runs(self) -> list[Report]:
        """Every program's seeds, of the report in which their median is lowest."""
        found: dict[tuple[str, str, int], Report] = {}
        for report in self.runs:
            for run in report["runs"]:
                name = (run["group"], run["member"], run["threads"])
                before = found.setdefault(name, run)
                if Timing.of(run["seconds"]).median < Timing.of(before["seconds"]).median:
                    found[name] = run
        return list(found.values())

    @property
    def rows(self) -> list[Row]:
        """Every member's quietest."""
        found: dict[tuple[str, str, int], Row] = {}
        for report in self.benchmarks:
            for row in of_benchmarks(report):
                name = (row.group, row.member, row.threads)
                before = found.setdefault(name, row)
                if row.timing.median < before.timing.median:
                    found[name] = row
        return [*found.values(), *(of_run(run) for run in self.whole_runs)]


def of_benchmarks(report: Report) -> list[Row]:
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


def of_run(run: Report) -> Row:
    """The row of a whole run."""
    return Row(
        run["group"],
        run["member"],
        run["threads"],
        "step",
        run["steps"],
        Timing.of(run["seconds"]),
    )


def share(row: Row) -> str:
    """Of the limit, and of which."""
    return "" if row.share is None else f"{100 * row.share:.0f} % of {row.limited_by}"
