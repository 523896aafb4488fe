"""Writes bench/RESULTS.md from what was measured, and the short table of the README.

python bench/results.py bench.json runs.json            print it
python bench/results.py bench.json runs.json --write    write bench/RESULTS.md
python bench/results.py bench.json runs.json --readme README.md    its short table, between marks

bench.json comes from `pytest bench --benchmark-json=bench.json`, runs.json from
`python bench/runs.py runs.json`. Ratios are of the median time for a unit of work: a peer's over
pgfast's.
"""

import argparse
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from pgfast.benchmark.rows import OURS, Row, duration, factor, grouped, ours, slower
from pgfast.benchmark.work import Timing

HERE = Path(__file__).parent
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
TOLD = (
    "CartPole-v1 step, N=4096",
    "Pendulum-v1 step, N=4096",
    "MountainCar-v0 step, N=4096",
    "Acrobot-v1 step, N=4096",
    "collect, CartPole-v1, linear",
    "collect, CartPole-v1, 64x64",
    "gae, T=128",
    "score, linear softmax",
    "Fisher solve",
    "PPO minibatch",
    "PPO on ",
    "CartPole-v1 until solved, npg",
    "CartPole-v1 until solved, ppo",
)
"""What the README's table has, in its order: the beginnings of groups' names."""
CORE = "CartPole-v1 step, N=4096"
"""Where the core is shown without the Gymnasium face, too."""


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


def per_unit(row: Row) -> str:
    """The time of a unit of work."""
    return f"{duration(row.timing.median / row.work)} per {row.unit}"


def spread(row: Row) -> str:
    """Half the distance of the quartiles, of the median."""
    half = (row.timing.upper - row.timing.lower) / 2
    return f"± {100 * half / row.timing.median:.1f} %"


def share(row: Row) -> str:
    """Of the limit, and of which."""
    return "" if row.share is None else f"{100 * row.share:.0f} % of {row.limited_by}"


def full(rows: list[Row]) -> list[str]:
    """A line for every member of every group."""
    lines = [
        "| work | by | median | spread | limit | rounds | time, pgfast's = 1 |",
        "|---|---|---|---|---|---|---|",
    ]
    for group, members in grouped(rows).items():
        first = ours(members)
        for row in members:
            ratio = "" if first is None else f"{slower(row, first):.3g}"
            cells = [group, row.title, per_unit(row), spread(row), share(row)]
            lines.append("| " + " | ".join([*cells, str(row.timing.rounds), ratio]) + " |")
            group = ""
    return lines


def losses(rows: list[Row]) -> list[tuple[Row, Row]]:
    """(pgfast's row, the row that is faster): peers, and one thread that beats two."""
    found = []
    for members in grouped(rows).values():
        first = ours(members)
        if first is None:
            continue
        for row in members:
            mine = ours(members, row.threads)
            if row.member not in OURS and mine is not None and slower(row, mine) < 1:
                found.append((mine, row))
            if row.member in OURS and row.threads > 1:
                alone = next(r for r in members if (r.member, r.threads) == (row.member, 1))
                if slower(alone, row) < 0.95:
                    found.append((row, alone))
    return found


def slower_section(rows: list[Row]) -> list[str]:
    """Where pgfast is slower."""
    lines = ["## Where pgfast is slower", ""]
    found = losses(rows)
    if not found:
        return [*lines, "Nowhere in this run.", ""]
    lines += [
        "Than a peer, or on more threads than on one by more than 5 %.",
        "",
        "| work | pgfast | faster | by |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {mine.group} | {mine.title}: {per_unit(mine)} | {row.title}: {per_unit(row)} "
        f"| {factor(slower(mine, row))} |"
        for mine, row in found
    ]
    return [*lines, ""]


def against_stepping(rows: list[Row]) -> list[str]:
    """Whole rollouts beside the mere stepping of Gymnasium's vector environment."""
    groups = grouped(rows)
    stepped = next(
        (r for r in groups.get("CartPole-v1 step, N=4096 float32", []) if r.member == "gymnasium"),
        None,
    )
    lines = []
    for group, members in groups.items():
        first = ours(members)
        if stepped is None or first is None or not group.startswith("collect, CartPole-v1"):
            continue
        lines.append(
            f"- {group}: {factor(slower(stepped, first))} as fast as the mere stepping of "
            "Gymnasium's NumPy vector environment with 4096 environments."
        )
    return [*lines, ""] if lines else []


def line(name: str, members: list[Row], member: str) -> str:
    """A work's line of the short table: one thread, two threads, and every peer but the twin."""
    first = next(r for r in members if (r.member, r.threads) == (member, 1))
    two = next((r for r in members if (r.member, r.threads) == (member, 2)), None)
    peers = [r for r in members if r.member not in OURS and r.threads == 1]
    if any(r.member != "reference" for r in peers):
        peers = [r for r in peers if r.member != "reference"]
    peers.sort(key=lambda row: -slower(row, first))
    cells = [
        name.replace(" float32", "").removesuffix(","),
        first.rate,
        share(first),
        "" if two is None else factor(slower(first, two)),
        ", ".join(f"{row.title} {factor(slower(row, first))}" for row in peers),
    ]
    return "| " + " | ".join(cells) + " |"


def short(rows: list[Row]) -> str:
    """The README's table, the fastest peer last."""
    lines = [
        "| work | one thread | of its limit | two threads | faster than |",
        "|---|---|---|---|---|",
    ]
    groups = grouped(rows)
    for group in (g for beginning in TOLD for g in groups if g.startswith(beginning)):
        members = groups[group]
        lines += [line(group, members, "pgfast")] if ours(members) else []
        if group.startswith(CORE) and any(r.member == "core" for r in members):
            lines.append(line(f"{group}, by the core alone", members, "core"))
    return "\n".join(lines)


def machine_section(machine: dict[str, Any], runs: dict[str, Any]) -> list[str]:
    """What it was measured on."""
    build, limits = machine["build"], machine["limits"]
    versions = {**machine["versions"], **runs.get("versions", {})}
    return [
        "## Machine",
        "",
        f"- {machine['processor']}, {machine['cores']} cores, {machine['system']}, "
        f"Python {machine['python']}",
        f"- pgfast {build['version']}: {build['compiler']}, `{build['flags']}`, "
        f"Eigen {build['eigen']}, {build['simd']}",
        "- " + ", ".join(f"{name} {version}" for name, version in sorted(versions.items())),
        f"- NumPy's BLAS: {machine['numpy_blas']}, one thread",
        f"- limits of one thread: {limits['multiply-add, flop/s'] / 1e9:.1f} GFLOP/s of float32 "
        f"multiply-adds, {limits['copy, byte/s'] / 1e9:.1f} GB/s read and written by copies, "
        f"{limits['CartPole, step/s'] / 1e6:.0f} M steps/s of CartPole's arithmetic",
        "",
    ]


def runs_section(runs: dict[str, Any]) -> list[str]:
    """What the whole runs reached, what counts, and the memory of one."""
    if not runs["runs"]:
        return []
    lines = [
        "## Whole runs",
        "",
        "Each is a process of its own. The return is the greedy policy's mean over 100 episodes, "
        "the median of the seeds: equal work must also learn.",
        "",
        "| run | by | training | steps/s | return | counted |",
        "|---|---|---|---|---|---|",
    ]
    for run in runs["runs"]:
        row = replace(of_runs({"runs": [run]})[0])
        seconds = row.timing.median
        lines.append(
            f"| {row.group} | {row.title} | {duration(seconds)} | {run['steps'] / seconds:,.0f} "
            f"| {sorted(run['returns'])[len(run['returns']) // 2]:.1f} | {run['counted']} |"
        )
    memory = runs.get("memory")
    if memory:
        grown = memory["peak"] - memory["before"]
        lines += [
            "",
            f"Memory of a run of PPO with 1024 environments × 128 steps: at most "
            f"{grown / 1e6:.1f} MB more than before it, {grown / memory['arrays']:.2f} of its "
            f"arrays' {memory['arrays'] / 1e6:.1f} MB.",
        ]
    return [*lines, ""]


def page(report: dict[str, Any], runs: dict[str, Any]) -> str:
    """The whole page."""
    rows = of_benchmarks(report) + of_runs(runs)
    lines = [
        "# Results",
        "",
        "Written by `bench/results.py`; nothing here is written by hand. Medians; the spread is "
        "half the distance of the quartiles. Each member's answer was checked before it was timed. "
        "What counts is the ratio to a peer, and the share of the machine's limit.",
        "",
        *machine_section(report["machine_info"]["pgfast"], runs),
        *slower_section(rows),
        *runs_section(runs),
        "## All of it",
        "",
        *against_stepping(rows),
        *full(rows),
    ]
    return "\n".join(lines) + "\n"


def readme(report: dict[str, Any], runs: dict[str, Any]) -> str:
    """The README's part."""
    machine = report["machine_info"]["pgfast"]
    limits = machine["limits"]
    return (
        f"{machine['processor']}, {machine['cores']} cores; limits of one thread: "
        f"{limits['multiply-add, flop/s'] / 1e9:.0f} GFLOP/s, "
        f"{limits['copy, byte/s'] / 1e9:.0f} GB/s. Peers have one thread. All rows, spreads and "
        "versions, and where pgfast is slower: [bench/RESULTS.md](bench/RESULTS.md).\n\n"
        + short(of_benchmarks(report) + of_runs(runs))
    )


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("benchmarks", type=Path)
    parser.add_argument("runs", type=Path, nargs="?")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--readme", type=Path)
    options = parser.parse_args()
    report = json.loads(options.benchmarks.read_text())
    runs = json.loads(options.runs.read_text()) if options.runs else {"runs": []}
    if options.readme:
        between = re.compile(f"{BEGIN}.*?{END}", re.DOTALL)
        text = f"{BEGIN}\n{readme(report, runs)}\n{END}"
        options.readme.write_text(between.sub(lambda _: text, options.readme.read_text()))
    elif options.write:
        (HERE / "RESULTS.md").write_text(page(report, runs))
    else:
        print(page(report, runs))


if __name__ == "__main__":
    main()
