"""Fits of a value function to 20,000 samples of 8 numbers."""

import numpy as np
import pytest

import pgfast
from pgfast import reference

B, D = 20_000, 8


@pytest.fixture
def samples(rng):
    s = rng.normal(size=(B, D)).astype(np.float32)
    return s, np.sin(s).sum(axis=1)


MEMBERS = pytest.mark.parametrize(
    ("module", "threads"),
    [(reference, 1), (pgfast, 1), (pgfast, 2)],
    ids=["reference", "pgfast-1", "pgfast-2"],
)


@MEMBERS
@pytest.mark.benchmark(group="ridge fit, B=20000 D=8 float32")
def bench_ridge(measure, samples, module, threads):
    s, y = samples
    expected = reference.ValueFunction(D)
    expected.fit(s.astype(np.float64), y.astype(np.float64))
    value = module.ValueFunction(D, dtype=np.float32)

    def fit():
        value.fit(s, y)
        return value.theta

    measure(
        fit,
        work=B,
        unit="sample",
        check=lambda theta: np.testing.assert_allclose(theta, expected.theta, atol=1e-4),
        threads=threads,
    )


@MEMBERS
@pytest.mark.benchmark(group="one epoch of minibatches of 256, 64x64, B=20000 D=8 float32")
def bench_minibatches(measure, samples, module, threads):
    s, y = samples
    first = pgfast.ValueFunction(D, hidden=(64, 64))
    value = module.ValueFunction(D, hidden=(64, 64), dtype=np.float32)

    def fit():
        value.theta[:] = first.theta
        value.fit(s, y, epochs=1, batch_size=256)
        return value.predict(s)

    measure(
        fit,
        work=B,
        unit="sample",
        check=lambda v: np.testing.assert_array_less(np.var(y - v), 0.5 * np.var(y)),
        threads=threads,
    )
