"""The contract of a Gymnasium vector environment, held by the native ones."""

import copy
import itertools
import subprocess
import sys
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.vector.utils import batch_space
from gymnasium.wrappers.utils import RunningMeanStd
from gymnasium.wrappers.vector import (
    NormalizeObservation,
    NormalizeReward,
    RecordEpisodeStatistics,
    TransformObservation,
)
from native_envs import (
    DTYPES,
    MODES,
    REQUIRED,
    actions_of,
    assert_same,
    every_env,
    make,
    walk,
)

import pgfast as pg
from pgfast.envs.native import NATIVE_ENVS
from pgfast.envs.vector_env import NativeVectorEnv

# --- the class -----------------------------------------------------------------------------------


@every_env
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_it_is_a_vector_env_with_batched_spaces(id, mode, dtype):
    env = make(5, mode, id, dtype=dtype)
    assert isinstance(env, VectorEnv)
    assert env.num_envs == 5
    assert env.observation_space == batch_space(env.single_observation_space, 5)
    assert env.action_space == batch_space(env.single_action_space, 5)
    for space in (env.single_observation_space, env.single_action_space):
        discrete = isinstance(space, gym.spaces.Discrete)
        assert space.dtype == (np.int64 if discrete else dtype)
    assert env.metadata["autoreset_mode"] is AutoresetMode(mode)
    assert env.render_mode is None
    assert env.closed is False
    assert env.unwrapped is env


def test_metadata_belong_to_the_instance():
    first, second = make(mode="SameStep"), make(mode=AutoresetMode.DISABLED)
    assert first.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert second.metadata["autoreset_mode"] is AutoresetMode.DISABLED
    assert first.metadata is not NativeVectorEnv.metadata
    assert "autoreset_mode" not in NativeVectorEnv.metadata


def test_next_step_and_float32_are_the_defaults():
    env = pg.make("CartPole-v1")
    assert env.num_envs == 1
    assert env.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert env.observation_space.dtype == np.float32


@every_env
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_array_has_the_type_that_gymnasium_gives(id, mode, dtype):
    env = make(4, mode, id, dtype=dtype, max_episode_steps=5)
    observations, _ = env.reset()
    assert env.observation_space.contains(observations)
    for step in walk(env, actions_of(env, 20)):
        assert env.observation_space.contains(step[0])
        assert step[0].dtype == env.observation_space.dtype
        if len(step) == 1:
            continue
        _, rewards, terminated, truncated, infos = step
        assert (rewards.dtype, rewards.shape) == (np.float64, (4,))
        assert (terminated.dtype, terminated.shape) == (np.bool_, (4,))
        assert (truncated.dtype, truncated.shape) == (np.bool_, (4,))
        assert "episode" not in infos
        for key, value in infos.items():
            if not key.startswith("_"):
                assert infos["_" + key].dtype == np.bool_
                assert isinstance(value, (np.ndarray, dict))


@pytest.mark.parametrize("id", ["CartPole-v1", "Pendulum-v1", "LQR-v0", "Taxi-v3"])
@pytest.mark.parametrize("mode", MODES)
def test_returned_arrays_are_fresh(id, mode):
    """Nothing that was returned changes later, shares memory, or is the environment's own."""
    env = make(4, mode, id, max_episode_steps=3)
    results = [env.reset(), *walk(env, actions_of(env, 12))]
    kept = copy.deepcopy(results)
    walk(env, actions_of(env, 12, seed=1))
    assert_same(results, kept)

    def arrays(value):
        if isinstance(value, dict):
            return [a for part in value.values() for a in arrays(part)]
        if isinstance(value, (list, tuple)):
            return [a for part in value for a in arrays(part)]
        if isinstance(value, np.ndarray):
            return [value] if value.dtype != object else [value, *arrays(list(value))]
        return []

    found = arrays(results)
    assert len(found) >= 1 + 4 * 12
    assert not any(np.shares_memory(a, b) for a, b in itertools.combinations(found, 2))

    before = env.get_state()
    for array in found:
        array[...] = None if array.dtype == object else 1
    env.get_state()["state"][...] = 1
    assert_same(env.get_state(), before)


def test_actions_may_be_int64_int32_or_a_list_and_are_not_changed():
    for given in (np.int64, np.int32, list):
        env = make(4)
        env.reset()
        actions = np.array([0, 1, 1, 0])
        own = actions.tolist() if given is list else actions.astype(given)
        result = env.step(own)
        assert np.array_equal(own, [0, 1, 1, 0])
        expected = make(4)
        expected.reset()
        assert_same(result, expected.step(actions))
    assert env.step(env.action_space.sample())[0].shape == (4, 4)


# --- registration --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "program",
    [
        "import gymnasium, pgfast; env = gymnasium.make_vec('pgfast/CartPole-v1', num_envs=3)",
        "import pgfast, gymnasium; env = gymnasium.make_vec('pgfast/CartPole-v1', num_envs=3)",
        "import gymnasium; env = gymnasium.make_vec('pgfast:pgfast/CartPole-v1', num_envs=3)",
    ],
)
def test_a_fresh_process_finds_the_environment_in_gymnasiums_registry(program):
    program += "; print(type(env).__name__, env.num_envs, env.reset(seed=0)[0].shape)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["NativeVectorEnv", "3", "(3,", "4)"]


@pytest.mark.parametrize("through", ["pgfast.make", "make_vec"])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {
            "dtype": "float64",
            "autoreset_mode": "SameStep",
            "max_episode_steps": 7,
            "sutton_barto_reward": True,
        },
    ],
    ids=["defaults", "arguments"],
)
def test_make_vec_builds_the_same_environment_again_from_its_spec(through, arguments):
    if through == "make_vec":
        env = gym.make_vec("pgfast/CartPole-v1", num_envs=4, **arguments)
    else:
        env = pg.make("CartPole-v1", 4, **arguments)
    for spec in (env.spec, EnvSpec.from_json(env.spec.to_json())):
        again = gym.make_vec(spec)
        assert isinstance(again, NativeVectorEnv)
        assert again.num_envs == 4
        assert again.dtype == np.dtype(arguments.get("dtype", "float32"))
        assert again.metadata == env.metadata
        assert again.max_episode_steps == arguments.get("max_episode_steps", 500)
        assert again.observation_space == env.observation_space
        assert again.action_space == env.action_space
        assert_same(env.reset(seed=2), again.reset(seed=2))
        actions = actions_of(env, 20)
        assert_same(walk(env, actions), walk(again, actions))


def test_the_registered_spec_is_not_changed_by_making_environments():
    before = copy.deepcopy(gym.spec("pgfast/CartPole-v1"))
    make(3, "SameStep", max_episode_steps=9)
    gym.make_vec("pgfast/CartPole-v1", num_envs=2, max_episode_steps=9)
    assert gym.spec("pgfast/CartPole-v1") == before


def test_make_vec_can_also_run_the_single_environment_in_a_sync_vector_env():
    env = gym.make_vec("pgfast/CartPole-v1", 2, vectorization_mode="sync")
    assert isinstance(env, SyncVectorEnv)
    native = make(2)
    assert env.observation_space == native.observation_space
    assert env.action_space == native.action_space
    assert env.reset(seed=0)[0].shape == (2, 4)


@every_env
def test_the_single_environment_passes_gymnasiums_checker(id):
    """It warns of nothing but bounds: of infinite ones, and of actions not in [-1, 1], as it does
    for Gymnasium's own.
    """
    env = gym.make(f"pgfast/{id}", **REQUIRED.get(id, {})).unwrapped
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_env(env, skip_render_check=True)
    for message in (str(w.message) for w in caught):
        assert "infinity" in message or "symmetric and normalized" in message


def test_the_single_environment_is_a_batch_of_one():
    env, batch = gym.make("pgfast/CartPole-v1"), make(1)
    observation, _ = env.reset(seed=4)
    assert env.observation_space.contains(observation)
    assert np.array_equal(observation, batch.reset(seed=4)[0][0])
    observation, reward, terminated, truncated, infos = env.step(1)
    assert np.array_equal(observation, batch.step([1])[0][0])
    assert (type(reward), type(terminated), type(truncated)) == (float, bool, bool)
    assert (reward, terminated, truncated, infos) == (1.0, False, False, {})
    start = np.array([3, 0, 0, 0], np.float32)
    options = {"state": start}
    assert np.array_equal(env.reset(options=options)[0], start)
    assert options["state"] is start
    assert env.step(np.int64(0))[2] is True
    env.close()
    env.close()


@every_env
@pytest.mark.parametrize("dtype", DTYPES)
def test_steps_are_the_same_on_any_number_of_threads(threads, id, dtype):
    """With enough environments for four threads, the last block of them not full."""
    num_envs = 32 * 1280 + 7
    actions = actions_of(make(num_envs, id=id, dtype=dtype), 3)

    def run():
        env = make(num_envs, "SameStep", id, dtype=dtype, max_episode_steps=2)
        return [env.reset(), *(env.step(row)[:4] for row in actions), env.get_state()]

    first, *others = threads(run)
    for other in others:
        assert_same(first, other)


def test_the_single_environments_time_limit_is_the_one_of_gymnasiums_wrapper():
    """Episodes may be longer than the registered 500 steps."""
    env = gym.make("pgfast/CartPole-v1", dtype="float64", max_episode_steps=600)
    observation, _ = env.reset(seed=0)
    for step in range(1, 601):
        action = int(observation @ [0.05, 0.15, 1.0, 0.3] > 0)
        observation, _, terminated, truncated, _ = env.step(action)
        assert (terminated, truncated) == (False, step == 600)


# --- pictures ------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", [id for id, env in NATIVE_ENVS.items() if env.pictures])
def test_pictures_are_those_that_gymnasium_draws(id):
    pytest.importorskip("pygame")
    env = make(3, id=id, render_mode="rgb_array")
    other = gym.make(id, render_mode="rgb_array").unwrapped
    assert env.metadata["render_fps"] == other.metadata["render_fps"]
    env.reset()
    env.step(actions_of(env, 1)[0])
    frames = env.render()
    other.reset(seed=0)
    for frame, state in zip(frames, env.get_state()["state"], strict=True):
        other.state = state.astype(np.float64)
        assert frame.dtype == np.uint8
        assert np.array_equal(frame, other.render())
    assert (frames[0] != frames[1]).any()
    again = gym.make_vec(env.spec)
    again.reset()
    assert len(again.render()) == 3
    single = gym.make(f"pgfast/{id}", render_mode="rgb_array")
    single.reset(seed=0)
    assert single.render().shape == frames[0].shape
    for e in (env, single, other, again):
        e.close()


def test_without_pygame_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    env = make(render_mode="rgb_array")
    env.reset()
    with pytest.raises(gym.error.DependencyNotInstalled, match="pip install"):
        env.render()


def test_without_render_mode_there_is_a_warning_and_no_picture():
    env = make()
    env.reset()
    with pytest.warns(UserWarning, match="render_mode is None"):
        assert env.render() is None


def test_an_environment_without_pictures_refuses_render_modes():
    with pytest.raises(ValueError, match="make: render_mode is 'rgb_array', expected None"):
        make(id="LQR-v0", render_mode="rgb_array")


# --- wrappers ------------------------------------------------------------------------------------


def one_native_and_one_sync(mode):
    sync = SyncVectorEnv(
        [lambda: gym.make("pgfast/CartPole-v1", max_episode_steps=15)],
        autoreset_mode=AutoresetMode(mode),
    )
    return make(1, mode, max_episode_steps=15), sync


@pytest.mark.parametrize("mode", MODES)
def test_record_episode_statistics_counts_what_the_environment_returns(mode):
    """Returns and lengths of three environments equal those counted by hand."""
    env = RecordEpisodeStatistics(make(3, mode, max_episode_steps=15, sutton_barto_reward=True))
    env.reset(seed=0)
    returns, lengths = np.zeros(3), np.zeros(3, int)
    resetting = np.zeros(3, np.bool_)
    episodes = 0
    for actions in actions_of(env, 80):
        _, rewards, terminated, truncated, infos = env.step(actions)
        returns[~resetting] += rewards[~resetting]
        lengths[~resetting] += 1
        done = terminated | truncated
        if done.any():
            episodes += done.sum()
            assert np.array_equal(infos["_episode"], done)
            assert np.array_equal(infos["episode"]["r"], np.where(done, returns, 0))
            assert np.array_equal(infos["episode"]["l"], np.where(done, lengths, 0))
        else:
            assert "episode" not in infos
        returns[done] = lengths[done] = 0
        if mode == "NextStep":
            resetting = done
        if mode == "Disabled" and done.any():
            env.reset(options={"reset_mask": done})
    assert env.episode_count == episodes > 9


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wrapper", [RecordEpisodeStatistics, NormalizeReward])
def test_a_wrapper_gives_the_same_as_over_gymnasiums_sync_vector_env(wrapper, mode):
    results = []
    for env in one_native_and_one_sync(mode):
        wrapped = wrapper(env)
        results.append([wrapped.reset(seed=3), *walk(wrapped, actions_of(env, 100))])
    for step in results[0] + results[1]:
        if isinstance(step[-1], dict) and "episode" in step[-1]:
            step[-1]["episode"].pop("t")  # the clock's
            step[-1].pop("_episode")  # the wrapper's own array, which it changes at a reset
    assert_same(*results)


def test_normalize_observation_gives_the_same_as_over_gymnasiums_sync_vector_env():
    results = []
    for env in one_native_and_one_sync("NextStep"):
        wrapped = NormalizeObservation(env)
        results.append([wrapped.reset(seed=3), *walk(wrapped, actions_of(env, 100))])
    assert_same(*results)


def test_normalize_observation_normalizes_a_batch_by_its_running_moments():
    env, raw = NormalizeObservation(make(5)), make(5)
    moments = RunningMeanStd(shape=(4,), dtype=np.float32)

    def normalized(observations):
        moments.update(observations)
        scaled = (observations - moments.mean) / np.sqrt(moments.var + 1e-8)
        return scaled.astype(np.float32)

    assert np.array_equal(env.reset()[0], normalized(raw.reset()[0]))
    for actions in actions_of(env, 50):
        assert np.array_equal(env.step(actions)[0], normalized(raw.step(actions)[0]))


def test_transform_observation_and_nested_wrappers_work():
    env = RecordEpisodeStatistics(
        TransformObservation(make(3), lambda observations: 2 * observations)
    )
    assert np.array_equal(env.reset(seed=1)[0], 2 * make(3).reset(seed=1)[0])
