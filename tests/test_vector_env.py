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

import pgfast as pg
from pgfast.envs.native import NATIVE_ENVS
from pgfast.envs.vector_env import NativeVectorEnv

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


# --- the class --------------------------------------------------------------------------------


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


# --- autoreset --------------------------------------------------------------------------------


def test_next_step_gives_the_final_observation_and_ignores_the_next_action():
    state = falling()
    runs = []
    for action in (0, 1):
        env = make()
        env.reset(seed=5, options={"state": state})
        final, rewards, terminated, truncated, infos = env.step([1, 1, 1])
        assert final[0, 0] == np.float32(3) + np.float32(0.02) * state[0, 1]
        assert rewards.tolist() == [1, 1, 1]
        assert terminated.tolist() == [True, False, False]
        assert not truncated.any()
        assert infos == {}
        result = env.step([action, 1, 1])
        runs.append(result)
        observations, rewards, terminated, truncated, infos = result
        assert np.array_equal(observations[0], make(seed=5).reset()[0][0])
        assert rewards.tolist() == [0, 1, 1]
        assert not (terminated | truncated).any()
        assert infos == {}
        assert env.get_state()["elapsed"].tolist() == [0, 2, 2]
        after, rewards, *_ = env.step([1, 1, 1])
        assert rewards.tolist() == [1, 1, 1]
        assert after[0, 1] > observations[0, 1]
        assert env.get_state()["elapsed"].tolist() == [1, 3, 3]
    assert_same(*runs)


def test_same_step_gives_the_reset_observation_and_the_final_one_in_infos():
    env, other = make(mode="SameStep"), make()
    for e in (env, other):
        e.reset(seed=5, options={"state": falling()})
    final, *_ = other.step([1, 1, 1])
    observations, rewards, terminated, truncated, infos = env.step([1, 1, 1])
    assert np.array_equal(observations[0], make(seed=5).reset()[0][0])
    assert np.array_equal(observations[1:], final[1:])
    assert rewards.tolist() == [1, 1, 1]
    assert terminated.tolist() == [True, False, False]
    assert not truncated.any()
    assert infos.keys() == {"final_obs", "_final_obs", "final_info", "_final_info"}
    assert infos["final_obs"].dtype == object
    assert infos["final_obs"].shape == (3,)
    assert np.array_equal(infos["final_obs"][0], final[0])
    assert list(infos["final_obs"][1:]) == [None, None]
    assert infos["_final_obs"].tolist() == infos["_final_info"].tolist() == [True, False, False]
    after, rewards, _, _, infos = env.step([1, 1, 1])
    assert infos == {}
    assert rewards.tolist() == [1, 1, 1]
    assert after[0, 1] > observations[0, 1]
    assert env.get_state()["elapsed"].tolist() == [1, 2, 2]


def test_disabled_waits_for_a_reset_of_the_finished_environment():
    env, other = make(mode="Disabled"), make()
    for e in (env, other):
        e.reset(seed=5, options={"state": falling()})
    result = env.step([1, 1, 1])
    assert_same(result, other.step([1, 1, 1]))
    with pytest.raises(RuntimeError, match=r"step: .*\[0\].*reset"):
        env.step([1, 1, 1])
    observations, infos = env.reset(options={"reset_mask": result[2]})
    assert infos == {}
    assert np.array_equal(observations[0], make(seed=5).reset()[0][0])
    assert np.array_equal(observations[1:], result[0][1:])
    _, rewards, *_ = env.step([1, 1, 1])
    assert rewards.tolist() == [1, 1, 1]
    assert env.get_state()["elapsed"].tolist() == [1, 2, 2]


@every_env
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_one_environment_equals_gymnasiums_sync_vector_env_of_the_single_one(id, mode, dtype):
    """Everything returned is the same, infos included, over episodes that end in both ways."""
    arguments = {"dtype": np.dtype(dtype).name, "max_episode_steps": 15, **REQUIRED.get(id, {})}
    native = make(1, mode, id, **arguments)
    sync = SyncVectorEnv(
        [lambda: gym.make(f"pgfast/{id}", **arguments)], autoreset_mode=AutoresetMode(mode)
    )
    assert_same(native.reset(seed=11), sync.reset(seed=11))
    actions = actions_of(native, 300, seed=1)
    results, expected = walk(native, actions), walk(sync, actions)
    assert_same(results, expected)
    flags = {(bool(r[2][0]), bool(r[3][0])) for r in results if len(r) == 5}
    if id == "CartPole-v1":
        assert flags >= {(False, False), (True, False), (False, True)}
    assert any(map(any, flags))


@every_env
def test_episodes_are_the_same_in_every_autoreset_mode(id):
    """Each environment's steps, where the action depends on the step of its episode alone; what
    only resets is left out, and draws nothing.
    """
    runs = []
    for mode in MODES:
        env = make(35, mode, id, dtype=np.float64, max_episode_steps=9)
        env.reset()
        actions = actions_of(env, 10)
        episodes = [[] for _ in range(35)]
        for _ in range(60):
            before = env.get_state()
            waiting, elapsed = before["finished"], before["elapsed"]
            observations, *rest, infos = env.step(actions[elapsed, np.arange(35)])
            done = rest[1] | rest[2]
            for i in np.flatnonzero(~waiting):
                final = infos["final_obs"][i] if mode == "SameStep" and done[i] else observations[i]
                episodes[i].append((np.asarray(final).tolist(), *(float(x[i]) for x in rest)))
            if mode == "Disabled" and done.any():
                env.reset(options={"reset_mask": done})
        runs.append(episodes)
    for i in range(35):
        count = min(len(episodes[i]) for episodes in runs)
        assert count >= 30
        assert runs[0][i][:count] == runs[1][i][:count] == runs[2][i][:count]


@pytest.mark.parametrize("mode", MODES)
def test_an_environment_that_was_not_in_the_first_reset_mask_begins_like_the_others(mode):
    """It waits for its reset: at the next step, or for the user's where autoreset is disabled."""
    env = make(3, mode)
    env.reset(options={"reset_mask": np.array([True, False, True])})
    if mode == "Disabled":
        with pytest.raises(RuntimeError, match=r"\[1\]"):
            env.step([0, 0, 0])
        return
    observations, rewards, terminated, truncated, _ = env.step([0, 0, 0])
    assert rewards.tolist() == [1, 0, 1]
    assert not (terminated | truncated).any()
    assert np.array_equal(observations[1], make(3).reset()[0][1])


# --- reset masks ------------------------------------------------------------------------------


@every_env
@pytest.mark.parametrize("mode", MODES)
def test_a_reset_mask_leaves_every_part_of_the_others_state(id, mode):
    env, whole = make(40, mode, id), make(40, mode, id)
    env.reset()
    env.step(actions_of(env, 1)[0])
    before = env.get_state()
    mask = np.arange(40) % 3 == 0
    seeds = [7 if reached else None for reached in mask]
    observations, _ = env.reset(seed=seeds, options={"reset_mask": mask})
    expected, _ = whole.reset(seed=[7] * 40)
    assert np.array_equal(observations[mask], expected[mask])
    after = env.get_state()
    for part in before:
        assert np.array_equal(before[part][~mask], after[part][~mask]), part
    assert (after["elapsed"][mask] == 0).all()


@every_env
@pytest.mark.parametrize("dtype", DTYPES)
def test_reset_to_a_state_goes_on_as_the_environment_that_was_in_it(id, dtype):
    """Where steps draw nothing: those of a copy that begins with the state alone are the same."""
    env = make(40, "Disabled", id, dtype=dtype, max_episode_steps=60)
    env.reset()
    env.step(actions_of(env, 1)[0])
    copied = env.get_state()
    if isinstance(env.single_observation_space, gym.spaces.Discrete):
        states = copied["state"][:, 0].astype(np.int64)
    else:
        states = copied["state"]
    other = make(40, "Disabled", id, dtype=dtype, max_episode_steps=60)
    observations, _ = other.reset(options={"state": states})
    assert (other.get_state()["counter"] == 0).all()  # it has drawn nothing
    assert (other.get_state()["elapsed"] == 0).all()
    assert not other.get_state()["finished"].any()
    assert env.observation_space.contains(observations)
    other.set_state({**other.get_state(), "seed": copied["seed"], "counter": copied["counter"]})
    actions = actions_of(env, 1, seed=1)[0]
    env.set_state({**copied, "finished": np.zeros(40, np.bool_)})
    for x, y in zip(env.step(actions)[:4], other.step(actions)[:4], strict=True):
        assert np.array_equal(x, y)


@pytest.mark.parametrize("mode", MODES)
def test_a_reset_mask_leaves_the_others_as_they_are(mode):
    env = make(4, mode)
    env.reset()
    env.step([0, 1, 0, 1])
    before = env.get_state()
    mask = np.array([False, True, False, True])
    options = {"reset_mask": mask}
    observations, infos = env.reset(seed=[7, 8, None, None], options=options)
    assert list(options) == ["reset_mask"]
    assert options["reset_mask"] is mask
    assert mask.tolist() == [False, True, False, True]
    assert infos == {}
    after = env.get_state()
    for part in before:
        assert np.array_equal(before[part][~mask], after[part][~mask]), part
    assert np.array_equal(observations, after["state"])
    assert after["elapsed"].tolist() == [1, 0, 1, 0]
    assert after["seed"][1] == 8
    assert (observations[mask] != before["state"][mask]).all()
    assert np.array_equal(observations[1], make(4).reset(seed=[0, 8, 0, 0])[0][1])


@pytest.mark.parametrize(
    ("mask", "error"),
    [
        ([True, False, True], TypeError),
        ((True, False, True), TypeError),
        (True, TypeError),
        (None, TypeError),
        (np.array([1, 0, 1]), TypeError),
        (np.array([1.0, 0.0, 1.0]), TypeError),
        (np.array([True, False]), ValueError),
        (np.array([True]), ValueError),
        (np.array(True), ValueError),
        (np.array([[True, False, True]]), ValueError),
        (np.zeros(3, np.bool_), ValueError),
    ],
    ids=str,
)
def test_a_bad_reset_mask_is_an_error_that_changes_nothing(mask, error):
    env = make()
    env.reset()
    env.step([0, 1, 0])
    options = {"reset_mask": mask}
    before = env.get_state()
    with pytest.raises(error, match=r"^reset: options\['reset_mask'\]"):
        env.reset(seed=9, options=options)
    assert_same(env.get_state(), before)
    assert options["reset_mask"] is mask


# --- seeds ------------------------------------------------------------------------------------


@every_env
@pytest.mark.parametrize("mode", MODES)
def test_an_int_seed_is_the_list_of_its_successors(id, mode):
    first, second, third = (make(4, mode, id, seed=s) for s in (99, 100, 20))
    resets = [first.reset(seed=20), second.reset(seed=[20, 21, 22, 23]), third.reset()]
    assert_same(resets[0], resets[1])
    assert_same(resets[0], resets[2])
    actions = actions_of(first, 60)
    walks = [walk(env, actions) for env in (first, second, third)]
    assert_same(walks[0], walks[1])
    assert_same(walks[0], walks[2])


def test_numpy_seeds_and_the_largest_ones_are_taken():
    assert_same(make().reset(seed=np.int64(6)), make().reset(seed=6))
    largest = 2**64 - 1
    assert_same(make().reset(seed=largest), make().reset(seed=[largest, 0, 1]))


def test_none_in_a_list_of_seeds_leaves_that_stream_where_it_is():
    env, other = make(3, seed=1), make(3, seed=1)
    env.reset()
    other.reset()
    observations, _ = env.reset(seed=[5, None, 6])
    goes_on, _ = other.reset(seed=None)
    assert np.array_equal(observations[1], goes_on[1])
    assert (observations[[0, 2]] != goes_on[[0, 2]]).all()
    assert np.array_equal(observations[2], make(3).reset(seed=[0, 0, 6])[0][2])


def test_a_reset_without_seed_draws_anew_and_one_with_it_repeats():
    env = make(seed=None)
    first, _ = env.reset(seed=3)
    second, _ = env.reset()
    assert (first != second).all()
    assert np.array_equal(env.reset(seed=3)[0], first)
    assert np.array_equal(env.reset()[0], second)


def test_environments_without_seed_differ():
    assert (make(seed=None).reset()[0] != make(seed=None).reset()[0]).all()


@every_env
@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_an_environment_does_not_depend_on_the_size_of_its_batch_or_on_its_neighbours(id, mode):
    """Rows of 2, 5 and 70 environments agree, whatever the others do, over many episodes."""
    seeds = [40, 41, 42, 43, 44]
    envs = {n: make(n, mode, id, max_episode_steps=30) for n in (2, 5, 70)}
    actions = actions_of(envs[70], 200)
    strangers = make(5, mode, id, max_episode_steps=30)
    results = {n: [(env.reset(seed=40)[0],)] for n, env in envs.items()}
    others = [(strangers.reset(seed=[90, 41, 90, 91, 44])[0],)]
    for n, env in envs.items():
        results[n] += walk(env, actions[:, :n])
    strange = actions[::-1, :5].copy()
    strange[:, [1, 4]] = actions[:, [1, 4]]
    others += walk(strangers, strange)
    for narrow, wide in ((2, 5), (5, 70)):
        for a, b in zip(results[narrow], results[wide], strict=True):
            for x, y in zip(a[:4], b[:4], strict=True):
                assert np.array_equal(x, y[:narrow])
    for a, b in zip(results[5], others, strict=True):
        for x, y in zip(a[:4], b[:4], strict=True):
            assert np.array_equal(x[[1, 4]], y[[1, 4]])
    ends = sum((r[2] | r[3]).sum() for r in results[5] if len(r) > 1)
    assert ends > len(seeds) * 3


def test_neighbouring_seeds_share_nothing():
    """All 4800 numbers of 20 neighbouring batches differ (53 bits each: chance 2e-9)."""
    numbers = []
    for seed in range(20):
        env = make(6, dtype=np.float64, seed=seed)
        numbers += [env.reset()[0] for _ in range(10)]
    numbers = np.concatenate(numbers).ravel()
    assert len(np.unique(numbers)) == len(numbers) == 4800


@pytest.mark.parametrize(
    ("seed", "error"),
    [
        (-1, ValueError),
        (2**64, ValueError),
        ([1, 2], ValueError),
        ([1, 2, 3, 4], ValueError),
        ([1, -2, 3], ValueError),
        ([1, 2.5, 3], TypeError),
        ("123", TypeError),
        (1.5, TypeError),
        ({"seed": 1}, TypeError),
    ],
    ids=str,
)
def test_a_bad_seed_is_an_error_that_changes_nothing(seed, error):
    env = make()
    env.reset()
    before = env.get_state()
    with pytest.raises(error, match=r"^reset: seed "):
        env.reset(seed=seed)
    assert_same(env.get_state(), before)


# --- registration -----------------------------------------------------------------------------


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


# --- pictures ---------------------------------------------------------------------------------


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


# --- wrappers ---------------------------------------------------------------------------------


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


# --- states -----------------------------------------------------------------------------------


@every_env
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_copied_state_goes_on_bit_for_bit(id, mode, dtype):
    """In the same environment and in another one, through many resets."""
    env = make(40, mode, id, dtype=dtype, max_episode_steps=21)
    env.reset()
    walk(env, actions_of(env, 30))
    state = env.get_state()
    kept = copy.deepcopy(state)
    actions = actions_of(env, 60, seed=1)
    expected = [*walk(env, actions), env.reset()]
    assert_same(state, kept)
    other = make(40, mode, id, dtype=dtype, max_episode_steps=21, seed=77)
    for twin in (env, other):
        twin.set_state(state)
        assert_same(twin.get_state(), kept)
        assert_same([*walk(twin, actions), twin.reset()], expected)
    assert_same(state, kept)


def test_a_copy_taken_where_an_episode_has_ended_still_waits_for_its_reset():
    env, twin = make(mode="NextStep"), make(mode="NextStep", seed=8)
    env.reset(options={"state": falling()})
    env.step([0, 0, 0])
    state = env.get_state()
    assert state["finished"].tolist() == [True, False, False]
    twin.set_state(state)
    assert_same(env.step([1, 1, 1]), twin.step([1, 1, 1]))


def test_the_parts_of_a_state():
    env = make(3, seed=4)
    env.reset(options={"state": falling()})
    state = env.get_state()
    assert list(state) == ["state", "elapsed", "finished", "seed", "counter"]
    assert np.array_equal(state["state"], falling())
    assert state["elapsed"].tolist() == [0, 0, 0]
    assert state["finished"].tolist() == [False, False, False]
    assert state["seed"].tolist() == [4, 5, 6]


@pytest.mark.parametrize("elapsed", [7, 2**31 - 2, 2**31 - 1])
def test_without_a_step_limit_the_count_of_steps_stays_where_it_ends(elapsed):
    """It is an int32, and truncates nothing."""
    env = make(3, id="CliffWalking-v1")
    env.reset()
    env.set_state({**env.get_state(), "elapsed": np.full(3, elapsed, np.int32)})
    for steps in (1, 2):
        assert not env.step([0, 0, 0])[3].any()
        assert env.get_state()["elapsed"].tolist() == [min(elapsed + steps, 2**31 - 1)] * 3


def test_the_largest_step_limit_truncates():
    env = make(3, id="Pendulum-v1", max_episode_steps=2**31 - 1)
    env.reset()
    env.set_state({**env.get_state(), "elapsed": np.full(3, 2**31 - 3, np.int32)})
    actions = np.zeros((3, 1), np.float32)
    assert [env.step(actions)[3].tolist() for _ in range(2)] == [[False] * 3, [True] * 3]


@pytest.mark.parametrize("dtype", DTYPES)
def test_reset_to_a_state_begins_an_episode_there_and_draws_nothing(dtype):
    env = make(3, dtype=dtype, max_episode_steps=2)
    env.reset()
    env.step([0, 0, 0])
    counter = env.get_state()["counter"]
    start = falling(dtype=dtype)
    options = {"state": start.copy()}
    observations, infos = env.reset(options=options)
    assert np.array_equal(observations, start)
    assert infos == {}
    assert list(options) == ["state"]
    assert np.array_equal(options["state"], start)
    assert np.array_equal(env.get_state()["counter"], counter)
    assert not env.step([0, 0, 0])[3].any()
    assert env.step([0, 0, 0])[3].tolist() == [False, True, True]  # the first one has fallen


def test_a_state_of_rock_paper_scissors_has_counts():
    env = make(2, id="RockPaperScissors-v0")
    env.reset()
    copy = env.get_state()
    for bad in (np.nan, -1):
        state = copy["state"].copy()
        state[1, 2] = bad
        with pytest.raises(ValueError, match="set_state: state has a row 1 that is no state"):
            env.set_state({**copy, "state": state})
    env.set_state(copy)


def test_reset_to_a_state_reaches_only_the_environments_of_the_mask():
    env = make(3)
    before, _ = env.reset()
    mask = np.array([False, True, False])
    observations, _ = env.reset(options={"state": falling(), "reset_mask": mask})
    assert np.array_equal(observations[mask], falling()[mask])
    assert np.array_equal(observations[~mask], before[~mask])


# --- bad input --------------------------------------------------------------------------------


def state_with(**parts):
    def change(env):
        state = env.get_state()
        for name, part in parts.items():
            if part is None:
                del state[name]
            else:
                state[name] = part
        env.set_state(state)

    return change


def not_a_number(value):
    states = falling()
    states[1, 2] = value
    return states


BAD_CALLS = {
    "an action above the range": (lambda e: e.step([0, 2, 1]), ValueError, "step: actions"),
    "an action below the range": (lambda e: e.step([0, -1, 1]), ValueError, "step: actions"),
    "too few actions": (lambda e: e.step([0, 1]), ValueError, "step: actions"),
    "too many actions": (lambda e: e.step([0, 1, 0, 1]), ValueError, "step: actions"),
    "one action": (lambda e: e.step(1), ValueError, "step: actions"),
    "actions of rank 2": (lambda e: e.step([[0, 1, 0]]), ValueError, "step: actions"),
    "no actions": (lambda e: e.step(np.zeros(0, np.int64)), ValueError, "step: actions"),
    "float actions": (lambda e: e.step([0.0, 1.0, 0.0]), TypeError, "step: actions"),
    "NaN actions": (lambda e: e.step([np.nan] * 3), TypeError, "step: actions"),
    "bool actions": (lambda e: e.step([True, False, True]), TypeError, "step: actions"),
    "uint8 actions": (lambda e: e.step(np.zeros(3, np.uint8)), TypeError, "step: actions"),
    "ragged actions": (lambda e: e.step([[0], [1, 0], 1]), TypeError, "step: actions"),
    "None as actions": (lambda e: e.step(None), TypeError, "step: actions"),
    "text as actions": (lambda e: e.step("010"), TypeError, "step: actions"),
    "an unknown option": (
        lambda e: e.reset(options={"reset_masks": None}),
        ValueError,
        "reset: option is 'reset_masks', expected perhaps 'reset_mask'",
    ),
    "a state of the wrong rank": (
        lambda e: e.reset(options={"state": np.zeros(4, np.float32)}),
        ValueError,
        "reset: options['state'] has shape (4,), expected (3, 4)",
    ),
    "a state of the wrong size": (
        lambda e: e.reset(options={"state": np.zeros((3, 5), np.float32)}),
        ValueError,
        "reset: options['state'] has shape (3, 5), expected (3, 4)",
    ),
    "a state for too many environments": (
        lambda e: e.reset(options={"state": np.zeros((4, 4), np.float32)}),
        ValueError,
        "reset: options['state'] has shape (4, 4), expected (3, 4)",
    ),
    "a state of another dtype": (
        lambda e: e.reset(options={"state": np.zeros((3, 4))}),
        TypeError,
        "reset: options['state'] has dtype float64, expected float32",
    ),
    "a strided state": (
        lambda e: e.reset(options={"state": np.zeros((4, 3), np.float32).T}),
        ValueError,
        "reset: options['state']",
    ),
    "a state of text": (
        lambda e: e.reset(options={"state": "abc"}),
        TypeError,
        "reset: options['state']",
    ),
    "a state with NaN": (
        lambda e: e.reset(options={"state": not_a_number(np.nan)}),
        ValueError,
        "reset: options['state']",
    ),
    "an infinite state": (
        lambda e: e.reset(options={"state": not_a_number(-np.inf)}),
        ValueError,
        "reset: options['state']",
    ),
    "a copy without a part": (state_with(elapsed=None), ValueError, "set_state: the key 'elapsed'"),
    "a copy with a state of another shape": (
        state_with(state=np.zeros((3, 3), np.float32)),
        ValueError,
        "set_state: state has shape (3, 3), expected (3, 4)",
    ),
    "a copy with a state of another dtype": (
        state_with(state=np.zeros((3, 4))),
        TypeError,
        "set_state: state has dtype float64, expected float32",
    ),
    "a copy with a last part of another shape": (
        state_with(state=np.ones((3, 4), np.float32), counter=np.zeros(2, np.uint64)),
        ValueError,
        "set_state: counter",
    ),
    "a copy of another batch size": (
        lambda e: e.set_state(make(4).get_state()),
        ValueError,
        "set_state: state has shape (4, 4), expected (3, 4)",
    ),
    "no copy": (lambda e: e.set_state(None), TypeError, "set_state: "),
}


@pytest.mark.parametrize(("call", "error", "message"), BAD_CALLS.values(), ids=BAD_CALLS)
def test_a_bad_call_is_an_error_that_changes_nothing(call, error, message):
    env, twin = make(), make()
    for e in (env, twin):
        e.reset()
        e.step([0, 1, 0])
    before = env.get_state()
    with pytest.raises(error) as caught:
        call(env)
    assert str(caught.value).startswith(message)
    assert_same(env.get_state(), before)
    actions = actions_of(env, 30)
    assert_same(walk(env, actions), walk(twin, actions))


BAD_BOX_ACTIONS = {
    "NaN": ([[0.0], [np.nan], [0.0]], ValueError, "holds nan"),
    "infinite": ([[0.0], [0.0], [-np.inf]], ValueError, "holds -inf"),
    "without their dimension": (np.zeros(3, np.float32), ValueError, "has shape (3,)"),
    "of two dimensions": (np.zeros((3, 2), np.float32), ValueError, "has shape (3, 2)"),
    "too few": ([[0.0], [0.0]], ValueError, "has shape (2, 1), expected (3, 1)"),
    "none": (np.zeros((0, 1), np.float32), ValueError, "has shape (0, 1)"),
    "one": (0.0, ValueError, "has shape ()"),
    "integers": (np.zeros((3, 1), np.int64), TypeError, "has dtype int64"),
    "half precision": (np.zeros((3, 1), np.float16), TypeError, "has dtype float16"),
    "complex": (np.zeros((3, 1), np.complex64), TypeError, "has dtype complex64"),
    "bool": ([[True], [False], [True]], TypeError, "has dtype bool"),
    "text": ([["0"], ["1"], ["0"]], TypeError, "has dtype <U1"),
    "None": (None, TypeError, "has dtype object"),
    "ragged": ([[0.0], [0.0, 1.0], [0.0]], TypeError, "are no array of numbers"),
}


@pytest.mark.parametrize(
    ("actions", "error", "message"), BAD_BOX_ACTIONS.values(), ids=BAD_BOX_ACTIONS
)
def test_bad_continuous_actions_are_an_error_that_changes_nothing(actions, error, message):
    env = make(id="Pendulum-v1")
    env.reset()
    before = env.get_state()
    with pytest.raises(error) as caught:
        env.step(actions)
    assert str(caught.value).startswith(f"step: actions {message}")
    assert_same(env.get_state(), before)


@pytest.mark.parametrize("dtype", DTYPES)
def test_continuous_actions_may_be_float32_float64_or_lists(dtype):
    results = []
    for given in (np.float32, np.float64, list):
        env = make(4, id="Pendulum-v1", dtype=dtype)
        env.reset()
        actions = np.array([[0.5], [-2.0], [1.0], [7.0]])
        own = [[0.5], [-2], [1], [7]] if given is list else actions.astype(given)
        results.append(env.step(own))
        assert np.array_equal(own, actions)
    assert_same(results[0], results[1])
    assert_same(results[0], results[2])
    strided = np.zeros((4, 2))
    strided[:, :1] = actions
    env.reset(seed=0)
    assert_same(env.step(strided[:, :1]), results[0])


def test_a_step_before_the_first_reset_is_an_error_that_changes_nothing():
    env = make(seed=3)
    before = env.get_state()
    with pytest.raises(RuntimeError, match=r"^step: .*reset"):
        env.step([0, 0, 0])
    assert_same(env.get_state(), before)
    assert_same(env.reset(), make(seed=3).reset())


def test_a_step_of_a_finished_environment_without_autoreset_changes_nothing():
    env = make(mode="Disabled")
    env.reset(options={"state": falling()})
    env.step([0, 0, 0])
    before = env.get_state()
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"^step: .*\[0\]"):
            env.step([0, 0, 0])
        assert_same(env.get_state(), before)


def test_nothing_works_after_close_and_closing_twice_is_allowed():
    env = make()
    env.reset()
    state = env.get_state()
    env.close()
    assert env.closed
    env.close()
    for name, call in {
        "reset": env.reset,
        "step": lambda: env.step([0, 0, 0]),
        "get_state": env.get_state,
        "set_state": lambda: env.set_state(state),
        "collect": lambda: pg.collect(env, pg.SoftmaxPolicy(4, 2), steps=1),
    }.items():
        with pytest.raises(RuntimeError, match=f"^{name}: .*closed"):
            call()


BAD_ARGUMENTS = {
    "no environments": ({"num_envs": 0}, ValueError, "make: num_envs is 0"),
    "fewer than none": ({"num_envs": -3}, ValueError, "make: num_envs is -3"),
    "a fraction of them": ({"num_envs": 2.5}, TypeError, "make: num_envs is a float"),
    "a time limit of 0": ({"max_episode_steps": 0}, ValueError, "make: max_episode_steps is 0"),
    "a time limit below": ({"max_episode_steps": -1}, ValueError, "make: max_episode_steps is -1"),
    "half a step": ({"max_episode_steps": 0.5}, TypeError, "make: max_episode_steps is a float"),
    "integers": ({"dtype": np.int32}, TypeError, "make: dtype is int32"),
    "half precision": ({"dtype": np.float16}, TypeError, "make: dtype is float16"),
    "an unknown mode": (
        {"autoreset_mode": "sameStep"},
        ValueError,
        "make: autoreset_mode is 'sameStep', expected perhaps 'SameStep'",
    ),
    "rendering": ({"render_mode": "human"}, ValueError, "make: render_mode is 'human'"),
    "an unknown keyword": (
        {"sutton_barto_rewards": True},
        TypeError,
        "make('CartPole-v1'): keyword is 'sutton_barto_rewards', "
        "expected perhaps 'sutton_barto_reward'",
    ),
    "a keyword of another type": (
        {"sutton_barto_reward": "no"},
        TypeError,
        "make('CartPole-v1'): sutton_barto_reward",
    ),
    "a negative seed": ({"seed": -1}, ValueError, "seed is -1"),
    "a seed that is no number": ({"seed": "0"}, TypeError, "seed is a str"),
    "an unknown id": (
        {"id": "CartPoel-v1"},
        ValueError,
        "make: id is 'CartPoel-v1', expected perhaps 'CartPole-v1'",
    ),
    "another version": (
        {"id": "CartPole-v0"},
        ValueError,
        "make: id is 'CartPole-v0', expected perhaps 'CartPole-v1'",
    ),
    "an id far from all": (
        {"id": "?"},
        ValueError,
        "make: id is '?', expected one of 'Acrobot-v1', 'Bandit-v0', 'CartPole-v1', ",
    ),
    "an id that is no text": ({"id": 3}, TypeError, "make: id is "),
}


@pytest.mark.parametrize(
    ("arguments", "error", "message"), BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS
)
def test_a_bad_argument_of_make_is_an_error_that_names_it(arguments, error, message):
    with pytest.raises(error) as caught:
        pg.make(**{"id": "CartPole-v1", **arguments})
    assert message in str(caught.value)


@pytest.mark.parametrize("limit", [2**31 - 1, 2**31, 2**40, 2**63])
def test_a_very_large_time_limit_is_honoured_or_refused(limit):
    try:
        env = make(max_episode_steps=limit)
    except ValueError as error:
        if "max_episode_steps" not in str(error):
            raise
        return
    env.reset()
    assert not env.step([0, 0, 0])[3].any()
