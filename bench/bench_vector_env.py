"""Steps of CartPole-v1 through `env.step`, with random actions."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import pgfast

STEPS = 32


def native(num_envs):
    return pgfast.make("CartPole-v1", num_envs, seed=0, autoreset_mode=AutoresetMode.NEXT_STEP)


def gymnasium_vector(num_envs):
    """Gymnasium's NumPy CartPole."""
    return gym.make_vec("CartPole-v1", num_envs, vectorization_mode="vector_entry_point")


@pytest.mark.parametrize("num_envs", [1, 64, 4096])
@pytest.mark.parametrize(
    ("make", "threads"),
    [(gymnasium_vector, 1), (native, 1), (native, 2)],
    ids=["gymnasium", "pgfast-1", "pgfast-2"],
)
def bench_step(measure, benchmark, rng, num_envs, make, threads):
    benchmark.group = f"CartPole-v1 step, N={num_envs} float32"
    env = make(num_envs)
    env.reset(seed=0)
    actions = rng.integers(0, 2, (STEPS, num_envs))

    def run():
        for row in actions:
            result = env.step(row)
        return result

    def check(result):
        """Steps were made, and some poles fell: both autoreset on the next step."""
        observations, rewards, terminated, truncated, _ = result
        assert observations.shape == (num_envs, 4)
        assert (abs(observations[:, 2]) < 0.42).all()
        assert set(np.unique(rewards)) <= {0.0, 1.0}
        assert not truncated.any()
        assert num_envs < 4096 or terminated.any()

    measure(run, work=STEPS * num_envs, unit="step", check=check, threads=threads)
    env.close()
