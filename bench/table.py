"""Prints the table of benchmarks of the README from pytest-benchmark's JSON.

python bench/table.py bench.json            print the table
python bench/table.py bench.json README.md  write it between the README's two marks
"""

import json
import re
import sys
from pathlib import Path

BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
PEERS = {
    "reference": "NumPy reference",
    "gymnasium": "Gymnasium vector env",
    "python": "stepped from Python",
}


def quantity(seconds: float) -> str:
    """A time with three digits and its unit."""
    for scale, unit in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def member(benchmark: dict) -> str:
    """Who did it: the first part of the test's id that names a member."""
    parts = re.search(r"\[(.*)\]", benchmark["name"])
    words = parts.group(1) if parts else ""
    names = ["pgfast-1", "pgfast-2", *PEERS]
    return next((name for name in names if name in words), words)


def table(report: dict) -> str:
    """One row per group: median per unit of work, and the ratio to the peer."""
    groups: dict[str, dict[str, float]] = {}
    units: dict[str, str] = {}
    for benchmark in report["benchmarks"]:
        group, info = benchmark["group"], benchmark["extra_info"]
        per_work = benchmark["stats"]["median"] / info["work"]
        groups.setdefault(group, {})[member(benchmark)] = per_work
        units[group] = info["unit"]
    cpu = report["machine_info"]["cpu"]
    lines = [
        f"Machine: {cpu.get('brand_raw', 'unknown')}, {cpu.get('count')} cores, Python "
        f"{report['machine_info']['python_version']}. Medians of one run of `pytest bench`; "
        "ratios are what count.",
        "",
        "| work | peer | peer's median | pgfast, 1 thread | pgfast, 2 threads | ratio, 1 thread |",
        "|---|---|---|---|---|---|",
    ]
    for group, times in groups.items():
        per = units[group]
        peer = next((name for name in PEERS if name in times), None)
        if "pgfast-1" not in times:
            lines += [
                f"| {group}: {name} | | | {quantity(seconds)} per {per} | | |"
                for name, seconds in times.items()
            ]
            continue
        ours = times["pgfast-1"]
        cells = [
            group,
            PEERS[peer] if peer else "",
            f"{quantity(times[peer])} per {per}" if peer else "",
            f"{quantity(ours)} per {per}",
            f"{quantity(times['pgfast-2'])}" if "pgfast-2" in times else "",
            f"{times[peer] / ours:.1f} ×" if peer else "",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Print the table, or write it into a file."""
    text = table(json.loads(Path(sys.argv[1]).read_text()))
    if len(sys.argv) < 3:
        print(text)
        return
    target = Path(sys.argv[2])
    before, rest = target.read_text().split(BEGIN)
    _, after = rest.split(END)
    target.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


if __name__ == "__main__":
    main()
