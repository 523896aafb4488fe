"""`collect`: environments × steps × policy, learning data written."""

from functools import partial

import pytest

import pgfast
from pgfast.benchmark.stepping import collect

MEMBERS = pytest.mark.parametrize("member", ["pgfast-1", "pgfast-2", "python", "gymnasium"])
MLP = partial(collect, (64, 64))


@MEMBERS
def bench_collect_linear(compare, member):
    compare(collect, member)


@MEMBERS
def bench_collect_mlp(compare, member):
    compare(MLP, member)


@pytest.mark.parametrize("member", ["pgfast-1", "pgfast-2"])
@pytest.mark.benchmark(group="collect, CartPole-v1, linear softmax, 1024 whole episodes, float32")
def bench_collect_episodes(measure, member):
    env = pgfast.make("CartPole-v1", 64, seed=0)
    policy = pgfast.SoftmaxPolicy(4, 2)
    batch = pgfast.collect(env, policy, episodes=1024)

    def check(batch):
        assert batch.episodes == batch.rewards.shape[1] == 1024

    threads = int(member.removeprefix("pgfast-"))
    measure(
        lambda: pgfast.collect(env, policy, episodes=1024),
        work=batch.steps,  # about as many as in each of the others
        unit="step",
        check=check,
        threads=threads,
    )
