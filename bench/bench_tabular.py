"""Exact values and gradients of a random MDP of 200 states and 4 actions."""

import numpy as np
import pytest

import pgfast as pg
from pgfast import reference


@pytest.mark.parametrize("member", ["reference", "pgfast-1"])
@pytest.mark.benchmark(group="exact policy gradient, S=200 A=4")
def bench_tabular_gradient(measure, rng, member):
    P = rng.dirichlet(np.ones(200), (200, 4))
    R, p0 = rng.normal(size=(200, 4)), np.full(200, 1 / 200)
    pi = rng.dirichlet(np.ones(4), 200)
    mdp = pg.TabularMDP(P, R, p0, 0.9)
    expected = reference.tabular_gradient(P, R, p0, 0.9, pi)
    measure(
        lambda: (
            mdp.gradient(pi)
            if member == "pgfast-1"
            else reference.tabular_gradient(P, R, p0, 0.9, pi)
        ),
        work=1,
        unit="gradient",
        check=lambda g: np.testing.assert_allclose(g, expected, rtol=1e-9, atol=1e-12),
    )
