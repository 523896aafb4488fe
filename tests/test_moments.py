"""Mean and variance of a batch: advantages in units of them, and the share that is explained."""

import numpy as np
import pytest

import pgfast as pg
from pgfast import reference

DTYPES = [np.float32, np.float64]


def batches(dtype, n=(1, 2, 7, 8, 9, 31, 511, 513, 5000)):
    """Numbers with a mean far above their deviation, a second array, and which count."""
    for size in n:
        rng = np.random.default_rng(size)
        y = rng.normal(100, 2, size).astype(dtype)
        v = (y + rng.normal(0, 1, size)).astype(dtype)
        yield y, v, None
        valid = rng.random(size) < 0.6
        valid[-1] = True
        yield np.where(valid, y, dtype(np.nan)), np.where(valid, v, dtype(np.inf)), valid


@pytest.mark.parametrize("dtype", DTYPES)
def test_both_equal_their_twins(dtype):
    """What does not count plays no part, whatever it holds."""
    for y, v, valid in batches(dtype):
        tolerance = 1e-6 if dtype == np.float32 else 1e-11
        np.testing.assert_allclose(
            pg.normalize_advantages(y, valid),
            reference.normalize_advantages(y, valid),
            rtol=tolerance,
            atol=tolerance,
        )
        assert pg.explained_variance(v, y, valid) == pytest.approx(
            reference.explained_variance(v, y, valid), rel=1e-11, abs=1e-11
        )


def test_both_have_the_same_bits_on_any_number_of_threads(threads):
    rng = np.random.default_rng(0)
    y, v, valid = rng.normal(size=150_000), rng.normal(size=150_000), rng.random(150_000) < 0.6
    for happened in (None, valid):
        for function in (
            lambda happened=happened: pg.explained_variance(v, y, happened),
            lambda happened=happened: pg.normalize_advantages(y, happened),
        ):
            first, *others = threads(function)
            for other in others:
                np.testing.assert_array_equal(other, first)


def test_explained_variance_is_its_formula():
    rng = np.random.default_rng(0)
    y, valid = rng.normal(5, 2, (20, 5)), rng.random((20, 5)) < 0.6
    v = 0.5 * y + rng.normal(size=y.shape)
    assert pg.explained_variance(v, y) == pytest.approx(1 - (y - v).var() / y.var(), rel=1e-12)
    chosen = pg.explained_variance(v[valid], y[valid])  # summed in another order
    assert pg.explained_variance(v, y, valid) == pytest.approx(chosen, rel=1e-13)
    assert pg.explained_variance(y, y) == 1
    assert pg.explained_variance(y + 7, y) == pytest.approx(1)
    assert pg.explained_variance(np.zeros_like(y), y) == 0
    assert pg.explained_variance(v, np.full_like(y, 3.0)) == 0
    assert pg.explained_variance(v, y, np.zeros_like(valid)) == 0
    assert np.isnan(pg.explained_variance(np.array([np.nan, 1.0]), np.array([1.0, 2.0])))
    with pytest.raises(ValueError, match="explained_variance: values has shape"):
        pg.explained_variance(v[0], y)


def test_a_large_mean_costs_no_digits():
    """The same numbers, a billion higher."""
    y = np.random.default_rng(1).integers(-100, 100, 1000).astype(np.float64)
    v = y + np.random.default_rng(2).integers(-10, 10, 1000)
    assert pg.explained_variance(v + 1e9, y + 1e9) == pg.explained_variance(v, y)
    np.testing.assert_array_equal(pg.normalize_advantages(y + 1e9), pg.normalize_advantages(y))


# --- advantages -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e15])
def test_advantages_get_mean_zero_and_deviation_one(dtype, scale):
    """Whatever their scale, over the valid ones alone."""
    rng = np.random.default_rng(0)
    a, valid = rng.normal(3, 2, (40, 7)), rng.random((40, 7)) < 0.6
    a = (scale * a).astype(dtype)
    y = pg.normalize_advantages(np.where(valid, a, dtype(np.nan)), valid)
    assert y.dtype == dtype
    tolerance = 1e-6 if dtype == np.float32 else 1e-13
    np.testing.assert_array_equal(y[~valid], 0)
    np.testing.assert_allclose(y[valid].mean(dtype=np.float64), 0, atol=tolerance)
    np.testing.assert_allclose(y[valid].std(dtype=np.float64), 1, rtol=tolerance)
    expected = (a[valid] - a[valid].mean()) / a[valid].std()
    np.testing.assert_allclose(y[valid], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_advantage_and_equal_ones_become_zero(dtype):
    for a in (np.array([5.0]), np.full((30, 3), 0.1), np.zeros(4), np.full(7, 1e-30)):
        np.testing.assert_array_equal(pg.normalize_advantages(a.astype(dtype)), 0)
    a = np.array([[3.0, np.nan]], dtype)
    np.testing.assert_array_equal(pg.normalize_advantages(a, np.array([[True, False]])), 0)
    np.testing.assert_array_equal(pg.normalize_advantages(a, np.zeros((1, 2), bool)), 0)


def test_nan_and_infinity_of_a_step_come_out():
    for bad in (np.nan, np.inf):
        assert np.isnan(pg.normalize_advantages(np.array([1.0, bad, 2.0]))).all()


def test_bad_advantages_are_named():
    with pytest.raises(TypeError, match="advantages has dtype int64, expected float32 or float64"):
        pg.normalize_advantages(np.arange(3))
    with pytest.raises(ValueError, match=r"valid has shape \(2,\), expected \(3,\)"):
        pg.normalize_advantages(np.ones(3), np.ones(2, bool))
