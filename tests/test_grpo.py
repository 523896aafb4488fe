"""GRPO: group-relative advantages, the clipped steps, and the bandit that is REINFORCE."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from batches import D, a_batch, a_policy, step_of
from test_actor_critic import plain_step, twin_of

import pgfast as pg
from pgfast.reference import algorithms as twins


def returns_of(batch, gamma):
    """The discounted return of each column's episode."""
    discounts = gamma ** np.arange(len(batch.rewards), dtype=float)
    return (discounts[:, None] * batch.rewards * batch.valid).sum(axis=0)


@pytest.mark.parametrize("divide_by_std", [False, True])
@pytest.mark.parametrize("gamma", [0.0, 0.9, 1.0])
def test_advantages_are_those_of_the_group(gamma, divide_by_std):
    """(R − mean) / std of the group on every step of the episode, 0 behind its end."""
    batch = a_batch(a_policy(), N=12, whole=True)
    algorithm = pg.GRPO(groups=3, group_size=4, gamma=gamma, divide_by_std=divide_by_std)
    advantages = algorithm.advantages(batch)
    expected = twins.group_advantages(returns_of(batch, gamma), 4, divide_by_std)
    np.testing.assert_allclose(advantages, expected * batch.valid, rtol=1e-9, atol=1e-12)
    assert (advantages[~batch.valid] == 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_group_of_equal_returns_teaches_nothing(dtype):
    """No division by a deviation that is 0 but for rounding; other groups are judged as ever."""
    batch = a_batch(a_policy(dtype=dtype), N=8, T=1, whole=True)
    rewards = batch.rewards.copy()
    rewards[:, :4] = dtype(0.1) * (1 + np.arange(4) % 2 * np.finfo(dtype).eps).astype(dtype)
    batch = dataclasses.replace(batch, rewards=rewards)
    advantages = pg.GRPO(groups=2, group_size=4).advantages(batch)
    assert (advantages[:, :4] == 0).all()
    np.testing.assert_allclose(advantages[:, 4:].std(), 1, rtol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {"clip": None, "epochs": 1, "batch_size": None},
        {"clip": 0.05, "epochs": 3, "batch_size": 16},
        {"entropy": 0.3, "divide_by_std": False, "max_gradient_norm": None},
        {"prior_kl": 0.7, "epochs": 2, "batch_size": 30},
        {"gamma": 0.9, "discount_states": True},
    ],
)
@pytest.mark.parametrize("kind", ["linear", "tanh"])
def test_grpo_is_its_pseudocode(kind, settings):
    """Two updates in a row against the twin's minibatches."""
    policy, prior = a_policy(kind), a_policy(kind, seed=4)
    algorithm = pg.GRPO(groups=3, group_size=4, learning_rate=0.03, **settings)
    learner = algorithm.learner(policy, prior)
    twin = twin_of(policy)
    adam = twins.Adam(twin, 0.03)
    for update in range(2):
        batch = a_batch(policy, N=12, whole=True, seed=update)
        happened = batch.valid
        weights = twins.group_advantages(
            returns_of(batch, algorithm.gamma), 4, algorithm.divide_by_std
        )
        # The return of the whole episode has its powers of gamma: `discount_states` adds none.
        weights = np.broadcast_to(weights, happened.shape)
        stats = learner.update(batch)
        steps = twins.climb_minibatches(
            twin,
            adam,
            batch.observations[happened],
            batch.actions[happened],
            batch.log_probs[happened],
            weights[happened],
            weighting="ratio" if algorithm.clip is None else "clipped",
            clip=algorithm.clip or 0.0,
            entropy=algorithm.entropy,
            kl_prior=algorithm.prior_kl,
            prior=twin_of(prior),
            epochs=algorithm.epochs,
            batch_size=algorithm.batch_size,
            max_gradient_norm=algorithm.max_gradient_norm,
            seed=0,
            stream=update,
        )
        assert stats["minibatches"] == steps
        np.testing.assert_allclose(policy.theta, twin.theta, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kind", ["linear", "multi", "gaussian"])
def test_on_a_bandit_grpo_is_reinforce_with_the_mean_of_the_group(kind):
    """One step per episode, one pass, no division by std: the same gradient."""
    policy = a_policy(kind)
    batch = a_batch(policy, T=1, N=20, whole=True)
    algorithm = pg.GRPO(
        groups=4,
        group_size=5,
        divide_by_std=False,
        epochs=1,
        batch_size=None,
        clip=None,
        learning_rate=1e9,
        max_gradient_norm=None,
    )
    step, _ = plain_step(algorithm, policy, batch)

    def mean_of_the_group(returns, valid):
        means = returns.reshape(1, 4, 5).mean(axis=2, keepdims=True)
        return np.ascontiguousarray(np.broadcast_to(means, (1, 4, 5)).reshape(1, 20))

    gradient = pg.Reinforce(baseline=mean_of_the_group).gradient(policy, batch)
    assert np.abs(gradient).max() > 1e-3
    np.testing.assert_allclose(step, gradient, rtol=1e-6, atol=1e-9)


def test_groups_begin_in_the_same_state_and_go_their_own_ways():
    policy = pg.SoftmaxPolicy(4, 2)
    batch = pg.GRPO(groups=6, group_size=5).collect(pg.make("CartPole-v1", 4, seed=1), policy)
    starts = batch.observations[0].reshape(6, 5, 4)
    assert (starts == starts[:, :1]).all()
    assert len(np.unique(starts[:, 0], axis=0)) == 6
    lengths = batch.valid.sum(axis=0).reshape(6, 5)
    assert (lengths.std(axis=1) > 0).any()


def test_an_environment_without_a_state_copy_is_refused():
    import gymnasium as gym

    env = gym.make_vec("CartPole-v1", 2, vectorization_mode="sync")
    with pytest.raises(
        TypeError, match="collect_groups: env is a SyncVectorEnv, expected a native"
    ):
        pg.GRPO().collect(env, pg.SoftmaxPolicy(4, 2))
    env.close()


def test_a_penalty_pulls_to_the_prior():
    """A zero advantage leaves the penalty alone: the divergence falls."""
    policy, prior = a_policy("multi"), a_policy("multi", seed=8)
    batch = a_batch(policy, N=8, whole=True)
    batch = dataclasses.replace(batch, rewards=np.zeros_like(batch.rewards))
    algorithm = pg.GRPO(groups=2, group_size=4, prior_kl=1.0, learning_rate=0.01)
    before = policy.kl(batch.valid_observations, prior).mean()
    step, stats = step_of(algorithm, policy, batch, prior)
    policy.theta += step
    assert policy.kl(batch.valid_observations, prior).mean() < before
    assert stats["kl_prior"] > 0
    step, _ = step_of(algorithm, policy, batch)
    assert (step == 0).all()


BAD = [
    ({"group_size": 1}, "group_size is 1, expected at least 2"),
    ({"group_size": 0}, "group_size"),
    ({"groups": 0}, "groups"),
    ({"epochs": 0}, "epochs"),
    ({"batch_size": 0}, "batch_size"),
    ({"clip": -0.1}, "clip is -0.1, expected a finite number > 0"),
    ({"learning_rate": 0.0}, "learning_rate is 0.0, expected a finite number > 0"),
    ({"prior_kl": -1.0}, "prior_kl is -1.0, expected a finite number >= 0"),
]


@pytest.mark.parametrize(("settings", "message"), BAD)
def test_a_value_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=f"^GRPO: {message}"):
        pg.GRPO(**settings)


def test_a_prior_or_batch_that_does_not_fit_is_refused():
    policy = a_policy()
    with pytest.raises(TypeError, match="GRPO: prior is a MultiSoftmaxPolicy, expected a SoftmaxP"):
        pg.GRPO().learner(policy, a_policy("multi"))
    with pytest.raises(
        ValueError, match="GRPO: the batch has 7 episodes, expected 8: 2 groups of 4"
    ):
        pg.GRPO(groups=2, group_size=4).learner(policy).update(a_batch(policy, N=7, whole=True))
    other = pg.SoftmaxPolicy(D, 4, dtype=np.float64)
    with pytest.raises(ValueError, match="the prior is a policy of other observations or actions"):
        pg.GRPO(groups=2, group_size=4).learner(policy, other).update(
            a_batch(policy, N=8, whole=True)
        )
