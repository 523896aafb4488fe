"""Native environments for the tests: made, stepped and compared."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import pgfast as pg
from pgfast.envs.native import NATIVE_ENVS

MODES = ["NextStep", "SameStep", "Disabled"]
DTYPES = [np.float32, np.float64]


# A chain of three states; the last one is terminal.
CHAIN = {
    "P": [[[0.5, 0.5, 0.0], [0.9, 0.1, 0.0]], [[0.1, 0.4, 0.5], [1.0, 0.0, 0.0]], 2 * [[0, 0, 1]]],
    "R": [[0.0, 0.1], [1.0, 0.3], [0.0, 0.0]],
    "p0": [0.8, 0.2, 0.0],
    "terminal": [False, False, True],
}
REQUIRED = {"Tabular-v0": CHAIN}
every_env = pytest.mark.parametrize("id", NATIVE_ENVS)


def make(num_envs=3, mode="NextStep", id="CartPole-v1", **arguments):
    arguments = {"seed": 0, **REQUIRED.get(id, {}), **arguments}
    return pg.make(id, num_envs, autoreset_mode=mode, **arguments)


def falling(num_envs=3, dtype=np.float32):
    """States of which the first falls on the next step."""
    states = np.linspace(-0.04, 0.04, 4 * num_envs, dtype=dtype).reshape(num_envs, 4)
    states[0, 0] = 3
    return states


def actions_of(env, steps, seed=0):
    """Random actions (steps, N), or (steps, N, A) where they are continuous."""
    rng, space = np.random.default_rng(seed), env.single_action_space
    if isinstance(space, gym.spaces.Discrete):
        return rng.integers(0, space.n, (steps, env.num_envs))
    high = np.minimum(space.high, 1)
    return rng.uniform(-high, high, (steps, env.num_envs, *space.shape)).astype(space.dtype)


def walk(env, actions):
    """Everything that `env` returns while it takes `actions`, reset where it has to be."""
    results = []
    for row in actions:
        step = env.step(row)
        results.append(step)
        done = step[2] | step[3]
        if env.metadata["autoreset_mode"] is AutoresetMode.DISABLED and done.any():
            results.append((env.reset(options={"reset_mask": done})[0],))
    return results


def assert_same(a, b):
    """Equal values, dtypes and structure, down to the last bit."""
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    elif isinstance(a, np.ndarray):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        if a.dtype == object:
            assert_same(list(a), list(b))
        else:
            assert np.array_equal(a, b)
    else:
        assert a == b
