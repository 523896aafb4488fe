"""CartPole-v1 until it is solved, the checks that it is solved included."""

import itertools

import pytest

import pgfast


@pytest.mark.parametrize("algorithm", ["npg", "reinforce", "policy-gradient"])
@pytest.mark.benchmark(group="CartPole-v1 until solved, seed after seed")
def bench_train(measure, algorithm):
    seeds = itertools.cycle(range(10))

    def check(run):
        assert run.stopped == "solved"

    measure(
        lambda: pgfast.train("CartPole-v1", algorithm, seed=next(seeds)),
        work=1,
        unit="run",
        check=check,
    )
