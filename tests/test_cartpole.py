"""CartPole-v1 against Gymnasium's own."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.classic_control.cartpole import CartPoleEnv

import pgfast as pg

MODES = ["NextStep", "SameStep", "Disabled"]
X_LIMIT, THETA_LIMIT = 2.4, 12 * 2 * np.pi / 360


def states_and_actions(seed, count=10_000):
    """States of all kinds; of two fifths, the next position lies within 1e-3 of a limit."""
    rng = np.random.default_rng(seed)
    states = rng.uniform(-1, 1, (count, 4)) * [3.0, 5.0, 0.3, 5.0]
    near = count // 5
    side = rng.choice([-1.0, 1.0], (2, near))
    distance = rng.choice([-1.0, 1.0], (2, near)) * 10 ** rng.uniform(-9, -3, (2, near))
    states[:near, 0] = side[0] * X_LIMIT * (1 + distance[0]) - 0.02 * states[:near, 1]
    tilted = slice(near, 2 * near)
    states[tilted, 2] = side[1] * THETA_LIMIT * (1 + distance[1]) - 0.02 * states[tilted, 3]
    return states, rng.integers(0, 2, count)


def step_gymnasium(states, actions, sutton_barto_reward=False):
    """One step of Gymnasium's environment from each state, in float64."""
    env = CartPoleEnv(sutton_barto_reward=sutton_barto_reward)
    following, rewards = np.empty(states.shape), np.empty(len(states))
    terminated = np.empty(len(states), np.bool_)
    for i, (state, action) in enumerate(zip(states, actions, strict=True)):
        env.state, env.steps_beyond_terminated = state.astype(np.float64), None
        _, rewards[i], terminated[i], _, _ = env.step(int(action))
        following[i] = env.state
    return following, rewards, terminated


def step_native(states, actions, **arguments):
    """One step of pgfast's environment from each state: observations, rewards, flags."""
    env = pg.make(
        "CartPole-v1", len(states), dtype=states.dtype, autoreset_mode="Disabled", **arguments
    )
    observations, _ = env.reset(options={"state": states})
    assert np.array_equal(observations, states)
    return env.step(actions)[:4]


@pytest.mark.parametrize("sutton_barto_reward", [False, True])
def test_float64_transitions_equal_gymnasiums_to_1e_12(sutton_barto_reward):
    states, actions = states_and_actions(seed=0)
    expected, expected_rewards, expected_terminated = step_gymnasium(
        states, actions, sutton_barto_reward
    )
    observations, rewards, terminated, truncated = step_native(
        states, actions, sutton_barto_reward=sutton_barto_reward
    )
    np.testing.assert_allclose(observations, expected, rtol=1e-12, atol=1e-12)
    assert np.array_equal(rewards, expected_rewards)
    assert np.array_equal(terminated, expected_terminated)
    assert not truncated.any()
    assert 0.3 < terminated.mean() < 0.7  # both kinds are well represented


def test_float32_transitions_equal_gymnasiums_to_float32_accuracy():
    """A few roundings of an acceleration below 40, times 0.02, and one of the sum: 8 ulp."""
    states, actions = states_and_actions(seed=1)
    states = states.astype(np.float32)
    expected, _, expected_terminated = step_gymnasium(states, actions)
    observations, _, terminated, _ = step_native(states, actions)
    tolerance = 8 * np.finfo(np.float32).eps * (1 + np.abs(expected))
    assert (np.abs(observations - expected) <= tolerance).all()
    margins = np.abs(np.abs(expected[:, [0, 2]]) - [X_LIMIT, THETA_LIMIT])
    clear = (margins > tolerance[:, [0, 2]]).all(axis=1)
    assert clear.mean() > 0.7
    assert np.array_equal(terminated[clear], expected_terminated[clear])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_state_on_the_limit_stands_and_the_next_number_beyond_it_falls(dtype):
    limits = np.array([X_LIMIT, THETA_LIMIT], dtype)
    beyond = np.nextafter(limits, dtype(np.inf))
    states = np.zeros((8, 4), dtype)
    states[:4, 0] = [limits[0], -limits[0], beyond[0], -beyond[0]]
    states[4:, 2] = [limits[1], -limits[1], beyond[1], -beyond[1]]
    _, _, terminated, _ = step_native(states, [0] * 8)
    assert terminated.tolist() == [False, False, True, True] * 2
    if dtype is np.float64:
        assert np.array_equal(terminated, step_gymnasium(states, [0] * 8)[2])


@pytest.mark.parametrize("limit", [9, 15, 40])
def test_episodes_end_as_under_gymnasiums_time_limit(limit):
    """Random episodes: states, rewards and both flags equal those of `gymnasium.make`."""
    rng = np.random.default_rng(limit)
    native = pg.make(
        "CartPole-v1",
        20,
        seed=limit,
        dtype=np.float64,
        max_episode_steps=limit,
        autoreset_mode="SameStep",
    )
    observations, _ = native.reset()
    others = [gym.make("CartPole-v1", max_episode_steps=limit) for _ in range(20)]
    for other, state in zip(others, observations, strict=True):
        other.reset()
        other.unwrapped.state = state
    ends = set()
    for _ in range(limit):
        actions = rng.integers(0, 2, 20) if limit > 9 else np.zeros(20, np.int64)
        observations, rewards, terminated, truncated, infos = native.step(actions)
        for i, other in enumerate(others):
            if other is None:
                continue
            _, reward, fell, late, _ = other.step(actions[i])
            assert (rewards[i], terminated[i], truncated[i]) == (reward, fell, late)
            done = fell or late
            state = infos["final_obs"][i] if done else observations[i]
            np.testing.assert_allclose(state, other.unwrapped.state, rtol=1e-12, atol=1e-12)
            if done:
                ends.add((fell, late))
                others[i] = None
    assert not any(others)
    assert {9: (True, True), 15: (False, True), 40: (True, False)}[limit] in ends


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_fall_on_the_last_allowed_step_is_terminated_and_truncated(mode, dtype):
    start = np.array([[0.0, 0.0, 0.1, 0.3]], dtype)

    def last_step(limit):
        env = pg.make("CartPole-v1", 1, dtype=dtype, autoreset_mode=mode, max_episode_steps=limit)
        env.reset(options={"state": start})
        for step in range(1, 501):
            _, rewards, terminated, truncated, _ = env.step([1])
            if terminated[0] or truncated[0]:
                return step, terminated[0], truncated[0], rewards[0]
        return None

    fall, terminated, truncated, _ = last_step(500)
    assert (terminated, truncated) == (True, False)
    assert fall > 2
    assert last_step(fall) == (fall, True, True, 1.0)
    assert last_step(fall - 1) == (fall - 1, False, True, 1.0)
    assert last_step(fall + 1) == (fall, True, False, 1.0)


@pytest.mark.parametrize("mode", MODES)
def test_a_pole_that_never_falls_is_truncated_at_step_500(mode):
    env = pg.make("CartPole-v1", 3, seed=0, dtype=np.float64, autoreset_mode=mode)
    assert env.max_episode_steps == gym.spec("CartPole-v1").max_episode_steps == 500
    observations, _ = env.reset()
    ends = []
    for step in range(1, 1010):
        actions = (observations @ [0.05, 0.15, 1.0, 0.3] > 0).astype(np.int64)
        observations, rewards, terminated, truncated, _ = env.step(actions)
        assert not terminated.any()
        if truncated.any():
            assert truncated.all()
            assert (rewards == 1).all()
            ends.append(step)
            if mode == "Disabled":
                observations, _ = env.reset(options={"reset_mask": truncated})
    assert ends == ([500, 1001] if mode == "NextStep" else [500, 1000])


def test_the_time_limit_alone_earns_no_penalty_under_sutton_barto_rewards():
    env = pg.make("CartPole-v1", 2, max_episode_steps=1, sutton_barto_reward=True)
    states = np.zeros((2, 4), np.float32)
    states[1, 0] = 3
    env.reset(options={"state": states})
    _, rewards, terminated, truncated, _ = env.step([0, 0])
    assert rewards.tolist() == [0, -1]
    assert terminated.tolist() == [False, True]
    assert truncated.tolist() == [True, True]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_resets_are_uniform_within_0_05_and_independent(dtype):
    """Eighteen bounds, each broken by a right generator with a probability below 1e-6.

    Distance of distributions: P(sup |Fₙ − F| > ε) ≤ 2 exp(−2nε²) (Dvoretzky, Kiefer, Wolfowitz and
    Massart). Products of two parts: P(|mean| > ε) ≤ 2 exp(−nε²/2) in units of 0.05² (Hoeffding).
    """
    count = 20_000
    env = pg.make("CartPole-v1", count, seed=7, dtype=dtype)
    first, second = (env.reset()[0].astype(np.float64) / dtype(0.05) for _ in range(2))
    assert np.abs(first).max() <= 1
    ranks = np.arange(count + 1) / count
    bound = np.sqrt(np.log(2 / 1e-6) / (2 * count))
    for part in first.T:
        uniforms = (np.sort(part) + 1) / 2
        assert max((ranks[1:] - uniforms).max(), (uniforms - ranks[:-1]).max()) < bound
    bound = np.sqrt(2 * np.log(2 / 1e-6) / count)
    pairs = [(first[:, i], first[:, j]) for i in range(4) for j in range(i)]
    pairs += [(first[:, i], second[:, i]) for i in range(4)]  # one reset and the next
    pairs += [(first[1:, i], first[:-1, i]) for i in range(4)]  # neighbours
    for a, b in pairs:
        assert abs((a * b).mean()) < bound


def test_spaces_and_spec_equal_gymnasiums():
    native = pg.make("CartPole-v1", 3)
    other = gym.make_vec("CartPole-v1", 3, vectorization_mode="sync")
    assert native.single_observation_space == other.single_observation_space
    assert native.single_action_space == other.single_action_space
    assert native.observation_space == other.observation_space
    assert native.action_space == other.action_space
    spec = gym.spec("CartPole-v1")
    assert native.spec.id == "pgfast/CartPole-v1"
    assert native.spec.reward_threshold == spec.reward_threshold
    assert native.spec.max_episode_steps == spec.max_episode_steps
    wide = pg.make("CartPole-v1", 3, dtype=np.float64).single_observation_space
    assert wide.dtype == np.float64
    np.testing.assert_allclose(wide.high, native.single_observation_space.high, rtol=1e-6)
    assert np.array_equal(wide.low, -wide.high)
