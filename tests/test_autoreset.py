"""What a native environment does when an episode is over: three modes, and masks."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from native_envs import (
    DTYPES,
    MODES,
    REQUIRED,
    actions_of,
    assert_same,
    every_env,
    falling,
    make,
    walk,
)

# --- autoreset -----------------------------------------------------------------------------------


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


# --- reset masks ---------------------------------------------------------------------------------


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
