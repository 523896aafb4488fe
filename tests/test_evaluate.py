"""Evaluation of a policy."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import pgfast as pg


@pytest.mark.parametrize("episodes", [1, 7, 100, 250])
def test_evaluate_gives_one_return_per_episode(episodes):
    """(episodes,) float64; CartPole's returns are whole numbers of steps."""
    returns = pg.evaluate(pg.SoftmaxPolicy(4, 2), "CartPole-v1", episodes=episodes)
    assert returns.shape == (episodes,)
    assert returns.dtype == np.float64
    assert (returns == returns.round()).all()
    assert (returns >= 1).all()
    assert (returns <= 500).all()


def test_evaluate_repeats_and_leaves_the_policy():
    """Same seed, same returns; another seed, others; θ and draws stay as they are."""
    policy = pg.train("CartPole-v1", "reinforce", seed=1, steps=5_000).policy
    theta, draws = policy.theta.copy(), policy.draws
    returns = pg.evaluate(policy, "CartPole-v1", seed=4)
    assert (pg.evaluate(policy, "CartPole-v1", seed=4) == returns).all()
    assert (pg.evaluate(policy, "CartPole-v1", episodes=10, seed=4) == returns[:10]).all()
    assert (pg.evaluate(policy, "CartPole-v1", seed=5) != returns).any()
    assert (policy.theta == theta).all()
    assert policy.draws == draws


def test_evaluate_samples_where_it_is_asked_to():
    """greedy=False draws from the policy: the uniform one beats the one that always goes left."""
    policy = pg.SoftmaxPolicy(4, 2)
    sampled = pg.evaluate(policy, "CartPole-v1", greedy=False)
    assert policy.draws > 0
    assert sampled.mean() > pg.evaluate(policy, "CartPole-v1").mean() + 5
    assert (pg.evaluate(policy, "CartPole-v1", greedy=False) != sampled).any()


def test_evaluate_takes_an_environment(corridor):
    """A VectorEnv object is stepped for as many episodes as asked for, more than it has lanes."""
    policy = pg.SoftmaxPolicy(3, 2)
    policy.theta[-1] = 5  # always action 1
    env = gym.make_vec("Corridor-v0", 3)
    assert pg.evaluate(policy, env, episodes=7).tolist() == [5.0] * 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"episodes": 0}, "evaluate: episodes is 0, expected at least 1"),
        ({"episodes": 2.5}, "evaluate: episodes is a float, expected an int"),
        ({"seed": -1}, "evaluate: seed is -1, expected"),
        ({"policy": pg.SoftmaxPolicy(3, 2)}, "the policy has 3 observations, expected 4"),
        ({"policy": pg.StateActionSoftmaxPolicy(2, 3)}, "StateActionSoftmaxPolicy, expected"),
        ({"policy": None}, "policy is a NoneType, expected"),
        ({"env": None}, "env is a NoneType, expected"),
    ],
)
def test_evaluate_names_bad_arguments(arguments, message):
    """The message names the argument, what was expected and what came."""
    given = {"policy": pg.SoftmaxPolicy(4, 2), "env": "CartPole-v1", **arguments}
    with pytest.raises((TypeError, ValueError), match=message):
        pg.evaluate(**given)
