"""Writes bench/RESULTS.md from what was measured.

python bench/results.py bench.json runs.json turns.json            print it
python bench/results.py bench.json runs.json turns.json --write    write bench/RESULTS.md
                                              ... --name NAME    or bench/NAME

bench.json comes from `pytest bench --benchmark-json=bench.json`, runs.json from
`python bench/runs.py runs.json`, turns.json from `pgfast bench --seconds 2 --json turns.json`; of
several of a kind the quietest counts. Ratios are of the median time for a unit of work.
"""

import argparse
from pathlib import Path
from typing import Any

from goals import STEP, goals_section
from measured import Reports, of_runs, read, share

from pgfast.benchmark.rows import OURS, Row, duration, factor, grouped, ours, slower

HERE = Path(__file__).parent
IN_TURNS = (
    "Works that `pgfast bench` measures are told as there: members and limits took turns of 10 ms, "
    "so that a machine that was slower for a while was so for all of them."
)


def per_unit(row: Row) -> str:
    """The time of a unit of work."""
    return f"{duration(row.timing.median / row.work)} per {row.unit}"


def spread(row: Row) -> str:
    """Half the distance of the quartiles, of the median."""
    half = (row.timing.upper - row.timing.lower) / 2
    return f"± {100 * half / row.timing.median:.1f} %"


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
        (r for r in groups.get(STEP, []) if r.member == "gymnasium"),
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


def machine_section(report: dict[str, Any], runs: dict[str, Any]) -> list[str]:
    """What was measured, and on what."""
    machine, commit = report["machine_info"]["pgfast"], report["commit_info"]
    build, limits = machine["build"], machine["limits"]
    changed = ", with changes" if commit.get("dirty") else ""
    versions = {**machine["versions"], **runs.get("versions", {})}
    return [
        "## Machine",
        "",
        f"- {machine['processor']}, {machine['cores']} cores, {machine['system']}, "
        f"Python {machine['python']}",
        f"- pgfast {build['version']} at {str(commit.get('id'))[:10]}{changed}: "
        f"{build['compiler']}, `{build['flags']}`, Eigen {build['eigen']}, "
        f"{build['simd']}",
        "- " + ", ".join(f"{name} {version}" for name, version in sorted(versions.items())),
        f"- NumPy's BLAS: {machine['numpy_blas']}, one thread",
        f"- limits of one thread: {limits['multiply-add, flop/s'] / 1e9:.1f} GFLOP/s of float32 "
        f"multiply-adds, {limits['copy, byte/s'] / 1e9:.1f} GB/s read and written by copies, "
        f"{limits['CartPole, step/s'] / 1e6:.0f} M steps/s of CartPole's arithmetic",
        "",
    ]


def memory_of(memory: dict[str, int]) -> str:
    """What a run adds, beside its arrays."""
    grown = memory["peak"] - memory["before"]
    return (
        f"{grown / 1e6:.1f} MB more than before it, {grown / memory['arrays']:.2f} of its arrays' "
        f"{memory['arrays'] / 1e6:.1f} MB"
    )


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
        [row] = of_runs({"runs": [run]})
        seconds = row.timing.median
        lines.append(
            f"| {row.group} | {row.title} | {duration(seconds)} | {run['steps'] / seconds:,.0f} "
            f"| {sorted(run['returns'])[len(run['returns']) // 2]:.1f} | {run['counted']} |"
        )
    if runs.get("memory"):
        lines += [
            "",
            "Memory of a run with 1024 environments × 128 steps, or 1024 episodes, at most:",
            "",
        ]
        lines += [f"- {name}: {memory_of(memory)}" for name, memory in runs["memory"].items()]
    return [*lines, ""]


def page(reports: Reports) -> str:
    """The whole page."""
    rows, runs = reports.rows, reports.runs
    lines = [
        "# Results",
        "",
        "Written by `bench/results.py`; no figure here is written by hand. Medians; the spread is "
        "half the distance of the quartiles. Each member's answer was checked before it was timed. "
        "What counts is the ratio to a peer, and the share of the machine's limit.",
        "",
        *([IN_TURNS, ""] if reports.turns["rows"] else []),
        *machine_section(reports.benchmarks, runs),
        *goals_section(rows),
        *slower_section(rows),
        *runs_section(runs),
        "## All of it",
        "",
        *against_stepping(rows),
        *full(rows),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", type=Path, nargs="+")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--name", default="RESULTS.md")
    options = parser.parse_args()
    text = page(read(options.reports))
    if options.write:
        (HERE / options.name).write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
