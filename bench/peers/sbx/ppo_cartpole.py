"""SBX's PPO (Stable-Baselines3 in JAX) on CartPole-v1, with the settings tuned for the latter.

Printed is one line of JSON. Counted: `learn`, from the first step to the last update. Not counted:
imports, the first update, which compiles, and the evaluation at the end.
"""

import argparse
import json
import time

import gymnasium as gym
import jax
from sbx import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

STEPS = 99_840

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()
model = PPO(
    "MlpPolicy",
    make_vec_env("CartPole-v1", n_envs=8, seed=options.seed),
    n_steps=32,
    batch_size=256,
    n_epochs=20,
    gamma=0.98,
    gae_lambda=0.8,
    ent_coef=0.0,
    learning_rate=lambda left: 1e-3 * left,
    clip_range=lambda left: 0.2 * left,
    seed=options.seed,
    device="cpu",
)
model.learn(256)  # one update
begin = time.perf_counter()
model.learn(STEPS)
seconds = time.perf_counter() - begin
env = make_vec_env("CartPole-v1", n_envs=10, seed=1000)
mean, _ = evaluate_policy(model, env, n_eval_episodes=100, deterministic=True)
assert model.num_timesteps == STEPS, model.num_timesteps
versions = {"gymnasium": gym.__version__, "jax": jax.__version__}
print(json.dumps({"seconds": seconds, "steps": STEPS, "return": float(mean), "versions": versions}))
