"""Conjugate gradients on a dense matrix: the cost around the product."""

import numpy as np
import pytest

import pgfast
from pgfast import reference

P, STEPS = 1000, 20


@pytest.mark.parametrize("module", [reference, pgfast], ids=["reference", "pgfast-1"])
@pytest.mark.benchmark(group="conjugate_gradient, 20 steps, P=1000 float64, NumPy's product")
def bench_conjugate_gradient(measure, rng, module):
    factor = rng.normal(size=(P, P)) / np.sqrt(P)
    A, b = factor @ factor.T + np.eye(P), rng.normal(size=P)
    kwargs = {"tolerance": 0.0, "max_iterations": STEPS}
    expected = reference.conjugate_gradient(lambda v: A @ v, b, **kwargs).x
    measure(
        lambda: module.conjugate_gradient(lambda v: A @ v, b, **kwargs),
        work=STEPS,
        unit="product",
        check=lambda r: np.testing.assert_allclose(r.x, expected, rtol=1e-6, atol=1e-8),
    )
