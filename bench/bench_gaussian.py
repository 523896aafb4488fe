"""The diagonal Gaussian on arrays."""

import numpy as np
import pytest

import pgfast
from pgfast import reference

B, A = 65_536, 6
FUNCTIONS = {
    "log_prob": lambda m, mean, log_std, x, other: m.gaussian_log_prob(mean, log_std, x),
    "score": lambda m, mean, log_std, x, other: m.gaussian_score(mean, log_std, x),
    "entropy": lambda m, mean, log_std, x, other: m.gaussian_entropy(mean, log_std),
    "kl": lambda m, mean, log_std, x, other: m.gaussian_kl(mean, log_std, x, other),
    "sample": lambda m, mean, log_std, x, other: m.gaussian_sample(mean, log_std, seed=0),
}


@pytest.mark.parametrize(
    ("module", "threads"),
    [(reference, 1), (pgfast, 1), (pgfast, 2)],
    ids=["reference", "pgfast-1", "pgfast-2"],
)
@pytest.mark.parametrize("function", FUNCTIONS)
def bench_gaussian(measure, benchmark, rng, function, module, threads):
    benchmark.group = f"gaussian_{function}, B={B} A={A} float32"
    mean, x = rng.normal(size=(2, B, A)).astype(np.float32)
    log_std, other = (0.5 * rng.normal(size=(2, B, A))).astype(np.float32)
    call = FUNCTIONS[function]
    expected = call(reference, mean, log_std, x, other)

    def check(answer):
        np.testing.assert_allclose(np.asarray(answer), np.asarray(expected), rtol=1e-3, atol=1e-3)

    measure(
        lambda: call(module, mean, log_std, x, other),
        work=B,
        unit="sample",
        check=check,
        threads=threads,
    )
