"""Baselines of 500 steps and 256 trajectories."""

import numpy as np
import pytest

import pgfast
from pgfast import reference

BASELINES = {
    "constant": lambda m, g, valid, s, norms: m.constant_baseline(g, valid),
    "time": lambda m, g, valid, s, norms: m.time_baseline(g, valid),
    "leave_one_out": lambda m, g, valid, s, norms: m.leave_one_out_baseline(g, valid),
    "linear": lambda m, g, valid, s, norms: m.linear_baseline(g, valid, s),
    "optimal": lambda m, g, valid, s, norms: m.optimal_baseline(g, valid, norms),
}


@pytest.mark.parametrize(
    ("module", "threads"),
    [(reference, 1), (pgfast, 1), (pgfast, 2)],
    ids=["reference", "pgfast-1", "pgfast-2"],
)
@pytest.mark.parametrize("name", BASELINES)
def bench_baseline(measure, benchmark, rng, name, module, threads):
    size = " D=4" if name == "linear" else ""
    benchmark.group = f"{name}_baseline, T=500 N=256{size} float32"
    g = rng.normal(size=(500, 256)).astype(np.float32)
    s = rng.normal(size=(500, 256, 4)).astype(np.float32)
    norms = rng.uniform(size=(500, 256)).astype(np.float32)
    valid = np.arange(500)[:, None] < rng.integers(1, 501, 256)
    call = BASELINES[name]
    expected = call(reference, g, valid, s, norms)
    measure(
        lambda: call(module, g, valid, s, norms),
        work=g.size,
        unit="element",
        check=lambda b: np.testing.assert_allclose(b, expected, rtol=1e-4, atol=1e-4),
        threads=threads,
    )
