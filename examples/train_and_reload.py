"""Train CartPole-v1 with its preset, save and load the run, judge it in Gymnasium's own."""

import tempfile
from pathlib import Path

import gymnasium as gym
import numpy as np

import pgfast as pg

run = pg.train("CartPole-v1", "npg", seed=0)
print(f"{run.stopped} after {run.history['steps'][-1]:,.0f} steps in {run.seconds:.2f} s")

with tempfile.TemporaryDirectory() as directory:
    run.save(Path(directory) / "cartpole")
    policy = pg.load(Path(directory) / "cartpole").policy

env = gym.make("CartPole-v1")
observation, _ = env.reset(seed=0)
total, done = 0.0, False
while not done:
    action = policy.mode(observation[np.newaxis])[0]
    observation, reward, terminated, truncated, _ = env.step(action)
    total, done = total + float(reward), terminated or truncated
print(f"one episode in Gymnasium's CartPole-v1: {total:.0f}")
