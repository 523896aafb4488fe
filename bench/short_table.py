"""Writes the README's short table between its two marks.

python bench/short_table.py bench.json runs.json turns.json README.md

Of several reports of a kind the quietest counts.
"""

import re
import sys
from pathlib import Path

from measured import Reports, read, share

from pgfast.benchmark.rows import Row, factor, grouped, ours, peers, slower

BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
TOLD = (
    "CartPole-v1 step, N=4096",
    "Pendulum-v1 step, N=4096",
    "MountainCar-v0 step, N=4096",
    "Acrobot-v1 step, N=4096",
    "collect, CartPole-v1, linear softmax, N",
    "collect, CartPole-v1, 64x64",
    "gae, T=128",
    "score, linear softmax",
    "Fisher solve",
    "PPO minibatches",
    "PPO on ",
    "CartPole-v1 until solved, npg",
    "CartPole-v1 until solved, ppo",
)
"""What the README's table has, in its order: the beginnings of groups' names."""
CORE = "CartPole-v1 step, N=4096"
"""Where the core is shown without the Gymnasium face, too."""


def line(name: str, members: list[Row], member: str) -> str:
    """A work's line of the short table: one thread, two threads, and every peer but the twin."""
    first = next(r for r in members if (r.member, r.threads) == (member, 1))
    two = next((r for r in members if (r.member, r.threads) == (member, 2)), None)
    others = [row for row in peers(members) if row.threads == 1]
    others.sort(key=lambda row: -slower(row, first))
    cells = [
        name.replace(" float32", "").removesuffix(","),
        first.rate,
        share(first),
        "" if two is None else factor(slower(first, two)),
        ", ".join(f"{row.title} {factor(slower(row, first))}" for row in others),
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


def readme(reports: Reports) -> str:
    """The README's part."""
    machine = reports.benchmarks["machine_info"]["pgfast"]
    limits = machine["limits"]
    return (
        f"{machine['processor']}, {machine['cores']} cores; limits of one thread: "
        f"{limits['multiply-add, flop/s'] / 1e9:.0f} GFLOP/s, "
        f"{limits['copy, byte/s'] / 1e9:.0f} GB/s. Peers have one thread. All rows, spreads and "
        "versions, and where pgfast is slower: [bench/RESULTS.md](bench/RESULTS.md).\n\n"
        + short(reports.rows)
    )


def main() -> None:
    """See the module."""
    *reports, target = map(Path, sys.argv[1:])
    text = readme(read(reports))
    between = re.compile(f"{BEGIN}.*?{END}", re.DOTALL)
    made = f"{BEGIN}\n{text}\n{END}"
    target.write_text(between.sub(lambda _: made, target.read_text()))


if __name__ == "__main__":
    main()
