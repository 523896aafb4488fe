"""The table that `pgfast bench` prints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pgfast.benchmark.rows import Row, factor, grouped, ours, peers, slower


def head(machine: dict[str, Any]) -> str:
    """Which machine, and what it can do."""
    build, bounds = machine["build"], machine["limits"]
    return (
        f"{machine['processor']}, {machine['cores']} cores; pgfast {build['version']}, "
        f"{build['compiler']}, {build['simd_width']} floats wide.\n"
        f"One thread: {bounds['multiply-add, flop/s'] / 1e9:.0f} GFLOP/s of multiply-adds, "
        f"{bounds['copy, byte/s'] / 1e9:.0f} GB/s of copies,\n"
        f"{bounds['CartPole, step/s'] / 1e6:.0f} M steps/s of CartPole's arithmetic."
    )


def share(row: Row) -> str:
    """Of the limit, where there is one."""
    return "" if row.share is None else f"{100 * row.share:.0f}%"


def faster_than(rows: list[Row], first: Row) -> str:
    """How many times as fast as each peer."""
    return ", ".join(f"{row.title} {factor(slower(row, first))}" for row in peers(rows))


def table(rows: Iterable[Row]) -> Any:
    """A rich table, a line for each piece of work."""
    from rich import box
    from rich.table import Table

    groups = grouped(rows)
    many = max((row.threads for row in rows), default=1)
    made = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    made.add_column("work", ratio=5, overflow="fold")
    made.add_column("one thread", justify="right", no_wrap=True)
    made.add_column("of limit", justify="right", no_wrap=True)
    if many > 1:
        made.add_column(f"on {many}", justify="right", no_wrap=True)
    made.add_column("faster than", ratio=4)
    for name, members in groups.items():
        first, all_threads = ours(members), ours(members, many)
        if first is None:
            continue
        cells = [name.replace(" float32", "").rstrip(","), first.rate, share(first)]
        if many > 1:
            cells.append("" if all_threads is None else factor(slower(first, all_threads)))
        made.add_row(*cells, faster_than(members, first))
    return made


def tail(machine: dict[str, Any], memory: dict[str, dict[str, int]], failed: dict[str, str]) -> str:
    """The memory of runs, what was there to compare with, and what of it failed."""

    def of(name: str) -> str:
        run = memory[name]
        grown = run["peak"] - run["before"]
        return f"{name} {grown / 1e6:.1f} MB ({grown / run['arrays']:.2f} of its arrays)"

    runs = ",\n".join(of(name) for name in memory)
    found = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    reasons = "".join(f"\nFailed: {name} ({error[:200]})." for name, error in failed.items())
    return (
        f"Memory that a run adds, 1024 environments x 128 steps or 1024 episodes:\n{runs}.\n"
        f"Found: {found}.{reasons}"
    )
