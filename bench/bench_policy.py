"""A linear softmax policy and a 64×64 one: score and Fisher solve."""

from functools import partial

import numpy as np
import pytest

import pgfast
from pgfast import reference
from pgfast.benchmark import kernels

MLP = partial(kernels.score, hidden=(64, 64))


@pytest.mark.parametrize("member", ["pgfast-1", "pgfast-2", "reference", "numpy", "torch", "jax"])
def bench_score_linear(compare, member):
    compare(kernels.score, member)


@pytest.mark.parametrize("member", ["pgfast-1", "pgfast-2", "reference", "torch"])
def bench_score_mlp(compare, member):
    compare(MLP, member)


@pytest.mark.parametrize("member", ["pgfast-1", "pgfast-2", "reference", "scipy", "jax"])
def bench_fisher_solve(compare, member):
    compare(kernels.fisher_solve, member)


FUNCTIONS = {
    "log_prob": lambda p, s, a, x: p.log_prob(s, a),
    "sample": lambda p, s, a, x: p.sample(s).astype(np.float64),
    "entropy": lambda p, s, a, x: p.entropy(s),
    "Fisher-vector product": lambda p, s, a, x: p.fisher_vector_product(s, x, 1e-3),
}


@pytest.mark.parametrize("member", ["reference", "pgfast-1", "pgfast-2"])
@pytest.mark.parametrize("name", FUNCTIONS)
def bench_policy(measure, benchmark, name, member):
    B, D, A, hidden = 16_384, 8, 4, (64, 64)
    benchmark.group = f"{name}, 64x64 tanh softmax, B={B} D={D} A={A} float32"
    s, a, _ = kernels.samples(B, D, A)
    module = reference if member == "reference" else pgfast
    policy = kernels.policy(module, D, A, hidden)
    call, theta = FUNCTIONS[name], policy.theta

    def run():
        policy.draws = 0
        return call(policy, s, a, theta)

    expected = call(kernels.policy(reference, D, A, hidden), s, a, theta)

    def check(answer):  # a uniform draw within rounding of a bound may fall to the other action
        off = np.abs(answer - expected) > 1e-3 + 1e-3 * np.abs(expected)
        assert off.mean() < 1e-4

    threads = 2 if member == "pgfast-2" else 1
    measure(run, work=B, unit="sample", check=check, threads=threads)
