"""A Python environment whose episodes and faults are known, and small trainings in it."""

from __future__ import annotations

import gymnasium as gym
import numpy as np

import pgfast as pg

ALGORITHMS = ["policy-gradient", "reinforce", "trpo"]
COLUMNS = ["update", "steps", "episodes", "mean_return", "seconds"]


class Corridor(gym.Env):
    """Five steps of random observations; the reward is 1 for action 1, else 0.

    At step `event_at` of an environment's life, `event` takes the reward's or observation's place.
    """

    seeds: list[int] = []  # noqa: RUF012  every seed given to any Corridor

    def __init__(self, event: str = "none", event_at: int = 23, length: int = 5):
        self.observation_space = gym.spaces.Box(-1, 1, (3,), np.float32)
        self.action_space = gym.spaces.Discrete(2)
        self.event, self.event_at, self.length, self.life = event, event_at, length, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None:
            Corridor.seeds.append(seed)
        self.t = 0
        return self._observation(), {}

    def step(self, action):
        self.t += 1
        self.life += 1
        observation, reward = self._observation(), float(action == 1)
        if self.life == self.event_at:
            if self.event == "interrupt":
                raise KeyboardInterrupt
            if self.event == "observation":
                observation[:] = np.nan
            elif self.event != "none":
                reward = float(self.event)
        return observation, reward, self.t == self.length, False, {}

    def _observation(self):
        return self.np_random.uniform(-1, 1, 3).astype(np.float32)


SMALL = {"num_envs": 1, "steps": 10**6}


def small(kind=pg.Reinforce, **settings):
    """Settings of an update of two episodes."""
    return kind(episodes=2, **settings)
