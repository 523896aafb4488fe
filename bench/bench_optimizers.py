"""One step of an optimizer."""

import numpy as np
import pytest

import pgfast
from pgfast import reference

P = 100_000


@pytest.mark.parametrize("member", ["reference", "pgfast-1"])
@pytest.mark.benchmark(group="Adam step, P=100000 float32")
def bench_adam(measure, rng, member):
    gradient = rng.normal(size=P).astype(np.float32)
    theta, m, v = (np.zeros(P, np.float32) for _ in range(3))
    adam = pgfast.Adam(0.1)

    def run():
        if member == "reference":
            return reference.adam_step(theta, gradient, m, v, 1, 0.1, 0.9, 0.999, 1e-8)[0]
        adam.ascend(theta, gradient)
        return theta

    def check(stepped):
        np.testing.assert_allclose(stepped, 0.1 * np.sign(gradient), rtol=1e-2)

    measure(run, work=P, unit="parameter", check=check)


@pytest.mark.parametrize("member", ["reference", "pgfast-1"])
@pytest.mark.benchmark(group="SGD step, P=100000 float32")
def bench_sgd(measure, rng, member):
    gradient = rng.normal(size=P).astype(np.float32)
    theta = np.zeros(P, np.float32)
    sgd = pgfast.SGD(0.1)

    def run():
        if member == "reference":
            return reference.sgd_step(theta, gradient, 0.1)
        sgd.ascend(theta, gradient)
        return theta

    def check(stepped):
        np.testing.assert_allclose(stepped, 0.1 * gradient, rtol=1e-5)

    measure(run, work=P, unit="parameter", check=check)
