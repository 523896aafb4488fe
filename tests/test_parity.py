"""Native environments against the ones of Gymnasium that they are named after.

One row of ROWS for each; every test runs over all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import pgfast as pg
from pgfast import reference

COUNT = 10_000


@dataclass
class Row:
    """How one environment is compared."""

    id: str
    states: Callable[[np.random.Generator, int], np.ndarray]
    """States of all kinds (n, S), in float64."""
    observe: Callable[[np.ndarray], np.ndarray]
    """Observations (n, D) of states, by the documentation of the environment."""
    twin: Callable[..., tuple[np.ndarray, ...]]
    """The reference step: next states, then what of rewards and terminations it gives."""
    tolerance: float = 1e-12
    rounded: bool = False
    """Gymnasium stores the state as float32."""
    parameters: dict[str, Any] = field(default_factory=dict)


def box(*high):
    return lambda rng, n: rng.uniform(-1, 1, (n, len(high))) * high


def valley(goal):
    """Cars anywhere, a third each close to the wall and to the goal."""

    def states(rng, n):
        s = rng.uniform([-1.2, -0.07], [0.6, 0.07], (n, 2))
        s[: n // 3, 0] = rng.uniform(-1.2, -1.15, n // 3)
        s[-n // 3 :, 0] = rng.uniform(goal - 0.03, goal + 0.03, len(s[-n // 3 :]))
        return s

    return states


def acrobot_states(rng, n):
    """A third of them with the tip close to the line."""
    s = rng.uniform(-1, 1, (n, 4)) * [np.pi, np.pi, 4 * np.pi, 9 * np.pi]
    tip = slice(0, n // 3)
    s[tip, 2:] *= 0.02
    s[tip, 1] = np.arccos(np.clip(-1 - np.cos(s[tip, 0]), -1, 1)) - s[tip, 0]
    s[tip, 1] = (s[tip, 1] + np.pi) % (2 * np.pi) - np.pi
    return s


ROWS = [
    Row(
        "Pendulum-v1",
        box(20.0, 8.0),
        lambda s: np.stack([np.cos(s[:, 0]), np.sin(s[:, 0]), s[:, 1]], axis=1),
        lambda s, a, **k: (*reference.pendulum_step(s, a, **k), np.zeros(len(s), np.bool_)),
        parameters={"g": 9.81},
    ),
    Row(
        "MountainCar-v0",
        valley(0.5),
        lambda s: s,
        reference.mountain_car_step,
        parameters={"goal_velocity": 0.03},
    ),
    Row(
        "MountainCarContinuous-v0",
        valley(0.45),
        lambda s: s,
        reference.mountain_car_continuous_step,
        rounded=True,
        parameters={"goal_velocity": 0.03},
    ),
    Row(
        "Acrobot-v1",
        acrobot_states,
        lambda s: np.stack(
            [np.cos(s[:, 0]), np.sin(s[:, 0]), np.cos(s[:, 1]), np.sin(s[:, 1]), s[:, 2], s[:, 3]],
            axis=1,
        ),
        reference.acrobot_step,
        tolerance=1e-9,
    ),
]
rows = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
with_parameters = pytest.mark.parametrize("changed", [False, True], ids=["default", "parameters"])


def actions_of(row, rng, n):
    """Random actions; continuous ones reach beyond the box, in float64."""
    space = gym.make(row.id).action_space
    if isinstance(space, gym.spaces.Discrete):
        return rng.integers(0, space.n, n)
    return rng.uniform(1.5 * space.low, 1.5 * space.high, (n, *space.shape))


def transitions(row, seed, parameters):
    """Random states, actions, and Gymnasium's next states, rewards and terminations."""
    rng = np.random.default_rng(seed)
    states = row.states(rng, COUNT)
    actions = actions_of(row, rng, COUNT)
    env = gym.make(row.id, **parameters).unwrapped
    env.reset(seed=0)
    following, rewards = np.empty(states.shape), np.empty(COUNT)
    terminated = np.empty(COUNT, np.bool_)
    for i in range(COUNT):
        env.state = states[i].copy()
        action = actions[i] if actions.ndim > 1 else int(actions[i])
        _, rewards[i], terminated[i], truncated, _ = env.step(action)
        assert not truncated
        following[i] = env.state
    return states, actions, following, rewards, terminated


@rows
@with_parameters
def test_float64_transitions_equal_gymnasiums(row, changed):
    """Observation, reward and termination of 10,000 transitions from injected states."""
    parameters = row.parameters if changed else {}
    states, actions, following, rewards, terminated = transitions(row, 0, parameters)
    env = pg.make(row.id, COUNT, dtype=np.float64, autoreset_mode="Disabled", **parameters)
    observations, _ = env.reset(options={"state": states})
    np.testing.assert_allclose(observations, row.observe(states), rtol=0, atol=row.tolerance)
    result = env.step(actions)
    after = env.get_state()["state"]
    if row.rounded:
        np.testing.assert_array_equal(after.astype(np.float32), following)
    else:
        np.testing.assert_allclose(after, following, rtol=row.tolerance, atol=row.tolerance)
    np.testing.assert_allclose(result[0], row.observe(after), rtol=0, atol=row.tolerance)
    np.testing.assert_allclose(result[1], rewards, rtol=row.tolerance, atol=row.tolerance)
    assert np.array_equal(result[2], terminated)
    assert row.id == "Pendulum-v1" or 0.02 < terminated.mean() < 0.98  # both kinds occur
    assert not result[3].any()


@rows
@with_parameters
def test_the_twin_equals_gymnasium(row, changed):
    parameters = row.parameters if changed else {}
    states, actions, following, rewards, terminated = transitions(row, 1, parameters)
    own, own_rewards, own_terminated = row.twin(states, actions, **parameters)
    if row.rounded:
        np.testing.assert_array_equal(own.astype(np.float32), following)
    else:
        np.testing.assert_allclose(own, following, rtol=row.tolerance, atol=row.tolerance)
    np.testing.assert_allclose(own_rewards, rewards, rtol=row.tolerance, atol=row.tolerance)
    assert np.array_equal(own_terminated, terminated)


@rows
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_resets_are_distributed_as_gymnasiums(row, dtype):
    """Each part of the state by the distance of empirical distributions (Kolmogorov & Smirnov).

    Either sample strays from the true distribution by ε with a probability of at most
    2 exp(-2nε²) (Dvoretzky, Kiefer, Wolfowitz, Massart); false alarm below 1e-6 a part.
    """
    env = pg.make(row.id, 20_000, seed=3, dtype=dtype)
    env.reset()
    own = env.get_state()["state"].astype(np.float64)
    other = gym.make(row.id).unwrapped
    theirs = []
    for i in range(2000):
        other.reset(seed=i)
        theirs.append(np.array(other.state, np.float64))
    bound = sum(np.sqrt(np.log(4 / 1e-6) / (2 * n)) for n in (len(own), len(theirs)))
    for a, b in zip(own.T, np.array(theirs).T, strict=True):
        places = np.concatenate([a, b])
        below = [np.searchsorted(np.sort(x), places, side="right") / len(x) for x in (a, b)]
        assert np.abs(below[0] - below[1]).max() < bound
        assert abs(a.min() - b.min()) < 0.02 * (np.ptp(b) + 1e-9)
        assert abs(a.max() - b.max()) < 0.02 * (np.ptp(b) + 1e-9)


@rows
def test_spaces_limits_and_thresholds_equal_gymnasiums(row):
    native = pg.make(row.id, 3)
    other = gym.make_vec(row.id, 3, vectorization_mode="sync")
    assert native.single_observation_space == other.single_observation_space
    assert native.single_action_space == other.single_action_space
    assert native.observation_space == other.observation_space
    assert native.action_space == other.action_space
    spec = gym.spec(row.id)
    assert native.max_episode_steps == spec.max_episode_steps
    assert gym.spec(f"pgfast/{row.id}").max_episode_steps == spec.max_episode_steps
    assert native.spec.reward_threshold == spec.reward_threshold
