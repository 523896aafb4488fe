"""Fixtures that more than one test file uses."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import pgfast
from pgfast import _core


@pytest.fixture
def threads() -> Iterator[Callable[[Callable[[], Any]], list[Any]]]:
    """A function that runs another one with 1, 2, 3 and 4 threads and gives the four results.

    It fails where no loop in it is worth all of them: its threads would test nothing.
    """
    before = pgfast.get_num_threads()

    def run(function: Callable[[], Any]) -> list[Any]:
        results = []
        for n in (1, 2, 3, 4):
            pgfast.set_num_threads(n)
            _core.most_helpers_asked()
            results.append(function())
            assert _core.most_helpers_asked() == n - 1
        return results

    yield run
    pgfast.set_num_threads(before)
