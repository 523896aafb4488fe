"""One update of every algorithm on a batch of CartPole-v1 that was collected before."""

import pytest

import pgfast
from pgfast.algorithms import ALGORITHMS
from pgfast.presets import preset


@pytest.mark.parametrize("member", ["pgfast-1", "pgfast-2"])
@pytest.mark.parametrize("name", ALGORITHMS)
def bench_update(measure, benchmark, name, member):
    known = preset("CartPole-v1", name)
    env = pgfast.make("CartPole-v1", known.num_envs, seed=0, autoreset_mode="SameStep")
    policy = pgfast.policy_for(env, seed=0, **known.policy)
    learner = known.algorithm.learner(policy)
    batch = known.algorithm.collect(env, policy)
    start = policy.theta.copy()
    benchmark.group = f"update, {name}, CartPole-v1, {batch.steps} samples, its preset"

    def update():
        policy.theta = start
        return learner.update(batch)

    def check(stats):
        assert stats
        assert (policy.theta != start).any()

    threads = int(member.removeprefix("pgfast-"))
    measure(update, work=batch.steps, unit="sample", check=check, threads=threads)
