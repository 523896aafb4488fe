"""The softmax distribution on arrays."""

import numpy as np
import pytest

import pgfast
from pgfast import reference

B, A = 65_536, 8
FUNCTIONS = {
    "log_prob": lambda m, z, a, other: m.softmax_log_prob(z, a),
    "score": lambda m, z, a, other: m.softmax_score(z, a),
    "entropy": lambda m, z, a, other: m.softmax_entropy(z),
    "kl": lambda m, z, a, other: m.softmax_kl(z, other),
    "sample": lambda m, z, a, other: m.softmax_sample(z, seed=0),
}


@pytest.mark.parametrize(
    ("module", "threads"),
    [(reference, 1), (pgfast, 1), (pgfast, 2)],
    ids=["reference", "pgfast-1", "pgfast-2"],
)
@pytest.mark.parametrize("function", FUNCTIONS)
def bench_softmax(measure, benchmark, rng, function, module, threads):
    benchmark.group = f"softmax_{function}, B={B} A={A} float32"
    z, other = rng.normal(size=(2, B, A)).astype(np.float32)
    a = rng.integers(0, A, B)
    call = FUNCTIONS[function]
    expected = call(reference, z, a, other)
    measure(
        lambda: call(module, z, a, other),
        work=B,
        unit="sample",
        check=lambda y: np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5),
        threads=threads,
    )
