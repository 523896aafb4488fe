"""Priors: trainings that begin with a policy that is given."""

from __future__ import annotations

import dataclasses

import gymnasium as gym
import numpy as np
import pytest

import pgfast as pg


def test_rewards_are_seen_in_units_of_their_return(tmp_path):
    """The learner sees what the normalizer makes of them; its statistics go with the policy."""
    algorithm = pg.PPO(steps=32, epochs=1, normalize_rewards=True)
    scaled = pg.Trainer("Pendulum-v1", algorithm, steps=10**6, num_envs=4)
    plain = pg.PPO(steps=32, epochs=1).learner(scaled.policy.copy())
    batch = pg.collect(scaled.env, scaled.policy, steps=32)
    normalizer = pg.RewardNormalizer(gamma=algorithm.gamma)
    normalizer.update(batch.rewards, batch.terminated, batch.truncated)
    plain.update(dataclasses.replace(batch, rewards=normalizer(batch.rewards)))
    scaled.learner.update(batch)
    np.testing.assert_array_equal(scaled.policy.theta, plain.policy.theta)

    scaled.policy.save(tmp_path / "policy")
    loaded = pg.GaussianPolicy.load(tmp_path / "policy")
    assert loaded.reward_normalizer.scale == normalizer.scale != 1
    assert loaded.reward_normalizer.gamma == algorithm.gamma
    again = algorithm.learner(loaded)
    assert again.rewards is loaded.reward_normalizer


def test_a_look_in_a_given_environment_ends_its_episodes():
    """No return is longer than an episode can be, though the look resets what is under way."""
    env = pg.make("CartPole-v1", 8, seed=0, autoreset_mode="SameStep")
    solved = pg.train("CartPole-v1", "ppo", seed=0).policy
    algorithm = pg.PPO(steps=120, epochs=1, normalize_rewards=True)
    trainer = pg.Trainer(env, algorithm, policy=solved, steps=10**6)
    trainer.threshold, trainer.total_steps = 501, 1  # out of steps: it looks after every update
    for _ in range(12):
        assert not trainer.update()["mean_return"] > 500
    assert trainer.greedy_return is not None


@pytest.mark.parametrize("algorithm", [pg.A2C(steps=1), pg.PPO(steps=1)])
def test_a_batch_of_nothing_but_resets_teaches_nothing(algorithm):
    """Gymnasium's default mode spends a step on each reset."""
    trainer = pg.Trainer(gym.make_vec("CartPole-v1", num_envs=1), algorithm, steps=200)
    while not trainer.done:
        trainer.update()
    assert trainer.steps >= 200
    assert trainer.episodes > 2


def test_a_loop_of_ones_own_is_told_why_it_ended():
    trainer = pg.Trainer("CartPole-v1", "reinforce", steps=1)
    trainer.update()
    assert trainer.done
    assert trainer.run.stopped == "steps"


def test_a_second_training_begins_with_a_reset():
    """Whatever others did to the environment in between."""
    env = gym.make_vec("CartPole-v1", num_envs=4, vectorization_mode="sync")
    pg.Trainer(env, pg.A2C(steps=7), steps=10**6).update()
    env.reset(seed=3)
    trainer = pg.Trainer(env, pg.A2C(steps=7), steps=10**6)
    batch = trainer.algorithm.collect(trainer.env, trainer.policy)
    assert (batch.elapsed == 0).all()
    assert (np.abs(batch.observations[0]) <= 0.05).all()


def test_a_prior_acts_with_the_seed_of_the_run():
    prior = pg.SoftmaxPolicy(4, 2, seed=9)
    trainer = pg.Trainer("CartPole-v1", pg.A2C(prior_kl=0.1), seed=5, prior=prior)
    assert (trainer.policy.seed, prior.seed) == (5, 9)


def test_a_function_that_gives_one_environment_twice_is_refused():
    env = gym.make("CartPole-v1")
    with pytest.raises(TypeError, match="the same environment twice"):
        pg.evaluate(pg.SoftmaxPolicy(4, 2), lambda: env, episodes=4)


def test_settings_of_a_run_are_plain_values():
    run = pg.train("CartPole-v1", pg.PPO(batch_size=None, steps=8), steps=1, num_envs=2)
    assert run.settings["batch_size"] is None
    assert run.settings["critic"]["hidden"] == [64, 64]


def test_settings_of_the_policy_come_before_the_presets():
    trainer = pg.Trainer("Pendulum-v1", "ppo", policy={"discretize": 11, "hidden": (8,)})
    assert trainer.policy.actions == (11,)
    assert trainer.policy.hidden == (8,)
    assert pg.Trainer("Pendulum-v1", "ppo", policy={"seed": 7}).policy.seed == 7
    with pytest.raises(TypeError, match="colour"):
        pg.Trainer("Pendulum-v1", "ppo", policy={"colour": 1})


def test_an_infinite_threshold_trains_to_the_end():
    """FrozenLake's presets: no hundred episodes tell its best policy from a lucky one."""
    trainer = pg.Trainer("FrozenLake-v1", "ppo", steps=20_000)
    assert trainer.threshold is None
    assert trainer.train().stopped == "steps"
    assert trainer.greedy_return is None


def test_training_begins_at_the_prior():
    """Without a policy, the prior's θ is the start; the prior itself is not changed."""
    prior = pg.train("CartPole-v1", "npg", seed=1, steps=20_000).policy
    theta, draws = prior.theta.copy(), prior.draws
    trainer = pg.Trainer("CartPole-v1", pg.PPO(steps=32, prior_kl=0.1), prior=prior, num_envs=8)
    assert trainer.policy is not prior
    np.testing.assert_array_equal(trainer.policy.theta, theta)
    row = trainer.update()
    assert row["kl_prior"] >= 0
    assert (trainer.policy.theta != theta).any()
    np.testing.assert_array_equal(prior.theta, theta)
    assert prior.draws == draws


def test_a_penalty_holds_a_training_near_its_prior():
    """The stronger the penalty, the less the policy diverges from where it began."""
    prior = pg.SoftmaxPolicy(4, 2, hidden=(8,), seed=3)
    s = np.random.default_rng(0).normal(size=(500, 4)).astype(np.float32)
    far = []
    for prior_kl in (0.0, 10.0):
        algorithm = pg.PPO(steps=64, learning_rate=0.01, prior_kl=prior_kl)
        run = pg.train("CartPole-v1", algorithm, prior=prior, num_envs=8, steps=5_000)
        far.append(run.policy.kl(s, prior).mean())
    assert far[1] < 0.1 * far[0]


@pytest.mark.parametrize("algorithm", ["policy-gradient", "reinforce", "npg", "trpo", "compatible"])
def test_a_prior_is_refused_where_nothing_would_hold_the_policy_near_it(algorithm):
    with pytest.raises(ValueError, match="prior is a SoftmaxPolicy, expected None"):
        pg.train("CartPole-v1", algorithm, prior=pg.SoftmaxPolicy(4, 2), steps=1)


def test_settings_of_a_policy_do_not_go_with_a_prior():
    """Which already is the policy to start from."""
    with pytest.raises(TypeError, match="train: policy is settings of a new one, but prior"):
        pg.train("CartPole-v1", "ppo", prior=pg.SoftmaxPolicy(4, 2), policy={"hidden": (8,)})
