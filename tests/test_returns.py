"""Returns and advantages: identities first, then the twin, then the extremes."""

import functools

import numpy as np
import pytest

import pgfast as pg
from pgfast import reference

TOLERANCE = {np.float32: 2e-5, np.float64: 1e-12}


def batch(T, N, dtype, *, seed=0, ends=0.1, cuts=0.1):
    """Rewards, values, flags (some both) and final values of a random rollout."""
    rng = np.random.default_rng(seed)
    rewards = rng.normal(size=(T, N)).astype(dtype)
    values = rng.normal(size=(T + 1, N)).astype(dtype)
    terminated, truncated = rng.random((T, N)) < ends, rng.random((T, N)) < cuts
    final_values = rng.normal(size=truncated.sum()).astype(dtype)
    return rewards, values, terminated, truncated, final_values


GAE = functools.partial(pg.gae, lam=0.9)
BOOTSTRAPPED = [
    functools.partial(pg.n_step_return, n=1),
    functools.partial(pg.n_step_return, n=4),
    functools.partial(pg.n_step_return, n=1000),
    functools.partial(pg.lambda_return, lam=0.9),
]
"""Estimators of the return that a value function completes."""

SHAPES = [(1, 1), (1, 5), (7, 1), (13, 6), (64, 33), (5, 1025), (3, 2500)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_kernels_equal_their_twins(shape, dtype):
    r, v, end, cut, final = batch(*shape, dtype)
    tolerance = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    for gamma in (0.0, 0.9, 1.0):
        np.testing.assert_allclose(
            pg.episode_return(r, end, cut, gamma=gamma),
            reference.episode_return(r, end, cut, gamma=gamma),
            **tolerance,
        )
        for kwargs in ({}, {"last_values": v[-1], "final_values": final}, {"final_values": final}):
            np.testing.assert_allclose(
                pg.reward_to_go(r, end, cut, gamma=gamma, **kwargs),
                reference.reward_to_go(r, end, cut, gamma=gamma, **kwargs),
                **tolerance,
            )
        for lam in (0.0, 0.95, 1.0):
            kwargs = {"gamma": gamma, "lam": lam, "final_values": final}
            np.testing.assert_allclose(
                pg.gae(r, v, end, cut, **kwargs),
                reference.gae(r, v, end, cut, **kwargs),
                **tolerance,
            )
            np.testing.assert_allclose(
                pg.lambda_return(r, v, end, cut, **kwargs),
                reference.lambda_return(r, v, end, cut, **kwargs),
                **tolerance,
            )
        for n in (1, 2, 3, shape[0], shape[0] + 5):
            kwargs = {"gamma": gamma, "n": n, "final_values": final}
            np.testing.assert_allclose(
                pg.n_step_return(r, v, end, cut, **kwargs),
                reference.n_step_return(r, v, end, cut, **kwargs),
                **tolerance,
            )


def test_gae_with_lambda_one_is_reward_to_go_less_the_value():
    r, v, end, cut, final = batch(50, 9, np.float64)
    g = pg.reward_to_go(r, end, cut, gamma=0.97, last_values=v[-1], final_values=final)
    a = pg.gae(r, v, end, cut, gamma=0.97, lam=1.0, final_values=final)
    np.testing.assert_allclose(a, g - v[:-1], rtol=1e-12, atol=1e-12)


def test_gae_with_lambda_zero_is_the_temporal_difference():
    r, v, end, cut, final = batch(50, 9, np.float64)
    following = v[1:].copy()
    following[cut] = final
    following[end] = 0
    a = pg.gae(r, v, end, cut, gamma=0.97, lam=0.0, final_values=final)
    np.testing.assert_allclose(a, r + 0.97 * following - v[:-1], rtol=1e-12, atol=1e-12)


def test_gae_is_the_exponential_mean_of_the_n_step_advantages():
    """A = (1 - lam) sum_n lam^(n-1) A^(n), Schulman et al. 2016, eq. 16, inside one episode."""
    r, v, _, _, _ = batch(8, 1, np.float64)
    no = np.zeros_like(r, bool)
    gamma, lam, T = 0.9, 0.7, 8
    discount = gamma ** np.arange(T + 1)
    n_step = [
        (discount[:n] * r[:n, 0]).sum() + discount[n] * v[n, 0] - v[0, 0] for n in range(1, T + 1)
    ]
    weights = (1 - lam) * lam ** np.arange(T)
    weights[-1] = lam ** (T - 1)  # the tail of the series, all of it the last return
    a = pg.gae(r, v, no, no, gamma=gamma, lam=lam)
    np.testing.assert_allclose(a[0, 0], weights @ n_step, rtol=1e-12)


@pytest.mark.parametrize("gamma", [0.0, 0.9, 1.0])
@pytest.mark.parametrize("shape", [(50, 9), (1, 4), (6, 1), (1, 1)])
def test_n_step_returns_between_td_target_and_reward_to_go(shape, gamma):
    """n = 1 is r + γ V′; n ≥ T, also far above it, is reward-to-go, down to the last bit."""
    r, v, end, cut, final = batch(*shape, np.float64)
    following = v[1:].copy()
    following[cut] = final
    following[end] = 0
    kwargs = {"gamma": gamma, "final_values": final}
    one = pg.n_step_return(r, v, end, cut, n=1, **kwargs)
    np.testing.assert_allclose(one, r + gamma * following, rtol=1e-12, atol=1e-12)
    to_go = pg.reward_to_go(r, end, cut, last_values=v[-1], **kwargs)
    for n in (shape[0], shape[0] + 1, 2**62):
        np.testing.assert_array_equal(pg.n_step_return(r, v, end, cut, n=n, **kwargs), to_go)


@pytest.mark.parametrize("n", range(1, 9))
def test_an_n_step_return_is_one_step_and_a_return_of_one_less(n):
    """G⁽ⁿ⁾ₜ = rₜ + γ G⁽ⁿ⁻¹⁾ₜ₊₁ inside an episode, with G⁽⁰⁾ = V."""
    r, v, end, cut, final = batch(30, 4, np.float64)
    kwargs = {"gamma": 0.9, "final_values": final}
    longer = pg.n_step_return(r, v, end, cut, n=n, **kwargs)
    shorter = v[1:] if n == 1 else pg.n_step_return(r, v, end, cut, n=n - 1, **kwargs)[1:]
    inside = ~(end | cut)[: len(shorter)]
    expected = r[: len(shorter)] + 0.9 * shorter
    np.testing.assert_allclose(longer[: len(shorter)][inside], expected[inside], rtol=1e-12)


def test_two_step_returns_by_hand():
    """γ = 1/2, n = 2: a window inside, one at the truncated end, one behind it, one at the end."""
    r, v = np.array([[1.0], [2.0], [4.0], [8.0]]), np.array([[9.0], [9.0], [16.0], [32.0], [64.0]])
    cut = np.array([[False], [True], [False], [False]])
    g = pg.n_step_return(
        r, v, np.zeros_like(cut), cut, gamma=0.5, n=2, final_values=np.array([100.0])
    )
    # 1 + 2/2 + 100/4;  2 + 100/2;  4 + 8/2 + 64/4;  8 + 64/2
    np.testing.assert_array_equal(g.ravel(), [27.0, 52.0, 24.0, 40.0])


@pytest.mark.parametrize("lam", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("gamma", [0.0, 0.97, 1.0])
def test_the_lambda_return_is_gae_plus_the_value(gamma, lam):
    r, v, end, cut, final = batch(50, 9, np.float64)
    kwargs = {"gamma": gamma, "lam": lam, "final_values": final}
    g = pg.lambda_return(r, v, end, cut, **kwargs)
    np.testing.assert_allclose(g, pg.gae(r, v, end, cut, **kwargs) + v[:-1], rtol=1e-12, atol=1e-12)


def test_the_lambda_return_is_the_exponential_mean_of_the_n_step_returns():
    """(1 − λ) Σₙ λⁿ⁻¹ G⁽ⁿ⁾ with the rest of the series on the last one, through ends."""
    r, v, end, cut, final = batch(12, 5, np.float64, ends=0.15, cuts=0.15)
    gamma, lam, T = 0.9, 0.7, 12
    mean = np.zeros_like(r)
    for n in range(1, T + 1):
        weight = lam ** (n - 1) * ((1 - lam) if n < T else 1)
        mean += weight * pg.n_step_return(r, v, end, cut, gamma=gamma, n=n, final_values=final)
    g = pg.lambda_return(r, v, end, cut, gamma=gamma, lam=lam, final_values=final)
    np.testing.assert_allclose(g, mean, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("lam", "expected"),
    [
        (1.0, [[-1.45118, -4.4557, 2.5396, 0.5249, -0.49], [3.0, 2.0, 1.0, 0.0, -4.9]]),
        (0.7, [[-0.676979, -5.248167, 2.4846, 0.6704, -0.49], [2.2899, 1.73, 1.0, 0.0, -4.9]]),
        (0.4, [[0.56731, -6.042, 2.3431, 0.815, -0.49], [1.725, 1.46, 1.0, 0.0, -4.9]]),
    ],
)
def test_published_advantages(lam, expected):
    """The numbers of rlax's multistep_test.py (TruncatedGeneralizedAdvantageEstimationTest), which
    are rounded to 1e-3. Its discount of 0 is a step that terminated."""
    rewards = np.array([[0.0, 0.0, 1.0, 0.0, -0.5], [0.0, 0.0, 0.0, 0.0, 1.0]])
    values = np.array([[1.0, 4.0, -3.0, -2.0, -1.0, -1.0], [-3.0, -2.0, -1.0, 0.0, 5.0, -1.0]])
    for row, gamma in enumerate((0.99, 0.9)):
        r, v = rewards[row][:, None].copy(), values[row][:, None].copy()
        no = np.zeros_like(r, bool)
        end = no.copy()
        end[3] = row == 1
        a = pg.gae(r, v, end, no, gamma=gamma, lam=lam)
        np.testing.assert_allclose(a.ravel(), expected[row], atol=1e-3)
        g = pg.lambda_return(r, v, end, no, gamma=gamma, lam=lam)
        np.testing.assert_allclose(g.ravel(), expected[row] + values[row, :-1], atol=1e-3)


def test_a_rollout_cut_in_two_gives_the_same_reward_to_go():
    """The value of the cut is the reward-to-go of what follows."""
    r, v, end, cut, final = batch(40, 11, np.float64)
    whole = pg.reward_to_go(r, end, cut, gamma=0.9, last_values=v[-1], final_values=final)
    k = cut[:25].sum()
    second = pg.reward_to_go(
        r[25:], end[25:], cut[25:], gamma=0.9, last_values=v[-1], final_values=final[k:]
    )
    first = pg.reward_to_go(
        r[:25], end[:25], cut[:25], gamma=0.9, last_values=second[0], final_values=final[:k]
    )
    np.testing.assert_allclose(np.concatenate([first, second]), whole, rtol=1e-12)


def test_the_return_of_an_episode_is_its_first_reward_to_go_on_every_step():
    r, _, end, cut, _ = batch(60, 7, np.float64)
    whole = pg.episode_return(r, end, cut, gamma=0.9)
    to_go = pg.reward_to_go(r, end, cut, gamma=0.9)
    done = end | cut
    first = np.vstack([np.ones((1, 7), bool), done[:-1]])
    for n in range(7):
        starts = np.flatnonzero(first[:, n])
        expected = np.repeat(to_go[starts, n], np.diff([*starts, 60]))
        np.testing.assert_allclose(whole[:, n], expected, rtol=1e-12)


def test_constant_values_of_a_constant_reward_have_no_advantage():
    """V = r / (1 - gamma) everywhere, also at the cuts: A = 0 for any lambda."""
    gamma, shape = 0.9, (30, 5)
    _, _, _, cut, final = batch(*shape, np.float64)
    r, v = np.ones(shape), np.full((31, 5), 1 / (1 - gamma))
    a = pg.gae(
        r, v, np.zeros(shape, bool), cut, gamma=gamma, lam=0.8, final_values=0 * final + v[0, 0]
    )
    np.testing.assert_allclose(a, 0, atol=1e-12)


def test_where_both_flags_are_set_the_step_terminated():
    r, v = np.ones((2, 1)), np.full((3, 1), 5.0)
    flag = np.array([[True], [False]])
    no = np.zeros_like(flag)
    final = np.array([1e6])
    both = pg.gae(r, v, flag, flag, gamma=0.9, lam=0.9, final_values=final)
    only = pg.gae(r, v, flag, no, gamma=0.9, lam=0.9)
    np.testing.assert_array_equal(both, only)
    both = pg.reward_to_go(r, flag, flag, gamma=0.9, last_values=v[2], final_values=final)
    np.testing.assert_array_equal(both[0], 1)
    for estimator in BOOTSTRAPPED:
        both = estimator(r, v, flag, flag, gamma=0.9, final_values=final)
        np.testing.assert_array_equal(both, estimator(r, v, flag, no, gamma=0.9))
        np.testing.assert_array_equal(both[0], 1)


@pytest.mark.parametrize("estimator", [GAE, *BOOTSTRAPPED])
def test_nothing_passes_the_end_of_an_episode(estimator):
    """NaN and infinity behind an end do not reach what is before it."""
    r, v, _, cut, _ = batch(6, 3, np.float64, cuts=0)
    end = np.zeros((6, 3), bool)
    end[2, 0] = cut[2, 1] = True
    final = np.zeros(1)
    clean = estimator(r, v, end, cut, gamma=0.9, final_values=final)
    r[3:, :2], v[3:, :2] = np.nan, np.inf
    spoiled = estimator(r, v, end, cut, gamma=0.9, final_values=final)
    np.testing.assert_array_equal(spoiled[:3, :2], clean[:3, :2])
    np.testing.assert_array_equal(spoiled[:, 2], clean[:, 2])
    assert np.isnan(spoiled[3:, :2]).all()


def test_nan_goes_in_and_comes_out():
    r, v, end, cut, final = batch(9, 40, np.float32, ends=0, cuts=0)
    r[5, 17] = np.nan
    for result in (
        pg.episode_return(r, end, cut, gamma=0.9),
        pg.reward_to_go(r, end, cut, gamma=0.9),
        pg.gae(r, v, end, cut, gamma=0.9, lam=0.9, final_values=final),
        pg.n_step_return(r, v, end, cut, gamma=0.9, n=9, final_values=final),
        pg.lambda_return(r, v, end, cut, gamma=0.9, lam=0.9, final_values=final),
    ):
        assert np.isnan(result[:6, 17]).all()
        assert np.isfinite(np.delete(result, 17, axis=1)).all()


@pytest.mark.parametrize("estimator", [GAE, *BOOTSTRAPPED])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_column_does_not_depend_on_its_neighbours(dtype, estimator):
    """Any columns, alone or among others, have the same bits."""
    r, v, end, cut, _ = batch(17, 1100, dtype)
    whole = estimator(r, v, end, cut, gamma=0.9, final_values=np.zeros(cut.sum(), dtype))
    for columns in (slice(0, 1), slice(3, 10), slice(1020, 1100)):
        parts = [np.ascontiguousarray(a[:, columns]) for a in (r, v, end, cut)]
        zero = np.zeros(parts[3].sum(), dtype)
        part = estimator(*parts, gamma=0.9, final_values=zero)
        np.testing.assert_array_equal(part, whole[:, columns])


@pytest.mark.parametrize("estimator", [GAE, *BOOTSTRAPPED])
def test_threads_do_not_change_a_bit(threads, estimator):
    r, v, end, cut, final = batch(200, 5000, np.float32)
    first, *others = threads(lambda: estimator(r, v, end, cut, gamma=0.99, final_values=final))
    for other in others:
        np.testing.assert_array_equal(other, first)


@pytest.mark.parametrize("byte", [2, 128, 255])
def test_every_byte_but_zero_is_true(byte):
    """As for NumPy, whose views of other numbers have such; each counts once."""
    rewards, values, terminated, truncated, final_values = batch(40, 70, np.float32)
    flags = (terminated, truncated)
    of_bytes = [(byte * flag.astype(np.uint8)).view(np.bool_) for flag in flags]
    arguments = {"final_values": final_values, "gamma": 0.9, "lam": 0.8}
    expected = pg.gae(rewards, values, *flags, **arguments)
    np.testing.assert_array_equal(pg.gae(rewards, values, *of_bytes, **arguments), expected)
    centred = pg.normalize_advantages(rewards, truncated)
    np.testing.assert_array_equal(pg.normalize_advantages(rewards, of_bytes[1]), centred)


def test_a_truncated_step_needs_its_final_value_as_soon_as_there_is_a_critic():
    r, v, _, cut, _ = batch(4, 3, np.float32, ends=0, cuts=0)
    end, cut[1, 1] = np.zeros_like(cut), True
    with pytest.raises(ValueError, match=r"gae: final_values is None, expected shape \(1,\)"):
        pg.gae(r, v, end, cut, gamma=0.9, lam=0.9)
    with pytest.raises(ValueError, match="n_step_return: final_values is None"):
        pg.n_step_return(r, v, end, cut, gamma=0.9, n=2)
    with pytest.raises(ValueError, match="lambda_return: final_values is None"):
        pg.lambda_return(r, v, end, cut, gamma=0.9, lam=0.9)
    with pytest.raises(ValueError, match="reward_to_go: final_values is None"):
        pg.reward_to_go(r, end, cut, gamma=0.9, last_values=v[-1])
    end[1, 1] = True  # then it terminated, and no value is needed
    pg.gae(r, v, end, cut, gamma=0.9, lam=0.9)
    with pytest.raises(ValueError, match=r"gae: final_values has shape \(2,\), expected \(1,\)"):
        pg.gae(r, v, end, cut, gamma=0.9, lam=0.9, final_values=np.zeros(2, np.float32))


def test_the_return_passes_by_rows_that_are_no_steps():
    """A row that only resets, as under NEXT_STEP, does not discount the episode behind it."""
    r = np.array([[1.0], [9.0], [1.0], [1.0]])
    end = np.array([[True], [False], [False], [True]])
    valid = np.array([[True], [False], [True], [True]])
    no = np.zeros_like(end)
    for module in (pg, reference):
        whole = module.episode_return(r, end, no, gamma=0.9, valid=valid)
        np.testing.assert_allclose(whole.ravel()[[0, 2, 3]], [1, 1.9, 1.9])


@pytest.mark.parametrize("bad", [0, -3])
def test_a_window_has_a_step(bad):
    r, v, end, cut, final = batch(4, 3, np.float64)
    with pytest.raises(ValueError, match=rf"n_step_return: n is {bad}, expected at least 1"):
        pg.n_step_return(r, v, end, cut, gamma=0.9, n=bad, final_values=final)
    with pytest.raises(TypeError, match="n_step_return: n is a float, expected an int"):
        pg.n_step_return(r, v, end, cut, gamma=0.9, n=2.0, final_values=final)
