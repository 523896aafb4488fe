"""Baselines."""

import enumerated
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


# --- linear ---------------------------------------------------------------------------------------


def observations(dtype=np.float64, shape=(20, 13), D=3, seed=1):
    return np.random.default_rng(seed).normal(size=(*shape, D)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("ridge", [1e-5, 0.1, 100.0])
def test_the_linear_baseline_equals_its_twin(dtype, ridge):
    tolerance = 2e-5 if dtype == np.float32 else 1e-9
    for shape in [(20, 13), (300, 70)]:
        g, valid = batch(dtype, shape)
        s = observations(dtype, shape)
        for mask in (valid, None):
            b = pg.linear_baseline(g, mask, s, ridge=ridge)
            assert b.dtype == dtype
            expected = reference.linear_baseline(g, mask, s, ridge=ridge)
            np.testing.assert_allclose(b, expected, rtol=tolerance, atol=tolerance)


def test_the_linear_baseline_finds_what_is_linear_in_its_regressors():
    """g = 1 + 2 s₀ − s₁² + 3 τ³ is predicted exactly where nothing is penalised."""
    _, valid = batch(shape=(150, 8))
    s = observations(shape=(150, 8))
    tau = np.arange(150)[:, None] / 100
    g = 1 + 2 * s[..., 0] - s[..., 1] ** 2 + 3 * tau**3
    b = pg.linear_baseline(g, valid, s, ridge=0.0)
    np.testing.assert_allclose(b, np.where(valid, g, 0), atol=1e-9)


def test_a_penalty_beyond_measure_leaves_the_constant_baseline():
    g, valid = batch()
    b = pg.linear_baseline(g, valid, observations(), ridge=1e15)
    np.testing.assert_allclose(b, pg.constant_baseline(g, valid), atol=1e-10)


def test_residuals_of_the_linear_baseline_have_mean_zero():
    """The intercept is not penalised."""
    g, valid = batch()
    b = pg.linear_baseline(g, valid, observations(), ridge=10.0)
    assert abs((g - b)[valid].sum()) < 1e-11


def test_what_did_not_happen_has_no_part_in_the_linear_baseline():
    g, valid = batch()
    s = observations()
    clean = pg.linear_baseline(g, valid, s)
    np.testing.assert_array_equal(clean[~valid], 0)
    dirty = np.where(valid[..., None], s, np.nan)
    np.testing.assert_array_equal(
        pg.linear_baseline(np.where(valid, g, np.nan), valid, dirty), clean
    )
    np.testing.assert_array_equal(pg.linear_baseline(g, np.zeros_like(valid), s), 0)
    g[0, 0] = np.nan
    assert np.isnan(pg.linear_baseline(g, valid, s)[valid]).all()


def test_one_step_is_its_own_linear_baseline():
    g = np.array([[3.0]])
    np.testing.assert_allclose(pg.linear_baseline(g, None, np.array([[[2.0, 1.0]]])), 3.0)


def test_linear_baselines_on_any_threads(threads):
    g, valid = batch(np.float32, (400, 60))
    s = observations(np.float32, (400, 60), D=5)
    first, *others = threads(lambda: pg.linear_baseline(g, valid, s))
    for other in others:
        np.testing.assert_array_equal(other, first)
    with pytest.raises(ValueError, match=r"linear_baseline: ridge is -1.0, expected a finite"):
        pg.linear_baseline(g, valid, s, ridge=-1.0)


# --- the one of least variance --------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("per_time", [False, True])
def test_the_optimal_baseline_equals_its_twin(dtype, per_time):
    tolerance = 1e-6 if dtype == np.float32 else 1e-13
    for shape in [(1, 1), (1, 7), (20, 13), (300, 500)]:
        g, valid = batch(dtype, shape)
        norms = np.square(observations(dtype, shape)).sum(axis=-1)
        for mask in (valid, None):
            expected = reference.optimal_baseline(g, mask, norms, per_time=per_time)
            b = pg.optimal_baseline(g, mask, norms, per_time=per_time)
            assert b.dtype == dtype
            np.testing.assert_allclose(b, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("per_time", [False, True])
def test_the_optimal_baseline_on_any_threads(per_time, masked, threads):
    g, valid = batch(np.float32, (300, 500))
    norms = np.square(observations(np.float32, (300, 500))).sum(axis=-1)
    first, *others = threads(
        lambda: pg.optimal_baseline(g, valid if masked else None, norms, per_time=per_time)
    )
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_equal_norms_make_the_optimal_baseline_a_mean():
    g, valid = batch()
    norms = np.full_like(g, 3.0)
    np.testing.assert_allclose(
        pg.optimal_baseline(g, valid, norms), pg.constant_baseline(g, valid), rtol=1e-12
    )
    np.testing.assert_allclose(
        pg.optimal_baseline(g, valid, norms, per_time=True),
        pg.time_baseline(g, valid),
        rtol=1e-12,
    )


def test_norms_of_zero_and_below():
    g, valid = batch()
    np.testing.assert_array_equal(pg.optimal_baseline(g, valid, np.zeros_like(g)), 0)
    with pytest.raises(ValueError, match=r"optimal_baseline: score_norms holds -1.0+, expected"):
        pg.optimal_baseline(g, valid, -np.ones_like(g))


def test_score_norms_are_the_squared_lengths_of_scores():
    policy = pg.SoftmaxPolicy(3, 4, hidden=(5,), dtype=np.float64, seed=1)
    s, a = observations(), np.random.default_rng(2).integers(0, 4, (20, 13))
    expected = (policy.scores(s, a) ** 2).sum(axis=-1)
    np.testing.assert_allclose(pg.score_norms(policy, s, a), expected, rtol=1e-13)


# --- proofs, by enumeration of every trajectory ---------------------------------------------------


@pytest.fixture
def tree():
    """The policy, all trajectories, their probabilities (M,) and scores (H, M, P)."""
    policy = enumerated.a_policy()
    rollout, chances = enumerated.trajectories()
    p = enumerated.probabilities(policy, rollout, chances)
    np.testing.assert_allclose(p.sum(), 1, rtol=1e-12)
    return policy, rollout, p, policy.scores(rollout.observations, rollout.actions)


def returns_of(rollout, gamma=1.0):
    flags = rollout.terminated, rollout.truncated
    to_go = pg.reward_to_go(rollout.rewards, *flags, gamma=gamma)
    return to_go, pg.episode_return(rollout.rewards, *flags, gamma=gamma)


def test_a_baseline_that_does_not_read_the_action_has_expectation_zero(tree):
    """E Σₜ ∇ log π(aₜ|sₜ) b = 0 for any b of time, state and past, not for one of the action."""
    _, rollout, p, scores = tree
    rng = np.random.default_rng(3)
    of_time = np.broadcast_to(rng.normal(size=(enumerated.H, 1)), rollout.rewards.shape)
    of_state = np.einsum("tms,ts->tm", rollout.observations, rng.normal(size=(enumerated.H, 3)))
    of_past = np.vstack([np.zeros((1, len(p))), rollout.rewards[:-1].cumsum(axis=0) ** 2])
    for b in (of_time, of_state, of_past):
        assert abs(b).max() > 0.5
        np.testing.assert_allclose(np.einsum("m,tm,tmp->p", p, b, scores), 0, atol=1e-13)
    of_action = rollout.actions.astype(float)
    assert abs(np.einsum("m,tm,tmp->p", p, of_action, scores)).max() > 0.01


def test_reward_to_go_is_unbiased_and_varies_less_than_the_whole_return(tree):
    """Both estimators have the mean ∇J, here by finite differences of J."""
    policy, rollout, p, scores = tree
    to_go, whole = returns_of(rollout)
    theta, exact = policy.theta, np.empty(len(policy.theta))
    for i, direction in enumerate(np.eye(len(theta))):
        plus, minus = (enumerated.objective(theta + h * direction)[0] for h in (1e-5, -1e-5))
        exact[i] = (plus - minus) / 2e-5
    variances = []
    for weights in (to_go, whole):
        mean, variance = enumerated.mean_and_variance(p, np.einsum("tm,tmp->mp", weights, scores))
        np.testing.assert_allclose(mean, exact, atol=1e-9)
        variances.append(variance)
    assert variances[0] < variances[1]


def population(p, weights, g):
    """E[w g] / E[w] by `optimal_baseline`: a trajectory's weight is its norm times its chance."""
    return pg.optimal_baseline(g[None], None, np.ascontiguousarray((p * weights)[None]))[0, 0]


def test_the_optimal_baseline_has_the_least_variance_of_all_constants(tree):
    """The naive estimator Σₜ ∇ log πₜ (R − b): exactly, by enumeration. Its variance is a parabola
    in b, so being below both sides at a small and at a large distance is being the vertex."""
    _, rollout, p, scores = tree
    whole = returns_of(rollout)[1][0]
    summed = scores.sum(axis=0)
    best = population(p, (summed**2).sum(axis=1), whole)
    assert abs(best - p @ whole) > 1e-3  # it is not the mean

    def variance(b):
        return enumerated.mean_and_variance(p, (whole - b)[:, None] * summed)[1]

    for distance in (1e-4, 0.1, 10.0):
        assert variance(best) < variance(best + distance)
        assert variance(best) < variance(best - distance)
        np.testing.assert_allclose(variance(best + distance), variance(best - distance), rtol=1e-9)
    assert variance(best) < variance(p @ whole) < variance(0.0)


def test_per_time_it_has_the_least_variance_of_each_step(tree):
    """∇ log π(aₜ|sₜ) (Gₜ − bₜ), one step at a time."""
    _, rollout, p, scores = tree
    to_go, _ = returns_of(rollout)
    norms = (scores**2).sum(axis=-1) * p
    b = pg.optimal_baseline(to_go, None, norms, per_time=True)
    for t in range(enumerated.H):

        def variance(shift, t=t):
            left = to_go[t] - b[t] - shift
            return enumerated.mean_and_variance(p, left[:, None] * scores[t])[1]

        for distance in (1e-4, 0.1, 10.0):
            np.testing.assert_allclose(variance(distance), variance(-distance), rtol=1e-9)
            assert variance(0.0) < variance(distance)
