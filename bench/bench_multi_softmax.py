"""The product of several softmax distributions on arrays."""

import numpy as np
import pytest

import pgfast
from pgfast import reference

B, SIZES = 65_536, (11,) * 6


@pytest.mark.parametrize(
    ("module", "threads"),
    [(reference, 1), (pgfast, 1), (pgfast, 2)],
    ids=["reference", "pgfast-1", "pgfast-2"],
)
@pytest.mark.benchmark(group="multi_softmax_log_prob, B=65536, 6 dimensions of 11, float32")
def bench_multi_softmax_log_prob(measure, rng, module, threads):
    z = rng.normal(size=(B, sum(SIZES))).astype(np.float32)
    a = rng.integers(0, 11, (B, len(SIZES)))
    expected = reference.multi_softmax_log_prob(z, a, SIZES)
    measure(
        lambda: module.multi_softmax_log_prob(z, a, SIZES),
        work=B,
        unit="sample",
        check=lambda p: np.testing.assert_allclose(p, expected, rtol=1e-4, atol=1e-4),
        threads=threads,
    )
