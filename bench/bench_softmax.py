"""The softmax distribution on arrays."""

import numpy as np
import pytest

import pgfast
from pgfast import reference

B, A = 65_536, 8


@pytest.mark.parametrize(
    ("module", "threads"),
    [(reference, 1), (pgfast, 1), (pgfast, 2)],
    ids=["reference", "pgfast-1", "pgfast-2"],
)
@pytest.mark.benchmark(group="softmax_log_prob, B=65536 A=8 float32")
def bench_softmax_log_prob(measure, rng, module, threads):
    z, a = rng.normal(size=(B, A)).astype(np.float32), rng.integers(0, A, B)
    expected = reference.softmax_log_prob(z, a)
    measure(
        lambda: module.softmax_log_prob(z, a),
        work=B,
        unit="sample",
        check=lambda p: np.testing.assert_allclose(p, expected, rtol=1e-4, atol=1e-5),
        threads=threads,
    )
