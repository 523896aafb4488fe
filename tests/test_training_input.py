"""What trainings say of bad input."""

from __future__ import annotations

import re

import gymnasium as gym
import numpy as np
import pytest
from corridors import SMALL, Corridor, small

import pgfast as pg
from pgfast.training import NonFiniteError


@pytest.mark.parametrize("call", [pg.train, lambda env: pg.evaluate(pg.SoftmaxPolicy(4, 2), env)])
def test_an_unknown_environment_is_told_with_the_nearest_names(call):
    """The message has what was given and each near name once."""
    with pytest.raises(ValueError, match=r"env is 'CartPol-v1', expected .*'CartPole-v1'") as error:
        call("CartPol-v1")
    names = re.findall(r"'([^']+)'", str(error.value))
    assert len(names) == len(set(names)), str(error.value)


def test_an_unknown_algorithm_is_told_with_the_nearest_names():
    """The message has what was given and the near names, or all of them."""
    with pytest.raises(ValueError, match=r"^train: algorithm is 'reinforced', .*'reinforce'"):
        pg.train("CartPole-v1", "reinforced")
    with pytest.raises(ValueError, match=r"'qqq', .*'npg', 'policy-gradient', 'ppo', 'reinforce'"):
        pg.train("CartPole-v1", "qqq")


@pytest.mark.parametrize("algorithm", [3, pg.Reinforce, ["npg"], pg.NPG().learner])
def test_an_algorithm_that_is_none_is_refused(algorithm):
    """Neither name nor settings: an error, not silently the preset."""
    with pytest.raises((TypeError, ValueError), match="train: algorithm is "):
        pg.train("CartPole-v1", algorithm, steps=1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed": -1}, "train: seed is -1, expected 0 <= seed"),
        ({"seed": 2**64}, "train: seed is 18446744073709551616, expected"),
        ({"seed": 0.5}, "train: seed is a float, expected an int"),
        ({"steps": 0}, "train: steps is 0, expected at least 1"),
        ({"steps": 1.5}, "train: steps is a float, expected an int"),
        ({"num_envs": 0}, "train: num_envs is 0, expected at least 1"),
        ({"num_envs": "4"}, "train: num_envs is a str, expected an int"),
        ({"policy": "best"}, "policy is a str, expected a"),
        ({"policy": pg.StateActionSoftmaxPolicy(2, 3)}, "StateActionSoftmaxPolicy, expected a"),
        ({"policy": pg.SoftmaxPolicy(3, 2)}, "the policy has 3 observations"),
    ],
)
def test_bad_arguments_are_named(settings, message):
    """The message names the argument, what was expected and what came."""
    with pytest.raises((TypeError, ValueError), match=message):
        pg.train("CartPole-v1", **{"steps": 1, **settings})


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ("Blackjack-v1", r"observations Tuple.*, expected a Box .* flattened .* flatten=True"),
        (7, "env is a int, expected"),
        (None, "env is a NoneType, expected"),
    ],
)
def test_an_environment_that_no_policy_fits_is_told(env, message):
    """Observations that are no vectors, and things that are no environment."""
    with pytest.raises(TypeError, match=message):
        pg.train(env, steps=1)


@pytest.mark.parametrize("kind", [pg.PolicyGradient, pg.Reinforce, pg.NPG])
@pytest.mark.parametrize("event", ["nan", "inf", "observation"])
def test_a_number_that_is_not_finite_stops_training_and_loses_nothing(corridor, event, kind):
    """NonFiniteError names term, update and step; θ is that from before the update."""
    policy = pg.SoftmaxPolicy(3, 2)
    trainer = pg.Trainer(f"Corridor-{event}-v0", small(kind), policy=policy, **SMALL)
    trainer.update()
    trainer.update()
    before = policy.theta.copy()
    what = "observations" if event == "observation" else "rewards"
    message = rf"train: {what} is (nan|inf) in update 3, after 30 environment steps"
    with pytest.raises(NonFiniteError, match=message):
        trainer.update()
    assert (policy.theta == before).all()
    assert np.isfinite(before).all()
    assert (before != 0).any()
    assert trainer.run.stopped == "non-finite"
    assert len(trainer.run.history.rows) == 2
    clean = pg.train("Corridor-v0", small(kind), num_envs=1, steps=20)
    assert (clean.policy.theta == before).all()

    policy = pg.SoftmaxPolicy(3, 2)
    with pytest.raises(NonFiniteError, match=message):
        pg.train(f"Corridor-{event}-v0", small(kind), policy=policy, **SMALL)
    assert (policy.theta == before).all()


@pytest.mark.parametrize("event", ["nan", "inf", "observation"])
@pytest.mark.parametrize(
    "algorithm",
    [
        pg.A2C(steps=10),
        pg.PPO(steps=10),
        pg.PPO(steps=10, normalize_rewards=True),
        pg.TRPO(episodes=2),
        pg.CompatibleActorCritic(episodes=2),
        pg.CompatibleActorCritic(episodes=2, update="incremental"),
    ],
    ids=lambda a: f"{type(a).__name__}",
)
@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
def test_every_algorithm_stops_at_a_number_that_is_not_finite(corridor, event, algorithm):
    """θ is that from before the update, whatever else has been spoiled."""
    policy = pg.SoftmaxPolicy(3, 2)
    trainer = pg.Trainer(f"Corridor-{event}-v0", algorithm, policy=policy, **SMALL)
    trainer.update()
    trainer.update()
    before = policy.theta.copy()
    with pytest.raises(NonFiniteError, match=r"is (nan|inf|-inf) in update 3, after 30 envir"):
        trainer.update()
    assert (policy.theta == before).all()
    assert np.isfinite(before).all()
    assert trainer.run.stopped == "non-finite"


def test_what_a_normalizer_would_cut_off_stops_training_too():
    """An infinite observation is clipped to a finite one before the network sees it."""

    class Infinite(Corridor):
        def step(self, action):
            observation, *rest = super().step(action)
            if self.life == self.event_at:
                observation[1] = np.inf
            return observation, *rest

    settings = {"policy": {"normalize_observations": True}, **SMALL}
    trainer = pg.Trainer(Infinite, pg.PPO(steps=10), **settings)
    trainer.update()
    trainer.update()
    before = trainer.policy.theta.copy()
    with pytest.raises(NonFiniteError, match="train: observations is inf in update 3"):
        trainer.update()
    assert (trainer.policy.theta == before).all()
    assert trainer.run.stopped == "non-finite"


def test_looks_take_no_more_steps_than_the_training():
    """Where the sampling policy reaches the threshold in every other batch, by luck."""
    steps = 0

    class Noise(gym.Env):
        observation_space = gym.spaces.Box(-1, 1, (2,), np.float32)
        action_space = gym.spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.t = 0
            return np.zeros(2, np.float32), {}

        def step(self, action):
            nonlocal steps
            steps += 1
            self.t += 1
            reward = float(self.np_random.normal())
            return np.zeros(2, np.float32), reward, False, self.t >= 5, {}

    gym.register("Noise-v0", entry_point=Noise, disable_env_checker=True, reward_threshold=0.0)
    try:
        run = pg.train("Noise-v0", pg.Reinforce(episodes=20), num_envs=2, steps=10_000)
        trained = int(run.history["steps"][-1])
        assert 10_000 <= trained < 10_200
        assert trained < steps <= 2 * trained + 2 * 1000  # and the last, which is made anyway
    finally:
        del gym.registry["Noise-v0"]


def test_a_policy_that_has_run_away_stops_training():
    """θ is finite but so large that actions are not: the error says so, and θ stays."""
    policy = pg.GaussianPolicy(3, 1)
    policy.theta[:] = 3e38
    policy.theta[-1] = 0
    before = policy.theta.copy()
    trainer = pg.Trainer("Pendulum-v1", pg.A2C(steps=10), policy=policy, num_envs=2)
    with pytest.raises(NonFiniteError, match=r"train: actions is (nan|inf) in update 1"):
        trainer.update()
    assert (policy.theta == before).all()


def test_an_interrupt_keeps_what_was_reached(corridor):
    """KeyboardInterrupt passes through `Trainer.train`; `run` has the finished updates."""
    trainer = pg.Trainer("Corridor-interrupt-v0", small(), **SMALL)
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    run = trainer.run
    assert run.stopped == "interrupted"
    assert run.history["steps"].tolist() == [10.0, 20.0]
    clean = pg.train("Corridor-v0", small(), num_envs=1, steps=20)
    assert (run.policy.theta == clean.policy.theta).all()
