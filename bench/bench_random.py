"""Uniform draws."""

import numpy as np
import pytest

import pgfast
from pgfast import reference

COUNT = 100_000


@pytest.mark.parametrize("module", [reference, pgfast], ids=["reference", "pgfast-1"])
@pytest.mark.benchmark(group="uniform, 100000 draws float32 (Philox4x32-10)")
def bench_uniform(measure, module):
    expected = reference.uniform(COUNT, seed=1)
    measure(
        lambda: module.uniform(COUNT, seed=1),
        work=COUNT,
        unit="draw",
        check=lambda u: np.testing.assert_array_equal(u, expected),
    )
