"""Where native environments begin, and that they go on from a state as they would have."""

import copy

import numpy as np
import pytest
from native_envs import (
    DTYPES,
    MODES,
    actions_of,
    assert_same,
    every_env,
    falling,
    make,
    walk,
)

# --- seeds ---------------------------------------------------------------------------------------


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


# --- states --------------------------------------------------------------------------------------


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
