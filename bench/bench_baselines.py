"""Baselines of 500 steps and 256 trajectories."""

import numpy as np
import pytest

import pgfast
from pgfast import reference


@pytest.mark.parametrize(
    ("module", "threads"),
    [(reference, 1), (pgfast, 1), (pgfast, 2)],
    ids=["reference", "pgfast-1", "pgfast-2"],
)
@pytest.mark.benchmark(group="time_baseline, T=500 N=256 float32")
def bench_time_baseline(measure, rng, module, threads):
    g = rng.normal(size=(500, 256)).astype(np.float32)
    valid = np.arange(500)[:, None] < rng.integers(1, 501, 256)
    expected = reference.time_baseline(g, valid)
    measure(
        lambda: module.time_baseline(g, valid),
        work=g.size,
        unit="element",
        check=lambda b: np.testing.assert_allclose(b, expected, rtol=1e-5, atol=1e-5),
        threads=threads,
    )


@pytest.mark.parametrize(
    ("module", "threads"),
    [(reference, 1), (pgfast, 1), (pgfast, 2)],
    ids=["reference", "pgfast-1", "pgfast-2"],
)
@pytest.mark.benchmark(group="linear_baseline, T=500 N=256 D=4 float32")
def bench_linear_baseline(measure, rng, module, threads):
    g = rng.normal(size=(500, 256)).astype(np.float32)
    s = rng.normal(size=(500, 256, 4)).astype(np.float32)
    valid = np.arange(500)[:, None] < rng.integers(1, 501, 256)
    expected = reference.linear_baseline(g, valid, s)
    measure(
        lambda: module.linear_baseline(g, valid, s),
        work=g.size,
        unit="element",
        check=lambda b: np.testing.assert_allclose(b, expected, rtol=1e-4, atol=1e-4),
        threads=threads,
    )
