"""A piece of work: who does it, how the answer is checked, and the machine's limit for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np

Key = TypeVar("Key")
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


TURN = 0.01
"""Seconds of a turn: long beside what the first call finds in no cache, short beside the time for
which a neighbour on a shared machine is busy."""


def time_in_turns(
    runs: Mapping[Key, Callable[[], Any]],
    budget: float,
    begin: Callable[[Key], None] = lambda key: None,
) -> dict[Key, Timing]:
    """Time calls for about `budget` seconds each, turn by turn.

    So a machine that is slower for a while is so for all of them, and the ratio of their medians
    stays what it is. There are three turns or more. A turn is `begin(key)`, a call that is not
    counted, and for 10 ms rounds of a millisecond; or one call, where it takes longer.
    """
    calls = {}
    for key, run in runs.items():
        begin(key)
        run()  # the first finds nothing in any cache
        started = time.perf_counter()
        run()
        calls[key] = int(1e-3 / max(time.perf_counter() - started, 1e-9))
    seconds: dict[Key, list[float]] = {key: [] for key in runs}
    turns, end = 0, time.perf_counter() + budget * len(runs)
    while turns < 3 or time.perf_counter() < end:
        turns += 1
        for key, run in runs.items():
            begin(key)
            if calls[key] > 0:
                run()
            turn_ends = time.perf_counter() + TURN
            while True:
                many = range(max(1, calls[key]))
                started = time.perf_counter()
                for _ in many:
                    run()
                now = time.perf_counter()
                seconds[key].append((now - started) / len(many))
                if now >= turn_ends:
                    break
    return {key: Timing.of(found) for key, found in seconds.items()}
