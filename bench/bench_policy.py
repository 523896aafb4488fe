"""A linear softmax policy and a 64×64 one: score and Fisher solve."""

import itertools

import numpy as np
import pytest

import pgfast
from pgfast import reference

B, D, A = 65_536, 64, 8


def flops(hidden, passes):
    """Floating-point operations of `passes` products with every weight matrix, for the batch."""
    sizes = [D, *hidden, A]
    return passes * 2 * B * sum(i * o for i, o in itertools.pairwise(sizes))


@pytest.fixture
def samples(rng):
    observations = rng.normal(size=(B, D)).astype(np.float32)
    return observations, rng.integers(0, A, B), rng.normal(size=B).astype(np.float32)


def policy(module, hidden):
    made = module.SoftmaxPolicy(D, A, hidden=hidden)
    size = made.theta.shape
    made.theta = (0.1 * np.random.default_rng(1).normal(size=size)).astype(np.float32)
    return made


def pairs(hidden):
    """The policies of a group: the reference on its own, ours on one thread and on two."""
    return {
        "reference": (policy(reference, hidden), 1),
        "pgfast-1": (policy(pgfast, hidden), 1),
        "pgfast-2": (policy(pgfast, hidden), 2),
    }


MEMBERS = pytest.mark.parametrize("member", ["reference", "pgfast-1", "pgfast-2"])


def measure_score(measure, samples, member, hidden, passes):
    s, a, w = samples
    ours, threads = pairs(hidden)[member]
    expected = policy(reference, hidden).score(s, a, w)
    measure(
        lambda: ours.score(s, a, w),
        work=flops(hidden, passes),
        unit="flop",
        check=lambda g: np.testing.assert_allclose(g, expected, rtol=1e-2, atol=0.2),
        threads=threads,
    )


@MEMBERS
@pytest.mark.benchmark(group="score, linear softmax, B=65536 D=64 A=8 float32")
def bench_score_linear(measure, samples, member):
    measure_score(measure, samples, member, (), passes=2)


@MEMBERS
@pytest.mark.benchmark(group="score, 64x64 tanh softmax, B=65536 D=64 A=8 float32")
def bench_score_mlp(measure, samples, member):
    measure_score(measure, samples, member, (64, 64), passes=3)


@MEMBERS
@pytest.mark.benchmark(group="Fisher solve, 10 CG steps, linear softmax, B=65536 D=64 A=8 float32")
def bench_natural_gradient(measure, samples, member):
    s, a, w = samples
    ours, threads = pairs(())[member]
    gradient = policy(reference, ()).score(s, a, w) / np.float32(B)
    kwargs = {"damping": 1e-3, "tolerance": 0.0, "max_iterations": 10}
    expected = policy(reference, ()).natural_gradient(s, gradient, **kwargs).x
    measure(
        lambda: ours.natural_gradient(s, gradient, **kwargs),
        work=10,
        unit="product",
        check=lambda r: np.testing.assert_allclose(r.x, expected, rtol=1e-2, atol=1e-3),
        threads=threads,
    )
