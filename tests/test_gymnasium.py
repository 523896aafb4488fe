"""Native environments behind Gymnasium's interface: what its own tests and checkers ask for.

The oracle is Gymnasium's SyncVectorEnv over the rows of a native batch: the same dynamics, random
numbers and arithmetic, with Gymnasium's own code for resets, infos and batches around them.
"""

from __future__ import annotations

import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.vector.utils import create_empty_array
from gymnasium.wrappers.vector import (
    ClipReward,
    DictInfoToList,
    FlattenObservation,
    NormalizeObservation,
    NormalizeReward,
    RecordEpisodeStatistics,
    RescaleObservation,
    TransformObservation,
    TransformReward,
)

import pgfast as pg
from pgfast.envs.native import NATIVE_ENVS, Box
from pgfast.envs.vector_env import NativeVectorEnv
from pgfast.envs.walk import same

P = np.array([[[0.2, 0.8], [0.6, 0.4]], [[0.5, 0.5], [0.0, 1.0]]])
REQUIRED = {"Tabular-v0": {"P": P, "R": np.array([[0, 1], [2, 3]]), "p0": np.array([0.5, 0.5])}}
MODES = list(AutoresetMode)
DTYPES = [np.float32, np.float64]
N, LIMIT = 3, 9


class Row(gym.Env):
    """Environment i of a native batch by itself: its stream of random numbers is that of row i."""

    def __init__(self, env_id, i, dtype):
        self.batch = pg.make(
            env_id,
            N,
            dtype=dtype,
            autoreset_mode="Disabled",
            max_episode_steps=LIMIT,
            **REQUIRED.get(env_id, {}),
        )
        self.observation_space = self.batch.single_observation_space
        self.action_space = self.batch.single_action_space
        self.i = i

    def reset(self, *, seed=None, options=None):
        mask = np.arange(N) == self.i
        seeds = None if seed is None else [seed if here else None for here in mask]
        if not self.batch._begun:
            self.batch.reset()
        result = self.batch.reset(seed=seeds, options={**(options or {}), "reset_mask": mask})
        return tuple(self._mine(part) for part in result)

    def step(self, action):
        actions = create_empty_array(self.action_space, n=N)
        actions[self.i] = action
        observation, reward, terminated, truncated, infos = self.batch.step(actions)
        result = self._mine(observation), reward[self.i], terminated[self.i], truncated[self.i]
        others = (terminated | truncated) & (np.arange(N) != self.i)
        if others.any():
            self.batch.reset(options={"reset_mask": others})
        return *result, self._mine(infos)

    def _mine(self, part):
        if isinstance(part, dict):
            return {k: v[self.i] for k, v in part.items() if k[0] != "_" and part[f"_{k}"][self.i]}
        return part[self.i]


class KeepsOptions(SyncVectorEnv):
    """Gymnasium's own takes "reset_mask" out of the options, and wrappers then clear all rows."""

    def reset(self, *, seed=None, options=None):
        return super().reset(seed=seed, options=options and dict(options))


def native_and_sync(env_id, mode, dtype=np.float64):
    """A native batch, and Gymnasium's of its rows."""
    settings = {"max_episode_steps": LIMIT, **REQUIRED.get(env_id, {})}
    native = pg.make(env_id, N, dtype=dtype, autoreset_mode=mode, **settings)
    rows = [lambda i=i: Row(env_id, i, dtype) for i in range(N)]
    return native, KeepsOptions(rows, autoreset_mode=mode)


def walk(env, steps=40):
    """What a reset and steps with random actions return."""
    env.action_space.seed(7)
    returned = [env.reset(seed=11)]
    for _ in range(steps):
        returned.append(env.step(env.action_space.sample()))
        done = returned[-1][2] | returned[-1][3]
        if env.metadata["autoreset_mode"] is AutoresetMode.DISABLED and done.any():
            returned.append(env.reset(options={"reset_mask": np.array(done)}))
    return returned


def assert_same(native, sync):
    """The same numbers, dtypes and keys, call for call."""
    assert len(native) == len(sync)
    for call, (a, b) in enumerate(zip(native, sync, strict=True)):
        for name, x, y in zip(
            ("observations", "rewards", "terminated", "truncated"), a, b, strict=False
        ):
            if not isinstance(x, dict):
                assert same(x, y), (call, name, x, y)
        assert same(a[-1], b[-1]), (call, a[-1], b[-1])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("env_id", NATIVE_ENVS)
def test_a_native_batch_is_gymnasiums_sync_vector_env_of_its_rows(env_id, dtype, mode):
    """Bit for bit: observations, rewards, flags, infos with masks, resets, seeds; in every mode."""
    native, sync = native_and_sync(env_id, mode, dtype)
    assert native.observation_space == sync.observation_space
    assert native.action_space == sync.action_space
    assert native.metadata["autoreset_mode"] is sync.metadata["autoreset_mode"]
    a, b = walk(native), walk(sync)
    assert_same(a, b)
    assert sum((r[2] | r[3]).sum() for r in a if len(r) == 5) >= N * 3


# --- wrappers -------------------------------------------------------------------------------------


def without_clock(returned):
    """RecordEpisodeStatistics tells the time, and writes into the mask it has returned."""
    for call in returned:
        if "episode" in call[-1]:
            call[-1]["episode"].pop("t")
            call[-1].pop("_episode")
    return returned


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("env_id", NATIVE_ENVS)
@pytest.mark.parametrize("wrapper", [RecordEpisodeStatistics, NormalizeReward])
def test_wrappers_of_rewards_give_what_they_give_over_gymnasium(wrapper, env_id, mode):
    """In every mode of every environment."""
    a, b = (without_clock(walk(wrapper(env))) for env in native_and_sync(env_id, mode))
    assert_same(a, b)


BOXES = [id for id, env in NATIVE_ENVS.items() if isinstance(env.observation, Box)]


@pytest.mark.parametrize("env_id", BOXES)
def test_normalised_observations_are_those_over_gymnasium(env_id):
    """NormalizeObservation, which takes NEXT_STEP alone."""
    a, b = (walk(NormalizeObservation(env)) for env in native_and_sync(env_id, "NextStep"))
    assert_same(a, b)


WRAPPERS = {
    "TransformObservation": lambda env: TransformObservation(env, lambda o: 2 * o),
    "FlattenObservation": FlattenObservation,
    "RescaleObservation": lambda env: RescaleObservation(
        env, np.array([0, -np.inf, 0, -np.inf]), np.array([1, np.inf, 1, np.inf])
    ),
    "TransformReward": lambda env: TransformReward(env, lambda r: r - 1),
    "ClipReward": lambda env: ClipReward(env, 0.25, 0.75),
    "three of them": lambda env: NormalizeReward(
        RecordEpisodeStatistics(TransformObservation(env, np.tanh))
    ),
}


@pytest.mark.parametrize("mode", ["NextStep", "Disabled"])
@pytest.mark.parametrize("wrapper", WRAPPERS.values(), ids=WRAPPERS)
def test_other_wrappers_give_what_they_give_over_gymnasium(wrapper, mode):
    """Gymnasium's wrappers of observations refuse SAME_STEP."""
    a, b = (without_clock(walk(wrapper(env))) for env in native_and_sync("CartPole-v1", mode))
    assert_same(a, b)


@pytest.mark.parametrize("mode", MODES)
def test_infos_become_the_same_lists(mode):
    """DictInfoToList, with the statistics of RecordEpisodeStatistics in them."""
    results = []
    for env in native_and_sync("CartPole-v1", mode):
        listed = DictInfoToList(RecordEpisodeStatistics(env))
        listed.action_space.seed(7)
        infos = [listed.reset(seed=11)[-1]]
        for _ in range(20):
            _, _, terminated, truncated, info = listed.step(listed.action_space.sample())
            infos.append(info)
            if AutoresetMode(mode) is AutoresetMode.DISABLED and (terminated | truncated).any():
                infos.append(listed.reset(options={"reset_mask": terminated | truncated})[-1])
        for entry in (entry for info in infos for entry in info):
            entry.get("episode", {}).pop("t", None)
        results.append(infos)
    assert same(*results)
    assert any("episode" in entry for info in results[0] for entry in info)


@pytest.mark.parametrize("mode", ["NextStep", "Disabled"])
def test_tensors_are_the_same(mode):
    """NumpyToTorch, both ways."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    pytest.importorskip("array_api_compat", reason="Gymnasium's conversions ask for it")
    from gymnasium.wrappers.vector import NumpyToTorch

    results = []
    for env in native_and_sync("CartPole-v1", mode):
        wrapped = NumpyToTorch(env)
        steps = [wrapped.reset(seed=11)]
        for t in range(5):
            steps.append(wrapped.step(torch.tensor([t % 2, 0, 1])))
        assert all(isinstance(part, torch.Tensor) for step in steps for part in step[:-1])
        results.append([[part.numpy() for part in step[:-1]] for step in steps])
    assert same(*results)


# --- make_vec -------------------------------------------------------------------------------------


@pytest.mark.parametrize("env_id", NATIVE_ENVS)
@pytest.mark.parametrize("num_envs", [1, 3])
def test_make_vec_makes_the_native_batch(env_id, num_envs):
    """And make_vec of its spec the same again, limit and number included."""
    required = REQUIRED.get(env_id, {})
    env = gym.make_vec(f"pgfast/{env_id}", num_envs, **required)
    assert isinstance(env, NativeVectorEnv)
    assert env.num_envs == num_envs
    assert env.max_episode_steps == NATIVE_ENVS[env_id].max_episode_steps
    again = gym.make_vec(env.spec)
    assert type(again) is type(env)
    assert same(again.spec.kwargs, env.spec.kwargs)
    assert (again.num_envs, again.dtype) == (env.num_envs, env.dtype)
    settings = {"max_episode_steps": 3, "dtype": "float64", **required}
    limited = gym.make_vec(f"pgfast/{env_id}", num_envs, **settings)
    assert limited.max_episode_steps == 3
    assert gym.make_vec(limited.spec).max_episode_steps == 3
    assert gym.make_vec(limited.spec).dtype == np.float64


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_make_vec_runs_the_single_environment_in_gymnasiums_own(mode):
    """With its wrappers, which a native batch does not take."""
    settings = {"vectorization_mode": mode, "wrappers": [gym.wrappers.TimeAwareObservation]}
    env = gym.make_vec("pgfast/CartPole-v1", 2, **settings)
    assert isinstance(env, VectorEnv)
    assert not isinstance(env, NativeVectorEnv)
    assert env.reset(seed=0)[0].shape == (2, 5)
    env.close()
    with pytest.raises(gym.error.Error, match="wrappers argument"):
        gym.make_vec("pgfast/CartPole-v1", 2, wrappers=[gym.wrappers.TimeAwareObservation])
    with pytest.raises(gym.error.Error, match="vector_kwargs"):
        gym.make_vec("pgfast/CartPole-v1", 2, vector_kwargs={"copy": False})


# --- single environments --------------------------------------------------------------------------


def single(env_id):
    """One environment by Gymnasium's own `make`."""
    return gym.make(f"pgfast/{env_id}", **REQUIRED.get(env_id, {}))


@pytest.mark.parametrize("env_id", NATIVE_ENVS)
def test_the_single_environment_passes_gymnasiums_checker(env_id):
    """It warns of bounds and of normalisation alone, as it does of Gymnasium's own."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_env(single(env_id).unwrapped, skip_render_check=True)
    known = ("infinity", "symmetric and normalized", "-1 to 1", "high and low")
    for message in {str(w.message) for w in caught}:
        assert any(words in message for words in known), message


@pytest.mark.parametrize("env_id", [id for id in NATIVE_ENVS if id != "LQR-v0"])
def test_the_single_environment_passes_stable_baselines_checker(env_id):
    """Its warnings are advice on spaces. It takes no actions without bounds, as LQR's are."""
    checker = pytest.importorskip(
        "stable_baselines3.common.env_checker", reason="Stable-Baselines3 is not installed"
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        checker.check_env(single(env_id), warn=True, skip_render_check=True)
    for message in {str(w.message) for w in caught}:
        assert "symmetric and normalized" in message, message
