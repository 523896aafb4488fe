"""Normalization: statistics against NumPy's on everything at once, and what must not leak."""

import numpy as np
import pytest

import pgfast as pg


def samples(shape=(50, 6, 3), seed=0):
    return np.random.default_rng(seed).normal([1.0, -5.0, 1e6], [1.0, 0.1, 3.0], shape)


# --- running moments ------------------------------------------------------------------------------


def test_moments_of_many_updates_are_those_of_everything():
    """Mean and variance as NumPy has them of all samples at once, however they were cut."""
    x = samples()
    valid = np.random.default_rng(1).random(x.shape[:-1]) < 0.7
    moments = pg.RunningMoments(3)
    for first, last in [(0, 1), (1, 7), (7, 7), (7, 50)]:
        moments.update(np.where(valid[..., None], x, np.nan)[first:last], valid[first:last])
    assert moments.count == valid.sum()
    np.testing.assert_allclose(moments.mean, x[valid].mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(moments.variance, x[valid].var(axis=0), rtol=1e-9)


def test_merging_is_seeing_both():
    x = samples()
    whole, first, second = (pg.RunningMoments(3) for _ in range(3))
    whole.update(x)
    first.update(x[:13])
    second.update(x[13:])
    first.merge(second)
    assert first.count == whole.count
    np.testing.assert_allclose(first.mean, whole.mean, rtol=1e-14)
    np.testing.assert_allclose(first.variance, whole.variance, rtol=1e-9)
    first.merge(pg.RunningMoments(3))  # one that has seen nothing
    assert first.count == whole.count
    empty = pg.RunningMoments(3)
    empty.merge(whole)
    np.testing.assert_array_equal(empty.variance, whole.variance)
    with pytest.raises(ValueError, match="merge: other has size 2, expected 3"):
        first.merge(pg.RunningMoments(2))


def test_a_large_mean_costs_no_digits():
    """1e9 ± 1 in float64: a sum of squares would have lost the variance."""
    x = np.random.default_rng(0).normal(size=(10_000, 1))
    moments = pg.RunningMoments(1)
    for part in np.split(x + 1e9, 100):
        moments.update(part)
    assert moments.variance[0] == pytest.approx(x.var(), rel=1e-6)


def test_bad_samples_leave_the_moments_alone():
    moments = pg.RunningMoments(2)
    moments.update(np.ones((4, 2)))
    before = moments.state()
    for bad, what in (
        (np.array([[1.0, np.nan]]), "update: samples holds nan, expected finite numbers"),
        (np.array([[np.inf, 1.0]]), "update: samples holds inf"),
        (np.ones((4, 3)), r"update: samples has shape \(4, 3\), expected \(..., 2\)"),
        (np.ones(2), r"update: samples has shape \(2,\)"),
    ):
        with pytest.raises(ValueError, match=what):
            moments.update(bad)
    with pytest.raises(ValueError, match=r"update: valid has shape \(3,\), expected \(4,\)"):
        moments.update(np.ones((4, 2)), np.ones(3, bool))
    with pytest.raises(TypeError, match="update: valid has dtype int64, expected bool"):
        moments.update(np.ones((4, 2)), np.ones(4, np.int64))
    for name, array in moments.state().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mean": None}, "expected 'mean' as well"),
        ({"mean": np.zeros(3)}, r"mean has shape \(3,\), expected \(2,\)"),
        ({"squares": np.array([1.0, np.nan])}, "squares is not finite"),
        ({"squares": np.array([1.0, -1.0])}, "negative"),
        ({"count": np.array([-1.0])}, "negative"),
    ],
)
def test_a_state_that_is_none_is_refused(change, message):
    moments = pg.RunningMoments(2)
    moments.update(np.ones((4, 2)))
    state = {**moments.state(), **change}
    with pytest.raises(ValueError, match=message):
        moments.restore({k: v for k, v in state.items() if v is not None})
    assert moments.count == 4


# --- observations ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_normalized_observations_have_mean_zero_and_variance_one(dtype):
    x = samples().astype(dtype)
    normalizer = pg.ObservationNormalizer(3)
    normalizer.update(x)
    y = normalizer(x)
    assert y.dtype == dtype
    assert y.shape == x.shape
    tolerance = 1e-5 if dtype == np.float32 else 1e-6
    np.testing.assert_allclose(y.mean(axis=(0, 1), dtype=np.float64), 0, atol=tolerance)
    np.testing.assert_allclose(y.std(axis=(0, 1), dtype=np.float64), 1, rtol=1e-5)
    expected = (x.astype(np.float64) - normalizer.mean) * normalizer.scale
    np.testing.assert_array_equal(y, expected.astype(dtype))


def test_far_away_is_clipped_and_applying_learns_nothing():
    normalizer = pg.ObservationNormalizer(1, clip=2.0)
    normalizer.update(np.array([[-1.0], [1.0]]))
    before = normalizer.state()
    y = normalizer(np.array([[1e9], [-1e9], [0.0], [np.nan]]))
    np.testing.assert_allclose(y.ravel(), [2, -2, 0, np.nan])
    for name, array in normalizer.state().items():
        np.testing.assert_array_equal(array, before[name])
    assert pg.ObservationNormalizer(1)(np.array([[3.0]])) == pytest.approx(3)  # nothing seen yet
    with pytest.raises(ValueError, match=r"observations has shape \(2, 2\), expected \(..., 1\)"):
        normalizer(np.ones((2, 2)))


def test_an_observation_that_never_changes_stays_finite():
    normalizer = pg.ObservationNormalizer(1)
    normalizer.update(np.full((100, 1), 0.1, np.float32))
    assert normalizer(np.full((1, 1), 0.1, np.float32)) == 0
    assert np.isfinite(normalizer(np.ones((1, 1), np.float32))).all()


def test_the_state_makes_the_same_normalizer_again():
    one, two = pg.ObservationNormalizer(3), pg.ObservationNormalizer(3)
    one.update(samples())
    state = one.state()
    assert all(array.dtype == np.float64 for array in state.values())
    two.restore(state)
    one.update(samples(seed=1))
    assert two.moments.count == 300
    two.update(samples(seed=1))
    x = samples(seed=2)
    np.testing.assert_array_equal(one(x), two(x))
    three, four = pg.ObservationNormalizer(3), pg.ObservationNormalizer(3)
    three.update(samples())
    four.update(samples(seed=1))
    three.merge(four)
    np.testing.assert_allclose(three(x), one(x), rtol=1e-9, atol=1e-9)


# --- rewards --------------------------------------------------------------------------------------


def running_returns(r, done, gamma, start=None):
    """Rₜ = rₜ + γ Rₜ₋₁, from 0 where the step before ended, step by step."""
    before = np.zeros(r.shape[1]) if start is None else start
    out = np.empty_like(r)
    for t in range(len(r)):
        out[t] = r[t] + gamma * before
        before = np.where(done[t], 0, out[t])
    return out


@pytest.mark.parametrize("gamma", [0.0, 0.9, 1.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rewards_are_scaled_by_the_deviation_of_the_discounted_return(gamma, dtype):
    """Over several batches, episodes going on from one to the next; both flags end one."""
    rng = np.random.default_rng(0)
    r = rng.normal(3, 2, (60, 5)).astype(dtype)
    end, cut = rng.random((60, 5)) < 0.1, rng.random((60, 5)) < 0.1
    normalizer = pg.RewardNormalizer(gamma=gamma)
    for first, last in [(0, 1), (1, 20), (20, 60)]:
        normalizer.update(r[first:last], end[first:last], cut[first:last])
    expected = running_returns(r.astype(np.float64), end | cut, gamma)
    assert normalizer.moments.count == r.size
    assert normalizer.scale == pytest.approx(1 / np.sqrt(expected.var() + 1e-8), rel=1e-10)
    scaled = normalizer(r)
    assert scaled.dtype == dtype
    np.testing.assert_allclose(scaled, np.clip(r * normalizer.scale, -10, 10), rtol=1e-6, atol=1e-6)


def test_nothing_passes_an_end_and_a_pause_is_passed_by():
    """A truncated episode's return does not reach the next one, nor does a row that is no step."""
    r = np.array([[1.0], [1.0], [np.nan], [1.0], [1.0]])
    cut = np.array([[False], [True], [False], [False], [False]])
    valid = np.array([[True], [True], [False], [True], [True]])
    normalizer = pg.RewardNormalizer(gamma=1.0)
    normalizer.update(r, np.zeros_like(cut), cut, valid)
    assert normalizer.moments.count == 4
    assert normalizer.moments.mean[0] == 1.5  # 1, 2; 1, 2
    assert normalizer.running == [2.0]


def test_whole_episodes_of_different_batches_may_differ_in_number():
    policy = pg.SoftmaxPolicy(4, 2)
    env = pg.make("CartPole-v1", 4, seed=0)
    normalizer = pg.RewardNormalizer(gamma=0.99)
    steps = 0
    for episodes in (3, 5):
        batch = pg.collect(env, policy, episodes=episodes)
        normalizer.update(batch.rewards, batch.terminated, batch.truncated, batch.valid)
        steps += batch.steps
    assert normalizer.moments.count == steps
    running = pg.RewardNormalizer(gamma=0.99)
    no = np.zeros((2, 3), bool)
    running.update(np.ones((2, 3)), no, no)
    with pytest.raises(ValueError, match=r"rewards has shape \(2, 2\), expected \(T, 3\)"):
        running.update(np.ones((2, 2)), no[:, :2], no[:, :2])
    assert running.moments.count == 6


def test_the_state_of_rewards_goes_on_in_the_middle_of_an_episode():
    rng = np.random.default_rng(0)
    no = np.zeros((5, 2), bool)
    one, two = pg.RewardNormalizer(gamma=0.9), pg.RewardNormalizer(gamma=0.9)
    one.update(rng.normal(size=(5, 2)), no, no)
    two.restore(one.state())
    more = rng.normal(size=(5, 2))
    for normalizer in (one, two):
        normalizer.update(more, no, no)
    assert one.scale == two.scale
    np.testing.assert_array_equal(one.running, two.running)


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match=r"RewardNormalizer: gamma is 1.5, expected a number in"):
        pg.RewardNormalizer(gamma=1.5)
    for kind in (
        lambda c: pg.RewardNormalizer(gamma=1, clip=c),
        lambda c: pg.ObservationNormalizer(1, clip=c),
    ):
        for bad in (0.0, -1.0, np.inf, np.nan):
            with pytest.raises(ValueError, match=f"Normalizer: clip is {bad}, expected a finite"):
                kind(bad)
    with pytest.raises(ValueError, match="RunningMoments: size is 0"):
        pg.ObservationNormalizer(0)
    with pytest.raises(ValueError, match=r"update: rewards has shape \(3,\), expected \(T, N\)"):
        pg.RewardNormalizer(gamma=1).update(np.ones(3), np.zeros(3, bool), np.zeros(3, bool))
