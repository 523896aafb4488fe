"""Fixtures that more than one test file uses."""

from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import pytest
from corridors import Corridor

import pgfast
from pgfast import _core


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    """Put the number of threads back after each test."""
    before = pgfast.get_num_threads()
    yield
    pgfast.set_num_threads(before)


@pytest.fixture
def threads() -> Callable[[Callable[[], Any]], list[Any]]:
    """A function that runs another one with 1, 2, 3 and 4 threads and gives the four results.

    It fails where no loop in it is worth all of them: its threads would test nothing.
    """

    def run(function: Callable[[], Any]) -> list[Any]:
        results = []
        for n in (1, 2, 3, 4):
            pgfast.set_num_threads(n)
            _core.most_helpers_asked()
            results.append(function())
            assert _core.most_helpers_asked() == n - 1
        return results

    return run


@pytest.fixture
def corridor() -> Iterator[None]:
    """Register Corridor-v0 (no threshold) and SolvedCorridor-v0 (threshold 4.5)."""
    settings = {"entry_point": Corridor, "disable_env_checker": True}
    gym.register("Corridor-v0", **settings)
    for event in ("nan", "inf", "observation", "interrupt"):
        gym.register(f"Corridor-{event}-v0", kwargs={"event": event}, **settings)
    gym.register("SolvedCorridor-v0", reward_threshold=4.5, **settings)
    Corridor.seeds.clear()
    yield
    for name in [name for name in gym.registry if "Corridor" in name]:
        del gym.registry[name]
