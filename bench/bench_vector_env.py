"""Steps of every native environment through `env.step`, with random actions, beside Gymnasium's.

CartPole's rows carry `limit`, the seconds that a step of its arithmetic alone takes on one thread,
the states in the first-level cache, measured beside them: limit * work / time is the share of it.
"""

import time

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import pgfast
from pgfast import _core
from pgfast.envs.native import NATIVE_ENVS

STEPS = 32
# Gymnasium 1.4 has Taxi-v4 with the table of v3; the others are in it as they are, or not at all.
GYMNASIUM_ID = {"Taxi-v3": "Taxi-v4"}
CHAIN = {"P": [[[0.5, 0.5], [0.9, 0.1]], [[0.2, 0.8], [1.0, 0.0]]], "R": np.eye(2), "p0": [1, 0]}
IDS = list(NATIVE_ENVS)


def native(id, num_envs):
    arguments = CHAIN if id == "Tabular-v0" else {}
    return pgfast.make(id, num_envs, seed=0, autoreset_mode=AutoresetMode.NEXT_STEP, **arguments)


def gymnasium_vector(id, num_envs):
    """Gymnasium's NumPy CartPole; SyncVectorEnv of all others."""
    id = GYMNASIUM_ID.get(id, id)
    if id not in gym.registry:
        pytest.skip(f"Gymnasium has no {id}")
    if num_envs > 64 and id != "CartPole-v1":
        pytest.skip("a step of 4096 environments in SyncVectorEnv takes 50 ms and more")
    kind = "vector_entry_point" if id == "CartPole-v1" else "sync"
    return gym.make_vec(id, num_envs, vectorization_mode=kind)


def cartpole_limit():
    """Seconds of a plain step of one environment: the shortest of 20 runs."""
    steps, lanes = 1000, 16 * 32
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        assert _core.plain_cartpole(steps) == steps * lanes
        seconds.append((time.perf_counter() - start) / (steps * lanes))
    return min(seconds)


@pytest.mark.parametrize("num_envs", [1, 64, 4096])
@pytest.mark.parametrize(
    ("make", "threads"),
    [(gymnasium_vector, 1), (native, 1), (native, 2)],
    ids=["gymnasium", "pgfast-1", "pgfast-2"],
)
@pytest.mark.parametrize("id", IDS)
def bench_step(measure, benchmark, id, num_envs, make, threads):
    benchmark.group = f"{id} step, N={num_envs} float32"
    env = make(id, num_envs)
    env.reset(seed=0)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(STEPS)]

    def run():
        for row in actions:
            result = env.step(row)
        return result

    def check(result):
        """Observations of the space, rewards and flags of every environment."""
        observations, rewards, terminated, truncated, _ = result
        assert env.observation_space.contains(np.asarray(observations))
        assert np.isfinite(rewards).all()
        assert rewards.shape == terminated.shape == truncated.shape == (num_envs,)

    measure(run, work=STEPS * num_envs, unit="step", check=check, threads=threads)
    if id == "CartPole-v1" and make is native:
        benchmark.extra_info["limit"] = cartpole_limit()
    env.close()
