"""The product of several softmax distributions on arrays."""

import numpy as np
import pytest

import pgfast
from pgfast import reference

B, SIZES = 65_536, (11,) * 6
FUNCTIONS = {
    "log_prob": lambda m, z, a, other: m.multi_softmax_log_prob(z, a, SIZES),
    "score": lambda m, z, a, other: m.multi_softmax_score(z, a, SIZES),
    "entropy": lambda m, z, a, other: m.multi_softmax_entropy(z, SIZES),
    "kl": lambda m, z, a, other: m.multi_softmax_kl(z, other, SIZES),
    "sample": lambda m, z, a, other: m.multi_softmax_sample(z, SIZES, seed=0),
}


@pytest.mark.parametrize(
    ("module", "threads"),
    [(reference, 1), (pgfast, 1), (pgfast, 2)],
    ids=["reference", "pgfast-1", "pgfast-2"],
)
@pytest.mark.parametrize("function", FUNCTIONS)
def bench_multi_softmax(measure, benchmark, rng, function, module, threads):
    benchmark.group = f"multi_softmax_{function}, B={B}, 6 dimensions of 11, float32"
    z, other = rng.normal(size=(2, B, sum(SIZES))).astype(np.float32)
    a = rng.integers(0, 11, (B, len(SIZES)))
    call = FUNCTIONS[function]
    expected = call(reference, z, a, other)
    measure(
        lambda: call(module, z, a, other),
        work=B,
        unit="sample",
        check=lambda y: np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4),
        threads=threads,
    )
