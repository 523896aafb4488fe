"""Diagnostics: each by its formula, and on batches whose statistics are known exactly."""

import dataclasses

import enumerated
import numpy as np
import pytest

import pgfast as pg


def a_batch(policy, episodes=40, seed=3):
    env = pg.make("CartPole-v1", 8, seed=seed, dtype=policy.dtype)
    return pg.collect(env, policy, episodes=episodes)


@pytest.fixture
def policy():
    policy = pg.SoftmaxPolicy(4, 2, dtype=np.float64, seed=2)
    policy.theta += 0.3 * pg.normal(policy.theta.shape, seed=1, dtype=np.float64)
    return policy


def test_the_mean_of_episode_gradients_is_the_gradient_of_the_batch(policy):
    batch = a_batch(policy)
    for algorithm in (pg.PolicyGradient(), pg.Reinforce(), pg.Reinforce(baseline="optimal")):
        gradients = pg.episode_gradients(policy, batch, algorithm.weights(batch, policy))
        assert gradients.shape == (40, len(policy.theta))
        np.testing.assert_allclose(
            gradients.mean(axis=0), algorithm.gradient(policy, batch), rtol=1e-10, atol=1e-10
        )
    with pytest.raises(ValueError, match="episode_gradients: weights has shape"):
        pg.episode_gradients(policy, batch, np.zeros((2, 2)))


def test_episode_gradients_are_those_of_the_actions_that_were_allowed(policy):
    """A mask takes part in the probabilities."""
    rng = np.random.default_rng(0)
    batch = a_batch(policy)
    masks = rng.random((*batch.actions.shape, 2)) < 0.5
    masks[np.arange(len(masks))[:, None], np.arange(masks.shape[1]), batch.actions] = True
    batch = dataclasses.replace(batch, masks=masks)
    algorithm = pg.Reinforce()
    gradients = pg.episode_gradients(policy, batch, algorithm.weights(batch, policy))
    np.testing.assert_allclose(
        gradients.mean(axis=0), algorithm.gradient(policy, batch), rtol=1e-10, atol=1e-10
    )
    assert np.abs(gradients).max() > 0


def test_variance_and_signal_to_noise_are_their_formulas():
    g = np.random.default_rng(0).normal(1, 2, (50, 7))
    variance = np.trace(np.cov(g.T))
    assert pg.gradient_variance(g) == pytest.approx(variance, rel=1e-12)
    signal = (g.mean(axis=0) ** 2).sum()
    assert pg.signal_to_noise_ratio(g) == pytest.approx(signal / (variance / 50), rel=1e-12)
    # of float32 the sums are taken in float64
    assert pg.gradient_variance((g + 1e3).astype(np.float32)) == pytest.approx(variance, rel=1e-3)


def test_the_variance_of_samples_estimates_that_of_the_enumeration():
    """1000 draws from the enumerated trajectories; a region of six standard errors."""
    policy = enumerated.a_policy()
    rollout, chances = enumerated.trajectories()
    p = enumerated.probabilities(policy, rollout, chances)
    g = pg.episode_gradients(policy, rollout, pg.Reinforce(baseline="none").weights(rollout))
    mean, exact = enumerated.mean_and_variance(p, g)
    drawn = g[np.random.default_rng(1).choice(len(p), 1000, p=p / p.sum())]
    deviations = ((g - mean) ** 2).sum(axis=1)
    error = np.sqrt(p @ (deviations - exact) ** 2 / 1000)
    assert abs(pg.gradient_variance(drawn) - exact) < 6 * error
    assert error < 0.2 * exact


def test_gradients_without_noise_or_signal():
    same = np.full((3, 2), 2.0)
    assert pg.gradient_variance(same) == 0
    assert pg.signal_to_noise_ratio(same) == np.inf
    assert pg.signal_to_noise_ratio(0 * same) == 0
    assert pg.signal_to_noise_ratio(np.array([[1.0], [-1.0]])) == 0
    for function in (pg.gradient_variance, pg.signal_to_noise_ratio):
        with pytest.raises(ValueError, match=rf"{function.__name__}: gradients has shape \(1, 2\)"):
            function(np.ones((1, 2)))


def test_the_effective_sample_size_is_its_formula():
    x = np.random.default_rng(0).normal(size=(20, 5))
    w = np.exp(x)
    assert pg.effective_sample_size(x) == pytest.approx(w.sum() ** 2 / (w**2).sum(), rel=1e-12)
    assert pg.effective_sample_size(np.full(9, -3.0)) == pytest.approx(9, rel=1e-12)
    # a factor of all weights cancels, where exp itself would overflow
    assert pg.effective_sample_size(x + 5000) == pytest.approx(pg.effective_sample_size(x))
    assert pg.effective_sample_size(np.array([0.0, -np.inf, -800.0])) == 1
    assert pg.effective_sample_size(np.full(3, -np.inf)) == 0
    valid = x > 0
    assert pg.effective_sample_size(x, valid) == pg.effective_sample_size(x[valid])
    assert np.isnan(pg.effective_sample_size(np.array([0.0, np.nan])))
    with pytest.raises(ValueError, match="effective_sample_size: valid has shape"):
        pg.effective_sample_size(x, valid[0])


def test_baselines_are_compared_by_the_variance_of_their_gradients(policy):
    batch = a_batch(policy)
    result = pg.compare_baselines(policy, batch, gamma=0.99)
    assert list(result) == ["none", "constant", "time", "leave-one-out", "linear", "optimal"]
    for name, variance in result.items():
        weights = pg.Reinforce(baseline=name, gamma=0.99).weights(batch, policy)
        scores = policy.scores(batch.observations, batch.actions)
        g = np.einsum("tk,tkp->kp", weights, scores)
        assert variance == pytest.approx(np.trace(np.cov(g.T)), rel=1e-9)
    # returns of CartPole fall with the time, which these two know
    assert result["time"] < result["none"]
    assert result["linear"] < result["none"]

    def mine(returns, valid):
        return 0 * returns

    assert pg.compare_baselines(policy, batch, gamma=0.99, baselines=[mine]) == {
        "mine": result["none"]
    }


def test_what_can_not_be_compared_is_refused(policy):
    env = pg.make("CartPole-v1", 4, seed=0, dtype=np.float64)
    steps = pg.collect(env, policy, steps=5)
    with pytest.raises(ValueError, match="compare_baselines: batch is of steps"):
        pg.compare_baselines(policy, steps, gamma=0.9)
    with pytest.raises(ValueError, match="baseline is 'best'"):
        pg.compare_baselines(policy, a_batch(policy, 3), gamma=0.9, baselines=["best"])
