"""Baselines."""

import numpy as np
import pytest

import pgfast as pg
from pgfast import reference

NAMES = ["constant_baseline", "time_baseline", "leave_one_out_baseline"]


def batch(dtype=np.float64, shape=(20, 13), seed=0):
    """Returns of episodes of different lengths."""
    rng = np.random.default_rng(seed)
    valid = np.arange(shape[0])[:, None] < rng.integers(1, shape[0] + 1, shape[1])
    return np.where(valid, rng.normal(size=shape), 0).astype(dtype), valid


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", NAMES)
def test_kernels_equal_their_twins(name, dtype):
    kernel, twin = getattr(pg, name), getattr(reference, name)
    tolerance = 1e-6 if dtype == np.float32 else 1e-13
    for shape in [(1, 1), (1, 7), (7, 1), (20, 13), (300, 70)]:
        g, valid = batch(dtype, shape)
        for mask in (valid, None):
            b = kernel(g, mask)
            assert b.dtype == dtype
            np.testing.assert_allclose(b, twin(g, mask), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", NAMES)
def test_what_did_not_happen_has_no_part(name):
    g, valid = batch()
    baseline = getattr(pg, name)
    clean = baseline(g, valid)
    np.testing.assert_array_equal(clean[~valid], 0)
    np.testing.assert_array_equal(baseline(np.where(valid, g, np.nan), valid), clean)


def test_subtracting_a_mean_leaves_sum_zero():
    g, valid = batch()
    np.testing.assert_allclose((g - pg.constant_baseline(g, valid))[valid].sum(), 0, atol=1e-12)
    left = np.where(valid, g - pg.time_baseline(g, valid), 0)
    np.testing.assert_allclose(left.sum(axis=1), 0, atol=1e-12)


def test_leave_one_out_does_not_depend_on_its_own_trajectory():
    g, valid = batch()
    before = pg.leave_one_out_baseline(g, valid)
    g[:, 4] = np.where(valid[:, 4], 1e6, 0)
    after = pg.leave_one_out_baseline(g, valid)
    np.testing.assert_allclose(after[:, 4], before[:, 4], rtol=1e-7, atol=1e-8)
    assert (abs(after[0] - before[0]) > 1).sum() == g.shape[1] - 1


def test_leave_one_out_is_the_time_baseline_with_advantages_stretched():
    """g - b_loo = N / (N - 1) (g - b_time)."""
    g, _ = batch()
    N = g.shape[1]
    np.testing.assert_allclose(
        g - pg.leave_one_out_baseline(g), N / (N - 1) * (g - pg.time_baseline(g)), rtol=1e-10
    )


def test_one_trajectory_has_no_others():
    g = np.array([[1.0], [2.0]])
    np.testing.assert_array_equal(pg.leave_one_out_baseline(g), 0)
    np.testing.assert_array_equal(pg.time_baseline(g), g)


@pytest.mark.parametrize("name", NAMES)
def test_nan_goes_in_and_comes_out(name):
    g, _ = batch()
    g[3, 2] = np.nan
    assert np.isnan(getattr(pg, name)(g)[3, 5])


@pytest.mark.parametrize("name", NAMES)
def test_threads_do_not_change_a_bit(name, threads):
    g, valid = batch(np.float32, (400, 500))
    first, *others = threads(lambda: getattr(pg, name)(g, valid))
    for other in others:
        np.testing.assert_array_equal(other, first)
