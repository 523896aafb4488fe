"""Features of 4096 observations of four numbers."""

import numpy as np
import pytest

import pgfast as pg
from pgfast import reference

LOW, HIGH = [-1.0] * 4, [1.0] * 4
MAPS = {
    "polynomial": (
        pg.PolynomialFeatures(4, 4),
        lambda x: reference.polynomial_features(x, 4),
    ),
    "fourier": (
        pg.FourierFeatures(LOW, HIGH, order=3),
        lambda x: reference.fourier_features(x, LOW, HIGH, 3),
    ),
    "rbf": (
        pg.RBFFeatures(LOW, HIGH, features=256, width=0.3),
        lambda x: reference.rbf_features(x, LOW, HIGH, 256, 0.3),
    ),
    "tile": (
        pg.TileFeatures(LOW, HIGH, tiles=3, tilings=16),
        lambda x: reference.tile_features(x, LOW, HIGH, [3] * 4, 16),
    ),
}


@pytest.mark.parametrize(
    ("member", "threads"),
    [("reference", 1), ("pgfast", 1), ("pgfast", 2)],
    ids=["reference", "pgfast-1", "pgfast-2"],
)
@pytest.mark.parametrize("name", MAPS)
def bench_features(measure, benchmark, rng, name, member, threads):
    benchmark.group = f"{name} features, B=4096 D=4 float32"
    phi, twin = MAPS[name]
    x = rng.uniform(-1, 1, size=(4096, 4)).astype(np.float32)
    expected = twin(x[:100])
    measure(
        lambda: phi(x) if member == "pgfast" else twin(x),
        work=4096 * phi.num_features,
        unit="feature",
        check=lambda y: np.testing.assert_allclose(y[:100], expected, rtol=1e-3, atol=1e-5),
        threads=threads,
    )
