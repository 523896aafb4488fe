"""Environments that pgfast did not make, for the tests of how it takes them."""

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv


class Kind:
    """A policy as far as its kind of actions goes."""

    def __init__(self, **attributes):
        vars(self).update(attributes)


class Match(gym.Env):
    """Ten cards of six kinds, one after another; the reward is 1 for the action kind mod 3."""

    observation_space = spaces.Discrete(6)
    action_space = spaces.Discrete(3)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t, self.card = 0, int(self.np_random.integers(6))
        return self.card, {}

    def step(self, action):
        reward = float(action == self.card % 3)
        self.t += 1
        self.card = int(self.np_random.integers(6))
        return self.card, reward, self.t == 10, False, {}


class MatchDict(Match):
    """The same with the card in a Dict."""

    observation_space = spaces.Dict(card=spaces.Discrete(6), table=spaces.Box(0, 1, (1, 2)))

    def reset(self, *, seed=None, options=None):
        card, infos = super().reset(seed=seed)
        return self._laid(card), infos

    def step(self, action):
        card, *rest = super().step(action)
        return self._laid(card), *rest

    def _laid(self, card):
        return {"card": card, "table": np.ones((1, 2), np.float32)}


class Pool(VectorEnv):
    """As EnvPool's Gymnasium environments are: single spaces, NEXT_STEP, float32 rewards, and a
    terminal state in the last step allowed truncated only.

    Environment i falls in step falls[i] of each episode; the limit is 3. Observed are the
    environment, the episode and the step.
    """

    __module__ = "envpool.stand_in"
    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012

    def __init__(self, falls=(2, 3, 9)):
        self.num_envs, self.falls = len(falls), np.array(falls)
        self.observation_space = self.single_observation_space = spaces.Box(0, 99, (3,), np.float32)
        self.action_space = self.single_action_space = spaces.Discrete(2)
        self.spec = Kind(config={"max_episode_steps": 3}, reward_threshold=2.5)

    def reset(self, *, seed=None, options=None):
        self.episode = np.zeros(self.num_envs)
        self.t = np.zeros(self.num_envs)
        self.done = np.zeros(self.num_envs, np.bool_)
        return self._observe(), {"elapsed_step": self.t.astype(np.int32)}

    def step(self, actions):
        assert actions.shape == (self.num_envs,)
        resetting = self.done
        self.t = np.where(resetting, 0, self.t + 1)
        self.episode += resetting
        self.done = ~resetting & ((self.t >= self.falls) | (self.t >= 3))
        truncated = self.done & (self.t >= 3)
        rewards = (~resetting).astype(np.float32)
        infos = {"elapsed_step": self.t.astype(np.int32)}
        return self._observe(), rewards, self.done & ~truncated, truncated, infos

    def _observe(self):
        row = [np.arange(self.num_envs), self.episode, self.t]
        return np.stack(row, axis=1).astype(np.float32)
