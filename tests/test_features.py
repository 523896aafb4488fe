"""Features: the formulas, the twins, and what no observation may do."""

import itertools
import math
import pickle

import numpy as np
import pytest

import pgfast as pg
from pgfast import _core, reference
from pgfast.features import MOST_FEATURES, Features

LOW, HIGH = [-1.0, 0.0, 2.0], [1.0, 4.0, 2.5]
SETTINGS = {
    pg.OneHotFeatures: {"states": 7},
    pg.PolynomialFeatures: {"observation_size": 3, "degree": 4},
    pg.FourierFeatures: {"low": LOW, "high": HIGH, "order": 3},
    pg.RBFFeatures: {"low": LOW, "high": HIGH, "features": 37, "width": 0.3, "seed": 5},
    pg.TileFeatures: {"low": LOW, "high": HIGH, "tiles": [4, 3, 2], "tilings": 16},
}
TWINS = {
    pg.OneHotFeatures: reference.one_hot_features,
    pg.PolynomialFeatures: lambda x, observation_size, degree: reference.polynomial_features(
        x, degree
    ),
    pg.FourierFeatures: reference.fourier_features,
    pg.RBFFeatures: reference.rbf_features,
    pg.TileFeatures: reference.tile_features,
}
KINDS = pytest.mark.parametrize("kind", SETTINGS, ids=lambda kind: kind.__name__)
BOXES = [pg.FourierFeatures, pg.RBFFeatures, pg.TileFeatures]


def make(kind):
    return kind(**SETTINGS[kind])


def observations(kind, B, dtype=np.float64, seed=0):
    """Most of them inside the box, some outside."""
    rng = np.random.default_rng(seed)
    if kind is pg.OneHotFeatures:
        return rng.integers(-1, 9, (B, 1)).astype(dtype)
    u = rng.uniform(-0.2, 1.2, (B, 3))
    return (np.array(LOW) + u * np.subtract(HIGH, LOW)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("B", [1, 31, 32, 33, 1500])
@KINDS
def test_every_map_equals_its_twin(kind, B, dtype):
    x = observations(kind, B, dtype)
    phi, twin = make(kind)(x), TWINS[kind](x, **SETTINGS[kind])
    assert phi.dtype == dtype
    assert phi.shape == (B, make(kind).num_features)
    tolerance = 2e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(phi, twin, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@KINDS
def test_features_do_not_depend_on_neighbours_or_place(kind, dtype):
    """Alone, in a tile at any row, in one leading dimension or two: the same bits."""
    phi, x = make(kind), observations(kind, 70, dtype)
    together = phi(x)
    for b in range(70):
        np.testing.assert_array_equal(phi(x[b : b + 1])[0], together[b])
    np.testing.assert_array_equal(phi(x[3:]), together[3:])
    np.testing.assert_array_equal(phi(x.reshape(7, 10, -1)).reshape(70, -1), together)


@KINDS
def test_threads_do_not_change_a_bit(kind, threads):
    phi, x = make(kind), observations(kind, 14_000, np.float32)
    first, *others = threads(lambda: phi(x))
    for other in others:
        np.testing.assert_array_equal(other, first)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@KINDS
def test_nan_goes_in_and_comes_out_and_touches_no_neighbour(kind, dtype):
    phi, x = make(kind), observations(kind, 40, dtype)
    clean = phi(x)
    x[5, -1] = np.nan
    spoiled = phi(x)
    assert np.isnan(spoiled[5]).any()
    np.testing.assert_array_equal(np.delete(spoiled, 5, axis=0), np.delete(clean, 5, axis=0))


@pytest.mark.parametrize("bad", [np.inf, -np.inf, 1e30, -1e30, 1e9, -0.5, 0.5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@KINDS
def test_numbers_without_a_place_are_harmless(kind, dtype, bad):
    """An index that is none has features 0, what lies outside the tiles is in the nearest one."""
    phi = make(kind)
    x = np.full((40, phi.observation_size), bad, dtype)
    with np.errstate(all="ignore"):
        features = phi(x)
    if kind is pg.OneHotFeatures:
        np.testing.assert_array_equal(features, 0)
    if kind is pg.TileFeatures:
        nearest = np.clip(x, np.array(LOW, dtype), np.array(HIGH, dtype))
        np.testing.assert_array_equal(features, phi(nearest))


def test_one_hot_rows_of_all_states_are_the_identity():
    for dtype in (np.float32, np.float64):
        states = np.arange(100, dtype=dtype)[:, None]
        np.testing.assert_array_equal(pg.OneHotFeatures(100)(states), np.eye(100))


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("degree", [1, 2, 3, 6])
def test_monomials_are_all_there_once(size, degree):
    """Powers of primes name them: Σ c_d ≤ n in the documented order, (D + n)! / (D! n!) of them."""
    phi = pg.PolynomialFeatures(size, degree)
    primes = [2, 3, 5, 7, 11][:size]
    names = [
        math.prod(chosen)
        for k in range(degree + 1)
        for chosen in itertools.combinations_with_replacement(primes, k)
    ]
    np.testing.assert_array_equal(phi(np.array([primes], float))[0], names)
    powers = itertools.product(range(degree + 1), repeat=size)
    assert phi.num_features == sum(sum(c) <= degree for c in powers) == len(set(names))
    assert phi.num_features == math.comb(size + degree, size)


def test_degree_one_is_the_observation_behind_a_constant():
    x = observations(pg.PolynomialFeatures, 20)
    expected = np.concatenate([np.ones((20, 1)), x], axis=1)
    np.testing.assert_array_equal(pg.PolynomialFeatures(3, 1)(x), expected)


def test_the_fourier_basis_of_one_dimension_is_orthogonal_on_the_box():
    """The mean over the box of φ_c φ_c′ is 0, of φ_c² it is 1 for c = 0, else 1/2."""
    u = ((np.arange(64) + 0.5) / 64)[:, None]  # the midpoint rule is exact for these cosines
    phi = pg.FourierFeatures([-2], [1], order=5)(3 * u - 2)
    np.testing.assert_allclose(phi.T @ phi / 64, np.diag([1, *[0.5] * 5]), atol=1e-13)


def test_fourier_features_are_cosines_in_the_order_of_ndindex():
    x = observations(pg.FourierFeatures, 50)
    phi = make(pg.FourierFeatures)(x)
    u = (x - LOW) / np.subtract(HIGH, LOW)
    assert phi.shape[1] == 4**3
    for i, c in enumerate(np.ndindex(4, 4, 4)):
        np.testing.assert_allclose(phi[:, i], np.cos(np.pi * u @ c), atol=1e-12)


def test_radial_features_are_bumps_around_their_centres():
    """1 at the centre, exp(−1/2) at a distance of w in any direction."""
    phi = make(pg.RBFFeatures)
    width = np.subtract(HIGH, LOW)
    centres = LOW + phi.centres * width
    np.testing.assert_allclose(np.diagonal(phi(centres)), 1, atol=1e-12)
    for direction in np.eye(3):
        moved = phi(centres + 0.3 * direction * width)
        np.testing.assert_allclose(np.diagonal(moved), np.exp(-0.5), rtol=1e-12)
    assert phi(centres + 1e3 * width).max() < 1e-30


def test_the_centres_are_uniform_and_a_function_of_the_seed():
    """Kolmogorov–Smirnov in each dimension; false alarm 1 in 10,000, with a fixed seed."""
    few, many = (pg.RBFFeatures(LOW, HIGH, features=n, width=1, seed=3) for n in (10, 5000))
    np.testing.assert_array_equal(few.centres, many.centres[:10])
    steps = np.arange(1, 5001) / 5000
    for column in many.centres.T:
        assert abs(np.sort(column) - steps).max() < 2.23 / np.sqrt(5000)
    other = pg.RBFFeatures(LOW, HIGH, features=10, width=1, seed=4)
    assert not np.isin(other.centres, many.centres).any()
    # Not the numbers that a policy of the same seed begins with, nor those of pg.uniform.
    for purpose in (_core.Purpose.general, _core.Purpose.parameters):
        drawn = _core.uniform_float64((10, 3), 3, 0, purpose)
        assert not np.isin(drawn, many.centres).any()


def test_each_grid_has_one_tile():
    phi = make(pg.TileFeatures)
    features = phi(observations(pg.TileFeatures, 500)).reshape(500, 16, -1)
    assert phi.num_features == 16 * 5 * 4 * 3
    np.testing.assert_array_equal(features.sum(axis=-1), 1)
    assert set(np.unique(features)) == {0, 1}


def test_grids_cut_a_tile_into_as_many_parts():
    """Along one dimension the features change K times per tile, at equal distances."""
    phi = pg.TileFeatures([0], [1], tiles=4, tilings=8)
    x = ((np.arange(3200) + 0.5) / 3200)[:, None]
    changes = np.flatnonzero((np.diff(phi(x), axis=0) != 0).any(axis=1)) + 1
    np.testing.assert_array_equal(changes, np.arange(100, 3200, 100))


def test_what_is_near_shares_tiles():
    """Two points share the grids that have no border between them: K (1 − m |u − u′|) of them."""
    phi = pg.TileFeatures([0], [1], tiles=4, tilings=8)
    here = phi(np.array([[0.5 + 1 / 64]]))[0]
    for steps in range(10):
        there = phi(np.array([[0.5 + 1 / 64 + steps / 32]]))[0]
        assert here @ there == max(0, 8 - steps)


def test_the_displacement_is_sutton_and_bartos():
    """Grid k is displaced by k (1, 3) mod K in units of 1/K tile (their figure 9.11)."""
    phi = pg.TileFeatures([0, 0], [1, 1], tiles=1, tilings=4)
    shifts = [(0, 0), (1, 3), (2, 2), (3, 1)]
    for x, y in np.random.default_rng(0).uniform(size=(50, 2)):
        grids = phi(np.array([[x, y]])).reshape(4, 2, 2)
        for grid, (dx, dy) in zip(grids, shifts, strict=True):
            assert grid[int(x + dx / 4), int(y + dy / 4)] == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("tilings", [3, 7, 16])
def test_the_bounds_themselves_have_tiles(dtype, tilings):
    phi = pg.TileFeatures(LOW, HIGH, tiles=[1, 10, 7], tilings=tilings)
    for corner in itertools.product(*zip(LOW, HIGH, strict=True)):
        assert phi(np.array([corner], dtype)).sum() == tilings


def test_state_action_features_are_blocks():
    phi = np.random.default_rng(0).normal(size=(4, 2, 5)).astype(np.float32)
    x = pg.state_action_features(phi, 3)
    assert (x.shape, x.dtype) == ((4, 2, 3, 15), np.float32)
    for a, b in np.ndindex(3, 3):
        block = x[:, :, a, 5 * b : 5 * (b + 1)]
        np.testing.assert_array_equal(block, phi if a == b else 0)


def test_in_blocks_the_textbook_policy_is_the_linear_one():
    """θ of x(s, a) are the columns of W; the linear policy with a constant feature has no bias."""
    rng = np.random.default_rng(1)
    phi = make(pg.FourierFeatures)
    s = phi(observations(pg.FourierFeatures, 30))
    J = phi.num_features
    blocks = pg.StateActionSoftmaxPolicy(3, 3 * J, dtype=np.float64)
    linear = pg.SoftmaxPolicy(J, 3, dtype=np.float64)
    W = rng.normal(size=(J, 3))
    blocks.theta = W.T.ravel()
    linear.theta = np.concatenate([W.ravel(), np.zeros(3)])
    a = rng.integers(0, 3, 30)
    np.testing.assert_allclose(
        blocks.log_prob(pg.state_action_features(s, 3), a), linear.log_prob(s, a), rtol=1e-9
    )


@KINDS
def test_maps_are_written_down_and_made_again(kind):
    phi, x = make(kind), observations(kind, 10)
    for again in (Features.restore(phi.config()), pickle.loads(pickle.dumps(phi))):
        assert type(again) is kind
        assert again == phi
        assert hash(again) == hash(phi)
        np.testing.assert_array_equal(again(x), phi(x))
    assert kind.__name__ in repr(phi)
    assert phi != pg.OneHotFeatures(1000)
    assert eval(repr(phi), vars(pg)) == phi


def test_a_kind_is_restored_as_its_own_class_alone():
    config = make(pg.OneHotFeatures).config()
    assert isinstance(pg.OneHotFeatures.restore(config), pg.OneHotFeatures)
    with pytest.raises(ValueError, match="features: kind is 'OneHotFeatures'"):
        pg.TileFeatures.restore(config)
    with pytest.raises(ValueError, match="features: kind is 'OneHot', expected perhaps 'OneHotFe"):
        Features.restore({"kind": "OneHot"})
    with pytest.raises(ValueError, match="features: kind is None"):
        Features.restore({})


@pytest.mark.parametrize("kind", BOXES, ids=lambda kind: kind.__name__)
def test_bounds_are_finite_and_in_order(kind):
    def fails(error, text, **spoiled):
        with pytest.raises(error, match=f"{kind.__name__}: {text}"):
            kind(**{**SETTINGS[kind], **spoiled})

    fails(ValueError, "low holds -inf, expected finite", low=[-np.inf, 0, 2])
    fails(ValueError, "high holds nan, expected finite", high=[1, np.nan, 2.5])
    fails(ValueError, r"low\[1\] is 4.0+, expected less than high\[1\] = 4", low=[-1, 4, 2])
    fails(ValueError, r"high has shape \(2,\), expected \(3,\)", high=[1, 4])
    fails(ValueError, r"low has shape \(\), expected \(D,\)", low=3.0)
    fails(ValueError, r"low has shape \(0,\), expected \(D,\)", low=[])
    fails(TypeError, "high is 'text', expected numbers", high="text")
    for size in ("1e-40", r"1e\+40"):
        high = [1, float(size.replace("\\", "")), 2.5]
        words = rf"high\[1\] - low\[1\] is {size}, expected a size that float32 can divide by"
        fails(ValueError, words, low=[-1, 0, 2], high=high)


def test_the_bounds_are_a_copy():
    low = np.zeros(2)
    phi = pg.FourierFeatures(low, [1, 1], order=1)
    low[0] = 0.5
    assert phi.config()["low"] == [0, 0]
    with pytest.raises(ValueError, match="read-only"):
        phi.low[0] = 3


@pytest.mark.parametrize(
    ("kind", "argument"),
    [
        (pg.OneHotFeatures, "states"),
        (pg.PolynomialFeatures, "observation_size"),
        (pg.PolynomialFeatures, "degree"),
        (pg.FourierFeatures, "order"),
        (pg.RBFFeatures, "features"),
        (pg.TileFeatures, "tiles"),
        (pg.TileFeatures, "tilings"),
    ],
)
def test_numbers_are_counts(kind, argument):
    for bad, error, text in [
        (0, ValueError, "is 0, expected at least 1"),
        (1.0, TypeError, "is a float, expected an int"),
        (
            10**7,
            ValueError,
            f"features, expected at most {MOST_FEATURES}|more than {MOST_FEATURES}",
        ),
    ]:
        with pytest.raises(error, match=rf"{kind.__name__}: .*({text})"):
            kind(**{**SETTINGS[kind], argument: bad})


def test_too_many_features_are_refused_before_they_are_counted():
    with pytest.raises(ValueError, match=r"makes 4\*\*1000000 features, expected at most"):
        pg.FourierFeatures([0] * 10**6, [1] * 10**6, order=3)
    with pytest.raises(ValueError, match="100000 variables and degree 100000"):
        pg.PolynomialFeatures(10**5, 10**5)
    with pytest.raises(ValueError, match=r"makes .* features, expected at most"):
        pg.TileFeatures(LOW, HIGH, tiles=200, tilings=1)


@pytest.mark.parametrize("bad", [0, -1, np.nan, np.inf, 1e-19])
def test_a_width_is_positive(bad):
    with pytest.raises(
        ValueError, match=r"RBFFeatures: width is .*, expected a finite number >= 1e-18"
    ):
        pg.RBFFeatures(LOW, HIGH, features=3, width=bad)
    narrow = pg.RBFFeatures([0], [1], features=1, width=1e-18)
    at_and_beside = np.array([narrow.centres[0], narrow.centres[0] + 0.5], np.float32)
    assert narrow(at_and_beside).tolist() == [[1], [0]]


def test_tiles_of_the_wrong_number_of_dimensions():
    with pytest.raises(ValueError, match="TileFeatures: tiles has 2 numbers, expected 3"):
        pg.TileFeatures(LOW, HIGH, tiles=[2, 2], tilings=1)


def test_the_blocks_need_a_vector_and_a_count():
    with pytest.raises(ValueError, match=r"state_action_features: features has shape \(\)"):
        pg.state_action_features(np.array(1.0), 2)
    with pytest.raises(ValueError, match="state_action_features: actions is 0"):
        pg.state_action_features(np.ones(2), 0)
