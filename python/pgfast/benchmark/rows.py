"""What was measured: a row for each member of a piece of work, and how it reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from pgfast.benchmark.work import Timing, Work

TITLES = {
    "pgfast": "pgfast",
    "core": "pgfast's core",
    "reference": "NumPy twin",
    "python": "stepped from Python",
    "numpy": "NumPy",
    "scipy": "SciPy",
    "numba": "Numba",
    "jax": "JAX",
    "torch": "PyTorch",
    "gymnasium": "Gymnasium",
    "gymnax": "gymnax",
    "envpool": "EnvPool",
    "rltools": "RLtools",
    "stable-baselines3": "Stable-Baselines3",
    "sbx": "SBX",
}
"""Members by name."""
OURS = ("pgfast", "core")


@dataclass(frozen=True)
class Row:
    """One member's time for one piece of work."""

    group: str
    member: str
    threads: int
    unit: str
    work: float
    """Units of one call."""
    timing: Timing
    """Seconds of one call."""
    limit: float | None = None
    """Seconds that as many threads take at the machine's limit."""
    limited_by: str | None = None

    @classmethod
    def of(
        cls, work: Work, member: str, threads: int, timing: Timing, limit: float | None = None
    ) -> Row:
        """A member's timing."""
        kind = None if limit is None or work.limit is None else work.limit.kind
        return cls(work.name, member, threads, work.unit, work.amount, timing, limit, kind)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Row:
        """What `as_dict` gave."""
        return cls(**{**fields, "timing": Timing(**fields["timing"])})

    @property
    def name(self) -> tuple[str, str, int]:
        """What was measured: of a run of the benchmarks no two rows have the same."""
        return self.group, self.member, self.threads

    @property
    def title(self) -> str:
        """Who did it."""
        return TITLES.get(self.member, self.member) + (
            f", {self.threads} threads" if self.threads > 1 else ""
        )

    @property
    def share(self) -> float | None:
        """Of the limit of as many threads."""
        return None if self.limit is None else self.limit / self.timing.median

    @property
    def rate(self) -> str:
        """Units a second; of a single thing, its time."""
        if self.work == 1:
            return duration(self.timing.median)
        per_second = self.work / self.timing.median
        for scale, prefix in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
            if per_second >= scale:
                return f"{per_second / scale:.3g}{prefix} {self.unit}s/s"
        return f"{per_second:.3g} {self.unit}s/s"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def duration(seconds: float) -> str:
    """A time with three digits and its unit."""
    for scale, unit in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def factor(value: float) -> str:
    """A ratio: three digits where it is small."""
    return f"{value:.0f}×" if value >= 100 else f"{value:.3g}×"


def grouped(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows by their group, in the order in which the groups came."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return groups


def ours(rows: Iterable[Row], threads: int = 1) -> Row | None:
    """pgfast's row in a group."""
    return next((r for r in rows if r.member == "pgfast" and r.threads == threads), None)


def peers(rows: Iterable[Row]) -> list[Row]:
    """The others in a group; NumPy's twin where there is none."""
    others = [row for row in rows if row.member not in OURS]
    return [row for row in others if row.member != "reference"] or others


def slower(row: Row, than: Row) -> float:
    """How many times as long one takes for a unit of work as another."""
    return (row.timing.median / row.work) / (than.timing.median / than.work)
