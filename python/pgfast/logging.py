"""What a training run tells: its history, and its progress on a terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


class History(Mapping[str, npt.NDArray[np.float64]]):
    """One row per update, read by column: `history["mean_return"]` is (updates,).

    A number that an update does not have is NaN. `pandas.DataFrame(dict(history))` makes a frame.

    >>> history = History([{"steps": 10.0}, {"steps": 20.0, "kl": 0.5}])
    >>> history["steps"], history["kl"]
    (array([10., 20.]), array([nan, 0.5]))
    """

    def __init__(self, rows: list[dict[str, float]] | None = None) -> None:
        self.rows = list(rows or [])

    def append(self, row: dict[str, float]) -> None:
        """Add an update."""
        self.rows.append(row)

    def __repr__(self) -> str:
        return f"<History: {len(self.rows)} updates of {', '.join(self.columns)}>"

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in the order in which they came."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def __getitem__(self, name: str) -> npt.NDArray[np.float64]:
        if name not in self.columns:
            raise KeyError(f"{name!r}; the columns are {', '.join(self.columns)}")
        return np.array([row.get(name, np.nan) for row in self.rows])

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def to_csv(self) -> str:
        """As comma-separated values with a header, one line per update."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return text.getvalue()

    @classmethod
    def from_csv(cls, text: str) -> History:
        """Read what `to_csv` wrote."""
        if text and not text.endswith("\n"):
            raise ValueError("the history has no end of line at its end: it was cut short")
        header, *lines = list(csv.reader(io.StringIO(text))) or [[]]
        for number, line in enumerate(lines, start=2):
            if len(line) != len(header):
                raise ValueError(
                    f"line {number} of the history has {len(line)} columns, expected {len(header)}"
                )
        rows = [dict(zip(header, line, strict=True)) for line in lines]
        return cls([{name: float(value) for name, value in row.items() if value} for row in rows])


class Progress:
    """A line on the terminal with return, steps per second and time left; use it as a context."""

    def __init__(self, title: str, total_steps: int) -> None:
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.fields[mean_return]}"),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
        )
        self._task = self._bar.add_task(title, total=total_steps, mean_return="", rate="")

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._bar.stop()

    def show(self, row: dict[str, float]) -> None:
        """Show an update."""
        rate = row["steps"] / max(row["seconds"], 1e-9)
        self._bar.update(
            self._task,
            completed=int(row["steps"]),
            mean_return=f"return {row['mean_return']:.1f}",
            rate=f"{rate / 1e6:.1f}M steps/s" if rate >= 1e6 else f"{rate:,.0f} steps/s",
        )
