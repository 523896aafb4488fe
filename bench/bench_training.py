"""CartPole-v1 until it is solved, the checks that it is solved included."""

import pytest

from pgfast.benchmark.runs import until_solved

ALGORITHMS = ["npg", "ppo", "reinforce", "policy-gradient"]


@pytest.mark.parametrize("member", ["pgfast-1", "pgfast-2"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def bench_until_solved(compare, algorithm, member):
    compare(WORKS[algorithm], member)


WORKS = {name: until_solved(name) for name in ALGORITHMS}
