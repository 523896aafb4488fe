"""One step of TRPO: gradient, ten conjugate-gradient steps, line search."""

import numpy as np
import pytest

import pgfast
from pgfast import _core, reference
from pgfast.reference import algorithms as twins

B, D, A = 1024, 8, 4
SETTINGS = {
    "kl_radius": 0.01,
    "damping": 0.1,
    "max_backtracks": 10,
    "shrink": 0.7,
    "accept": 0.1,
}


@pytest.fixture
def samples(rng):
    observations = rng.normal(size=(B, D)).astype(np.float32)
    return observations, rng.integers(0, A, B), rng.normal(size=B).astype(np.float32)


def member_of(name, hidden, samples):
    """(a function that makes the step and gives θ, threads)."""
    observations, actions, advantages = samples
    start = pgfast.SoftmaxPolicy(D, A, hidden=hidden)
    size = start.theta.shape
    start.theta += (0.1 * np.random.default_rng(1).normal(size=size)).astype(np.float32)
    if name == "reference":
        twin = reference.SoftmaxPolicy(D, A, hidden=hidden)

        def reference_step():
            twin.theta = start.theta.copy()
            twins.trust_region_step(twin, *samples, **SETTINGS)
            return twin.theta

        return reference_step, 1
    policy = start.copy()
    log_probs = start.log_prob(observations, actions)

    def step():
        policy.theta = start.theta
        _core.trust_region_step(
            policy._kernel,
            policy.theta,
            observations,
            actions,
            None,
            log_probs,
            advantages,
            tolerance=0.0,
            max_iterations=10,
            **SETTINGS,
        )
        return policy.theta

    return step, 2 if name == "pgfast-2" else 1


@pytest.mark.parametrize("member", ["reference", "pgfast-1", "pgfast-2"])
@pytest.mark.benchmark(group="TRPO step, linear softmax, B=1024 D=8 A=4 float32")
def bench_trust_region(measure, samples, member):
    expected = member_of("reference", (), samples)[0]()
    step, threads = member_of(member, (), samples)
    measure(
        step,
        work=B,
        unit="sample",
        check=lambda theta: np.testing.assert_allclose(theta, expected, rtol=0.02, atol=5e-3),
        threads=threads,
    )


@pytest.mark.parametrize("member", ["pgfast-1", "pgfast-2"])
@pytest.mark.benchmark(group="TRPO step, 64x64 tanh softmax, B=1024 D=8 A=4 float32")
def bench_trust_region_mlp(measure, samples, member):
    observations = samples[0]
    before = pgfast.SoftmaxPolicy(D, A, hidden=(64, 64))
    size = before.theta.shape
    before.theta += (0.1 * np.random.default_rng(1).normal(size=size)).astype(np.float32)
    step, threads = member_of(member, (64, 64), samples)

    def check(theta):
        after = before.copy()
        after.theta = theta
        assert 0 < before.kl(observations, after).mean() <= SETTINGS["kl_radius"] * (1 + 1e-5)

    measure(step, work=B, unit="sample", check=check, threads=threads)
