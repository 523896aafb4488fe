"""The diagonal Gaussian on arrays."""

import numpy as np
import pytest

import pgfast
from pgfast import reference

B, A = 65_536, 6
MEMBERS = pytest.mark.parametrize(
    ("module", "threads"),
    [(reference, 1), (pgfast, 1), (pgfast, 2)],
    ids=["reference", "pgfast-1", "pgfast-2"],
)


def gaussians(rng):
    mean, x = rng.normal(size=(2, B, A)).astype(np.float32)
    return mean, (0.5 * rng.normal(size=(B, A))).astype(np.float32), x


@MEMBERS
@pytest.mark.benchmark(group="gaussian_log_prob, B=65536 A=6 float32")
def bench_gaussian_log_prob(measure, rng, module, threads):
    mean, log_std, x = gaussians(rng)
    expected = reference.gaussian_log_prob(mean, log_std, x)
    measure(
        lambda: module.gaussian_log_prob(mean, log_std, x),
        work=B,
        unit="sample",
        check=lambda p: np.testing.assert_allclose(p, expected, rtol=1e-4, atol=1e-4),
        threads=threads,
    )


@MEMBERS
@pytest.mark.benchmark(group="gaussian_sample, B=65536 A=6 float32")
def bench_gaussian_sample(measure, rng, module, threads):
    mean, log_std, _ = gaussians(rng)
    expected = reference.gaussian_sample(mean, log_std, seed=0)
    measure(
        lambda: module.gaussian_sample(mean, log_std, seed=0),
        work=B,
        unit="sample",
        check=lambda x: np.testing.assert_allclose(x, expected, rtol=1e-4, atol=1e-4),
        threads=threads,
    )
