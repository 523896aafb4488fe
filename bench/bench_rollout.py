"""`collect`: environments × steps × policy, learning data written."""

import numpy as np
import pytest

import pgfast
from pgfast.envs.adapter import GymnasiumCollector

N, T = 1024, 128


@pytest.mark.parametrize("hidden", [(), (64, 64)], ids=["linear", "64x64"])
@pytest.mark.parametrize("member", ["python", "pgfast-1", "pgfast-2"])
def bench_collect(measure, benchmark, member, hidden):
    network = "x".join(map(str, hidden)) or "linear"
    benchmark.group = f"collect, CartPole-v1, {network} softmax, N={N} T={T} float32"
    env = pgfast.make("CartPole-v1", N, seed=0, autoreset_mode="SameStep")
    policy = pgfast.SoftmaxPolicy(4, 2, hidden=hidden)
    step_by_step = GymnasiumCollector(env, policy)

    def run():
        if member == "python":  # the same environment and policy, driven from Python
            return step_by_step.collect_steps(T)
        return pgfast.collect(env, policy, steps=T)

    def check(batch):
        assert batch.observations.shape == (T, N, 4)
        assert batch.terminated.any()
        log_probs = policy.log_prob(batch.observations, batch.actions)
        np.testing.assert_array_equal(batch.log_probs, log_probs)

    threads = 2 if member == "pgfast-2" else 1
    measure(run, work=N * T, unit="step", check=check, threads=threads)
