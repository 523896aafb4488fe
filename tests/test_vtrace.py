"""V-trace: identities first, then the paper's sum term by term, then the extremes."""

import enumerated
import numpy as np
import pytest
from test_returns import SHAPES, TOLERANCE, batch

import pgfast as pg
from pgfast import reference


def off_policy(T, N, dtype, *, seed=0, **kwargs):
    """A random rollout with log-ratios of both signs."""
    r, v, end, cut, final = batch(T, N, dtype, seed=seed, **kwargs)
    ratios = np.random.default_rng(seed + 1).normal(0, 0.7, (T, N)).astype(dtype)
    return r, v, ratios, end, cut, final


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_kernel_is_the_sum_of_the_paper(shape, dtype):
    *arrays, final = off_policy(*shape, dtype)
    for gamma, lam, rho_clip, c_clip in (
        (0.9, 1.0, 1.0, 1.0),
        (1.0, 0.8, 1.3, 0.9),
        (0.0, 1.0, 0.5, 2.0),
        (0.95, 0.0, 1.0, 1.0),
        (0.8, 1.0, np.inf, np.inf),
    ):
        kwargs = {"gamma": gamma, "lam": lam, "rho_clip": rho_clip, "c_clip": c_clip}
        ours = pg.vtrace(*arrays, **kwargs, final_values=final)
        theirs = reference.vtrace(*arrays, **kwargs, final_values=final)
        for name, a, b in zip(("targets", "advantages"), ours, theirs, strict=True):
            assert a.dtype == dtype
            tolerance = {"rtol": TOLERANCE[dtype], "atol": 5 * TOLERANCE[dtype]}
            np.testing.assert_allclose(a, b, **tolerance, err_msg=f"{name} {kwargs}")


def test_three_steps_by_hand():
    """w = 1/2, 4, 1/4, no clip below 2, γ = 1, V = 0: v₂ = 1/4·1, v₁ = 2·1 + 2·v₂ ... with ρ̄ = 2.

    The weights differ from 1 on both sides: one step too early or too late would show.
    """
    r, no = np.array([[1.0], [1.0], [1.0]]), np.zeros((3, 1), bool)
    log_ratios = np.log([[0.5], [4.0], [0.25]])
    targets, advantages = pg.vtrace(
        r, np.zeros((4, 1)), log_ratios, no, no, gamma=1.0, rho_clip=2.0, c_clip=1.0
    )
    # v₂ = ρ₂ = 1/4; v₁ = ρ₁ + c₁ v₂ = 2 + 1·1/4; v₀ = ρ₀ + c₀ v₁ = 1/2 + 1/2 · 9/4
    np.testing.assert_allclose(targets.ravel(), [1.625, 2.25, 0.25], rtol=1e-15)
    # ρₜ (1 + vₜ₊₁)
    np.testing.assert_allclose(advantages.ravel(), [0.5 * 3.25, 2 * 1.25, 0.25], rtol=1e-15)


@pytest.mark.parametrize("lam", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("clip", [1.0, 5.0, np.inf])
def test_on_policy_it_is_the_lambda_return_and_gae(lam, clip):
    """w = 1: nothing is clipped, whatever the clips ≥ 1."""
    r, v, _, end, cut, final = off_policy(40, 9, np.float64)
    kwargs = {"gamma": 0.97, "lam": lam, "final_values": final}
    targets, advantages = pg.vtrace(
        r, v, np.zeros_like(r), end, cut, **kwargs, rho_clip=clip, c_clip=clip
    )
    expected = pg.lambda_return(r, v, end, cut, **kwargs)
    np.testing.assert_allclose(targets, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(advantages, pg.gae(r, v, end, cut, **kwargs), rtol=1e-12, atol=1e-12)


def test_ratios_above_the_clips_are_as_good_as_the_clips():
    """ρ = c = 1 for any log-ratios ≥ 0: the λ-return with λ = 1."""
    r, v, ratios, end, cut, final = off_policy(30, 5, np.float64)
    kwargs = {"gamma": 0.9, "final_values": final}
    targets, _ = pg.vtrace(r, v, abs(ratios), end, cut, **kwargs)
    expected = pg.reward_to_go(r, end, cut, last_values=v[-1], **kwargs)
    np.testing.assert_allclose(targets, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("gamma", [0.0, 0.9, 1.0])
def test_unclipped_targets_are_unbiased_off_policy(gamma):
    """E over μ of v₀ is V^π(s₀), whatever V is: by enumeration of every trajectory."""
    pi, mu = enumerated.a_policy(seed=5), enumerated.a_policy(seed=6)
    rollout, chances = enumerated.trajectories()
    p = enumerated.probabilities(mu, rollout, chances)
    s, a = rollout.observations, rollout.actions
    ratios = pi.log_prob(s, a) - mu.log_prob(s, a)
    assert abs(ratios).max() > 0.5
    # any V of the state, and of the time
    v = np.random.default_rng(0).normal(size=(enumerated.H + 1, enumerated.S))
    values = np.concatenate([v[:-1, None] @ s.transpose(0, 2, 1), np.zeros((1, 1, len(p)))])[:, 0]
    targets, _ = pg.vtrace(
        rollout.rewards,
        values,
        ratios,
        rollout.terminated,
        rollout.truncated,
        gamma=gamma,
        rho_clip=np.inf,
        c_clip=np.inf,
    )
    _, exact = enumerated.objective(pi.theta, gamma)
    for state in range(enumerated.S):
        here = s[0, :, state] == 1
        mean = (p * targets[0])[here].sum() / p[here].sum()
        np.testing.assert_allclose(mean, exact[state], rtol=1e-12)


def test_ends_cut_as_everywhere():
    """One step that terminated, was truncated, both, or neither."""
    r, v = np.full((1, 4), 2.0), np.array([[1.0] * 4, [5.0] * 4])
    end = np.array([[True, False, True, False]])
    cut = np.array([[False, True, True, False]])
    targets, advantages = pg.vtrace(
        r, v, np.zeros_like(r), end, cut, gamma=0.5, final_values=np.array([8.0, 1e6])
    )
    np.testing.assert_array_equal(targets, [[2.0, 6.0, 2.0, 4.5]])
    np.testing.assert_array_equal(advantages, [[1.0, 5.0, 1.0, 3.5]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_ratios(dtype):
    """Where π never does it the weight is 0 and V stays; without clip it may be infinite."""
    r, no = np.ones((2, 3), dtype), np.zeros((2, 3), bool)
    v = np.full((3, 3), 0.5, dtype)
    ratios = np.array([[-np.inf, 1e4, np.nan], [-1e4, np.inf, 0.0]], dtype)
    targets, advantages = pg.vtrace(r, v, ratios, no, no, gamma=0.5)
    np.testing.assert_array_equal(targets[:, 0], 0.5)
    np.testing.assert_array_equal(advantages[:, 0], 0)
    np.testing.assert_array_equal(targets[:, 1], [1 + 0.5 * 1.25, 1.25])
    assert np.isnan(targets[0, 2])
    assert np.isnan(advantages[0, 2])
    assert targets[1, 2] == dtype(1.25)
    infinite, _ = pg.vtrace(r, v, ratios, no, no, gamma=0.5, rho_clip=np.inf, c_clip=np.inf)
    assert (infinite[:, 1] == np.inf).all()


def test_nothing_passes_the_end_of_an_episode():
    r, v, ratios, _, _, _ = off_policy(6, 3, np.float64)
    end, cut = np.zeros((6, 3), bool), np.zeros((6, 3), bool)
    end[2, 0] = cut[2, 1] = True
    final = np.zeros(1)
    clean = pg.vtrace(r, v, ratios, end, cut, gamma=0.9, final_values=final)
    for array in (r, ratios):
        array[3:, :2] = np.nan
    v[3:, :2] = np.inf
    spoiled = pg.vtrace(r, v, ratios, end, cut, gamma=0.9, final_values=final)
    for before, after in zip(clean, spoiled, strict=True):
        np.testing.assert_array_equal(after[:3, :2], before[:3, :2])
        np.testing.assert_array_equal(after[:, 2], before[:, 2])
        assert np.isnan(after[3:, :2]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_column_does_not_depend_on_its_neighbours(dtype):
    r, v, ratios, end, cut, _ = off_policy(9, 1100, dtype)
    whole = pg.vtrace(
        r, v, ratios, end, cut, gamma=0.9, lam=0.8, final_values=np.zeros(cut.sum(), dtype)
    )
    for columns in (slice(0, 1), slice(3, 10), slice(1020, 1100)):
        parts = [np.ascontiguousarray(a[:, columns]) for a in (r, v, ratios, end, cut)]
        zero = np.zeros(parts[4].sum(), dtype)
        part = pg.vtrace(*parts, gamma=0.9, lam=0.8, final_values=zero)
        for a, b in zip(part, whole, strict=True):
            np.testing.assert_array_equal(a, b[:, columns])


def test_threads_do_not_change_a_bit(threads):
    *arrays, final = off_policy(100, 5000, np.float32)
    first, *others = threads(lambda: pg.vtrace(*arrays, gamma=0.99, final_values=final))
    for other in others:
        for a, b in zip(other, first, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["rho_clip", "c_clip"])
@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan])
def test_a_clip_is_positive(name, bad):
    r, v, ratios, end, cut, final = off_policy(4, 3, np.float64)
    with pytest.raises(ValueError, match=rf"vtrace: {name} is {bad}, expected a number > 0"):
        pg.vtrace(r, v, ratios, end, cut, gamma=0.9, final_values=final, **{name: bad})
    with pytest.raises(TypeError, match=rf"vtrace: {name} is a str, expected a number > 0"):
        pg.vtrace(r, v, ratios, end, cut, gamma=0.9, final_values=final, **{name: "1"})


def test_a_truncated_step_needs_its_final_value():
    r, v, ratios, end, cut, _ = off_policy(4, 3, np.float64, ends=0, cuts=0)
    cut[1, 1] = True
    with pytest.raises(ValueError, match=r"vtrace: final_values is None, expected shape \(1,\)"):
        pg.vtrace(r, v, ratios, end, cut, gamma=0.9)
