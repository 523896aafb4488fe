"""A linear softmax policy and a 64×64 one: score and Fisher solve."""

from functools import partial

import pytest

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
