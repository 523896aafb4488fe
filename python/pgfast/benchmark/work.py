"""A piece of work: who does it, how the answer is checked, and the machine's limit for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

LimitKind = Literal["multiply-add", "copy", "CartPole"]


@dataclass(frozen=True)
class Limit:
    """What of a call the machine bounds: `amount` of it, at the rate that `limits.py` measures."""

    kind: LimitKind
    """"multiply-add": floating-point operations; "copy": bytes read and written by copies of as
    many; "CartPole": steps of the environment's arithmetic alone."""
    amount: float


@dataclass(frozen=True)
class Member:
    """One that does the work."""

    run: Callable[[], Any]
    """What is timed: from the data as its users hold them to the answer as they use it."""
    read: Callable[[Any], Any] = lambda answer: answer
    """The answer in the form that `check` takes; not timed."""


@dataclass(frozen=True)
class Work:
    """The same work on the same data, by pgfast and by its peers."""

    name: str
    unit: str
    amount: float
    """Units of one call."""
    members: Mapping[str, Callable[[], Member]]
    """Makers by name: they load, set up and compile, which is not timed. ImportError: the peer is
    not installed."""
    check: Callable[[Any], None]
    """Raises AssertionError where an answer is none."""
    limit: Limit | None = None

    def prepare(self, name: str) -> Member:
        """Make a member and check its answer."""
        member = self.members[name]()
        self.check(member.read(member.run()))
        return member


@dataclass(frozen=True)
class Timing:
    """Seconds of one call: quartiles over rounds."""

    median: float
    lower: float
    upper: float
    rounds: int

    @classmethod
    def of(cls, seconds: list[float]) -> Timing:
        """From the seconds of each round."""
        lower, median, upper = np.quantile(seconds, (0.25, 0.5, 0.75)).tolist()
        return cls(median, lower, upper, len(seconds))


def time_calls(function: Callable[[], Any], budget: float = 0.2) -> Timing:
    """Time calls for about `budget` seconds: rounds of a millisecond or of one call, three or more.

    The call before the first round, which finds cold caches, is not counted.
    """
    begin = time.perf_counter()
    function()
    calls = max(1, int(1e-3 / max(time.perf_counter() - begin, 1e-9)))
    seconds: list[float] = []
    end = time.perf_counter() + budget
    while len(seconds) < 3 or time.perf_counter() < end:
        begin = time.perf_counter()
        for _ in range(calls):
            function()
        seconds.append((time.perf_counter() - begin) / calls)
    return Timing.of(seconds)
