"""Fixtures that more than one test file uses."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import pgfast


@pytest.fixture
def threads() -> Iterator[Callable[[Callable[[], Any]], list[Any]]]:
    """A function that runs another one with 1, 2, 3 and 4 threads and gives the four results."""
    before = pgfast.get_num_threads()

    def run(function: Callable[[], Any]) -> list[Any]:
        results = []
        for n in (1, 2, 3, 4):
            pgfast.set_num_threads(n)
            results.append(function())
        return results

    yield run
    pgfast.set_num_threads(before)
