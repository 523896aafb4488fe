"""`python -m pgfast.benchmark`: what `pgfast bench` runs, with one thread for every library."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console

from pgfast.benchmark import runs, table
from pgfast.benchmark.machine import describe
from pgfast.benchmark.measure import measure


def main() -> int:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    console, waiting = Console(highlight=False), Console(stderr=True)
    try:
        with waiting.status("limits") as status:
            machine = describe()
            rows = list(measure(options.only, status.update))
            memory = runs.peak_memory()
    except KeyboardInterrupt:
        return 130
    if not rows:
        print(
            f"pgfast: bench: only is {options.only!r}, but no work's name has it", file=sys.stderr
        )
        return 2
    console.print(table.head(machine), soft_wrap=False)
    console.print(table.table(rows))
    console.print(table.tail(machine, memory))
    if options.json is not None:
        record = {"machine": machine, "memory": memory, "rows": [row.as_dict() for row in rows]}
        options.json.write_text(json.dumps(record, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
