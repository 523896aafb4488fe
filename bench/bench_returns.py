"""Returns and advantages of a rollout of 128 steps and 4096 environments."""

import numpy as np
import pytest

import pgfast
from pgfast import reference
from pgfast.benchmark.kernels import gae

T, N = 128, 4096


@pytest.fixture
def rollout(rng):
    rewards = rng.normal(size=(T, N)).astype(np.float32)
    values = rng.normal(size=(T + 1, N)).astype(np.float32)
    terminated, truncated = rng.random((T, N)) < 0.01, rng.random((T, N)) < 0.002
    final_values = rng.normal(size=truncated.sum()).astype(np.float32)
    return rewards, values, terminated, truncated, final_values


MEMBERS = pytest.mark.parametrize(
    ("module", "threads"),
    [(reference, 1), (pgfast, 1), (pgfast, 2)],
    ids=["reference", "pgfast-1", "pgfast-2"],
)


@pytest.mark.parametrize("member", ["pgfast-1", "pgfast-2", "reference", "numba", "jax"])
def bench_gae(compare, member):
    compare(gae, member)


@MEMBERS
@pytest.mark.benchmark(group="reward_to_go, T=128 N=4096 float32")
def bench_reward_to_go(measure, rollout, module, threads):
    r, v, end, cut, final = rollout
    kwargs = {"gamma": 0.99, "last_values": v[-1].copy(), "final_values": final}
    expected = reference.reward_to_go(r, end, cut, **kwargs)
    measure(
        lambda: module.reward_to_go(r, end, cut, **kwargs),
        work=T * N,
        unit="element",
        check=lambda g: np.testing.assert_allclose(g, expected, rtol=1e-4, atol=1e-4),
        threads=threads,
    )


@MEMBERS
@pytest.mark.benchmark(group="n_step_return n=5, T=128 N=4096 float32")
def bench_n_step_return(measure, rollout, module, threads):
    r, v, end, cut, final = rollout
    kwargs = {"gamma": 0.99, "n": 5, "final_values": final}
    expected = reference.n_step_return(r, v, end, cut, **kwargs)
    measure(
        lambda: module.n_step_return(r, v, end, cut, **kwargs),
        work=T * N,
        unit="element",
        check=lambda g: np.testing.assert_allclose(g, expected, rtol=1e-4, atol=1e-4),
        threads=threads,
    )


@MEMBERS
@pytest.mark.benchmark(group="lambda_return, T=128 N=4096 float32")
def bench_lambda_return(measure, rollout, module, threads):
    r, v, end, cut, final = rollout
    kwargs = {"gamma": 0.99, "lam": 0.95, "final_values": final}
    expected = reference.lambda_return(r, v, end, cut, **kwargs)
    measure(
        lambda: module.lambda_return(r, v, end, cut, **kwargs),
        work=T * N,
        unit="element",
        check=lambda g: np.testing.assert_allclose(g, expected, rtol=1e-4, atol=1e-4),
        threads=threads,
    )


@MEMBERS
@pytest.mark.benchmark(group="episode_return, T=128 N=4096 float32")
def bench_episode_return(measure, rollout, module, threads):
    r, _, end, cut, _ = rollout
    expected = reference.episode_return(r, end, cut, gamma=0.99)
    measure(
        lambda: module.episode_return(r, end, cut, gamma=0.99),
        work=T * N,
        unit="element",
        check=lambda g: np.testing.assert_allclose(g, expected, rtol=1e-4, atol=1e-4),
        threads=threads,
    )
