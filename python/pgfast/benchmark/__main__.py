"""`python -m pgfast.benchmark`: what `pgfast bench` runs, with one thread for every library."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def main() -> int:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=0.1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    from rich.console import Console

    from pgfast.benchmark import runs, table
    from pgfast.benchmark.machine import describe
    from pgfast.benchmark.measure import measure

    failed: dict[str, str] = {}
    with Console(stderr=True).status("limits") as status:
        machine = describe()
        rows = list(measure(options.only, options.seconds, status.update, failed))
        memory = runs.peak_memory()
    if not rows:
        print(
            f"pgfast: bench: only is {options.only!r}, but no work's name has it", file=sys.stderr
        )
        return 2
    console = Console(highlight=False)
    console.print(table.head(machine))
    console.print(table.table(rows))
    console.print(table.tail(machine, memory, failed))
    if options.json is not None:
        record = {"machine": machine, "memory": memory, "rows": [row.as_dict() for row in rows]}
        options.json.write_text(json.dumps({**record, "failed": failed}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    try:
        status = main()
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)
