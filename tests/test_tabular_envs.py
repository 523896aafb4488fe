"""FrozenLake, CliffWalking, Taxi and tables of the user's own."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import pgfast as pg
from pgfast import _core
from pgfast.envs import cliff_walking, frozen_lake, taxi

LAKE = ["SFH", "FFF", "HFG"]
# Each table with the environment of Gymnasium that it has to equal.
TABLES = {
    "4x4": (lambda: frozen_lake.table(frozen_lake.MAPS["4x4"]), "FrozenLake-v1", {}),
    "8x8": (lambda: frozen_lake.table(frozen_lake.MAPS["8x8"]), "FrozenLake8x8-v1", {}),
    "not slippery": (
        lambda: frozen_lake.table(frozen_lake.MAPS["4x4"], False),
        "FrozenLake-v1",
        {"is_slippery": False},
    ),
    "own map": (
        lambda: frozen_lake.table(LAKE, True, 0.6, (5, -2, -0.1)),
        "FrozenLake-v1",
        {"desc": LAKE, "success_rate": 0.6, "reward_schedule": (5, -2, -0.1)},
    ),
    "cliff": (cliff_walking.table, "CliffWalking-v1", {}),
    "slippery cliff": (lambda: cliff_walking.table(True), "CliffWalkingSlippery-v1", {}),
    "taxi": (taxi.table, "Taxi-v4", {}),
}
# Gymnasium 1.4 has Taxi-v4: the table of v3, with options that v3 had wrong.
OWN_ID = {"Taxi-v4": "Taxi-v3"}


def chain(rng, states=5, actions=3):
    """A random finite environment whose last state is terminal."""
    P = rng.dirichlet(np.ones(states), (states, actions))
    P[0, 0] = np.eye(states)[1]  # with some outcomes that are impossible
    terminal = np.arange(states) == states - 1
    p0 = np.append(rng.dirichlet(np.ones(states - 1)), 0.0)
    return {"P": P, "R": rng.normal(size=P.shape), "p0": p0, "terminal": terminal}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_exactly_gymnasiums(name):
    make_table, id, parameters = TABLES[name]
    theirs = gym.make(id, **parameters).unwrapped.P
    ours = make_table()
    assert len(ours) == len(theirs)
    for state, actions in enumerate(ours):
        assert dict(enumerate(actions)) == theirs[state]


@pytest.mark.parametrize("name", TABLES)
def test_spaces_limits_thresholds_and_start_are_gymnasiums(name):
    _, id, parameters = TABLES[name]
    native = pg.make(OWN_ID.get(id, id), 3, **parameters)
    other = gym.make_vec(id, 3, vectorization_mode="sync", **parameters)
    assert native.single_observation_space == other.single_observation_space
    assert native.single_action_space == other.single_action_space
    assert native.observation_space == other.observation_space
    assert native.action_space == other.action_space
    assert native.max_episode_steps == gym.spec(id).max_episode_steps
    assert native.spec.reward_threshold == gym.spec(id).reward_threshold
    start = other.envs[0].unwrapped.initial_state_distrib
    model = native.native.with_parameters(native.parameters)
    assert np.array_equal(model.arguments["start"], start)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", TABLES)
def test_every_transition_is_one_of_the_table_with_its_reward_end_and_probability(name, dtype):
    """From every state with every action, 30 times; also the infos are Gymnasium's."""
    _, id, parameters = TABLES[name]
    other = gym.make(id, **parameters).unwrapped
    S, A = other.observation_space.n, other.action_space.n
    pairs = np.array([(s, a) for s in range(S) for a in range(A)])
    env = pg.make(
        OWN_ID.get(id, id),
        len(pairs),
        seed=1,
        dtype=dtype,
        autoreset_mode="Disabled",
        **parameters,
    )
    for _ in range(30 if S < 100 else 2):
        observations, infos = env.reset(options={"state": pairs[:, 0]})
        assert np.array_equal(observations, pairs[:, 0])
        assert observations.dtype == np.int64
        assert (infos["prob"] == 1).all()
        following, rewards, terminated, truncated, infos = env.step(pairs[:, 1])
        for i, (s, a) in enumerate(pairs):
            outcome = (dtype(infos["prob"][i]), following[i], dtype(rewards[i]), terminated[i])
            assert outcome in [(dtype(p), n, dtype(r), t) for p, n, r, t in other.P[s][a] if p > 0]
        assert not truncated.any()
        assert infos["_prob"].all()
        if id == "Taxi-v4":
            masks = np.array([other.action_mask(s) for s in following])
            assert np.array_equal(infos["action_mask"], masks)
            assert infos["action_mask"].dtype == masks.dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_outcomes_have_their_probabilities(dtype):
    """20,000 draws of each pair; 45 frequencies, each off by less than 5 standard errors with
    probability 1 - 6e-7, so that a right table fails in fewer than 1 of 30,000 runs."""
    arrays = chain(np.random.default_rng(0))
    count = 20_000
    env = pg.make("Tabular-v0", count, seed=0, dtype=dtype, autoreset_mode="Disabled", **arrays)
    for s in range(4):
        for a in range(3):
            env.reset(options={"state": np.full(count, s)})
            following, rewards, terminated, _, infos = env.step(np.full(count, a))
            p = arrays["P"][s, a]
            frequencies = np.bincount(following, minlength=5) / count
            assert (np.abs(frequencies - p) <= 5 * np.sqrt(p * (1 - p) / count) + 1e-12).all()
            np.testing.assert_allclose(infos["prob"], p[following], rtol=1e-6)
            np.testing.assert_allclose(rewards, arrays["R"][s, a, following], rtol=1e-6)
            assert np.array_equal(terminated, following == 4)
    starts = np.bincount(env.reset()[0], minlength=5) / count
    p = arrays["p0"]
    assert (np.abs(starts - p) <= 5 * np.sqrt(p * (1 - p) / count) + 1e-12).all()


def test_rewards_may_depend_on_state_and_action_alone():
    arrays = chain(np.random.default_rng(1))
    arrays["R"] = np.arange(15.0).reshape(5, 3)
    env = pg.make("Tabular-v0", 12, **arrays)
    pairs = np.array([(s, a) for s in range(4) for a in range(3)])
    env.reset(options={"state": pairs[:, 0]})
    assert np.array_equal(env.step(pairs[:, 1])[1], arrays["R"][pairs[:, 0], pairs[:, 1]])


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_infos_have_the_structure_that_gymnasiums_sync_vector_env_gives(mode):
    ours = pg.make("Taxi-v3", 2, seed=0, autoreset_mode=mode, max_episode_steps=4)
    theirs = gym.make_vec(
        "Taxi-v4",
        2,
        vectorization_mode="sync",
        max_episode_steps=4,
        vector_kwargs={"autoreset_mode": AutoresetMode(mode)},
    )

    def shape_of(value):
        if isinstance(value, dict):
            return {k: shape_of(v) for k, v in value.items()}
        return (value.dtype, value.shape)

    assert shape_of(ours.reset()[1]) == shape_of(theirs.reset(seed=0)[1])
    for t in range(10):
        actions = np.array([t % 4, (t + 1) % 4])
        a, b = ours.step(actions), theirs.step(actions)
        assert shape_of(a[4]) == shape_of(b[4])
        assert {k: v.tolist() for k, v in a[4].items() if k[0] == "_"} == {
            k: v.tolist() for k, v in b[4].items() if k[0] == "_"
        }
        assert a[0].dtype == b[0].dtype


def test_final_infos_are_those_of_the_step_that_ended_the_episode():
    env = pg.make("FrozenLake-v1", 4, seed=0, autoreset_mode="SameStep", desc=["SG"])
    env.reset()
    seen = 0
    for _ in range(20):
        observations, _, terminated, _, infos = env.step([2] * 4)
        assert (infos["prob"][terminated] == 1).all()
        np.testing.assert_allclose(infos["prob"][~terminated], 1 / 3, rtol=1e-6)
        if terminated.any():
            seen += 1
            final = infos["final_info"]
            assert np.array_equal(final["_prob"], terminated)
            np.testing.assert_allclose(final["prob"][terminated], 1 / 3, rtol=1e-6)
            assert (final["prob"][~terminated] == 0).all()
            assert [x for x in infos["final_obs"] if x is not None] == [1] * terminated.sum()
            assert (observations[terminated] == 0).all()
    assert seen > 3


BAD = {
    "no goal": ("FrozenLake-v1", {"desc": ["SF", "FF"]}, ValueError, "desc has no goal"),
    "no start": ("FrozenLake-v1", {"desc": ["FF", "FG"]}, ValueError, "desc has no start"),
    "rows of two lengths": ("FrozenLake-v1", {"desc": ["SFF", "FG"]}, ValueError, "desc is"),
    "another letter": ("FrozenLake-v1", {"desc": ["SX", "FG"]}, ValueError, "desc holds 'X'"),
    "no rows": ("FrozenLake-v1", {"desc": []}, ValueError, "desc is"),
    "a text": ("FrozenLake-v1", {"desc": "SG"}, TypeError, "desc is"),
    "an unknown map": ("FrozenLake-v1", {"map_name": "5x5"}, ValueError, "map_name is '5x5'"),
    "a rate above 1": ("FrozenLake-v1", {"success_rate": 1.5}, ValueError, "success_rate is 1.5"),
    "two rewards": ("FrozenLake-v1", {"reward_schedule": (1, 0)}, ValueError, "reward_schedule"),
    "no bool": ("CliffWalking-v1", {"is_slippery": "no"}, TypeError, "is_slippery is a str"),
    "an option of v4": ("Taxi-v3", {"is_rainy": True}, TypeError, "keyword is 'is_rainy'"),
    "no arrays": ("Tabular-v0", {}, TypeError, "P is missing"),
}
BAD_TABLES = {
    "a row that sums to less": ({"P": lambda P: 0.9 * P}, ValueError, r"P[0][0] sums to 0.9"),
    "a negative one": ({"P": lambda P: 2 * P - P[:, :, ::-1]}, ValueError, "P holds -"),
    "not finite": ({"P": lambda P: P * np.nan}, ValueError, "P holds a number"),
    "not square": ({"P": lambda P: P[:, :, :-1]}, ValueError, "P has shape (5, 3, 4)"),
    "two dimensions": ({"P": lambda P: P[0]}, ValueError, "P has shape (3, 5)"),
    "complex": ({"P": lambda P: P + 0j}, TypeError, "P has dtype complex128"),
    "rewards of another shape": ({"R": lambda R: R[0]}, ValueError, "R has shape (3, 5)"),
    "starts of another shape": ({"p0": lambda p: p[1:]}, ValueError, "p0 has shape (4,)"),
    "starts that sum to 2": ({"p0": lambda p: 2 * p}, ValueError, "p0 sums to 2"),
    "a start that is the end": ({"p0": lambda p: p[::-1]}, ValueError, "p0 begins"),
    "ends as numbers": ({"terminal": lambda t: t * 1}, TypeError, "terminal has dtype int"),
    "ends of another shape": ({"terminal": lambda t: t[1:]}, ValueError, "terminal has shape"),
}


@pytest.mark.parametrize(("id", "arguments", "error", "message"), BAD.values(), ids=BAD)
def test_a_bad_argument_is_an_error_that_names_it(id, arguments, error, message):
    with pytest.raises(error) as caught:
        pg.make(id, **arguments)
    assert str(caught.value).startswith(f"make({id!r}): {message}")


@pytest.mark.parametrize(("spoil", "error", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_a_bad_array_is_an_error_that_names_it(spoil, error, message):
    arrays = chain(np.random.default_rng(0))
    for name, change in spoil.items():
        arrays[name] = change(arrays[name])
    with pytest.raises(error) as caught:
        pg.make("Tabular-v0", **arrays)
    assert str(caught.value).startswith(f"make('Tabular-v0'): {message}")


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (np.array([0, 16]), ValueError),
        (np.array([-1, 0]), ValueError),
        (np.array([0, 1, 2]), ValueError),
        (np.array([0.0, 1.0]), TypeError),
        ([0, 1], TypeError),
    ],
)
def test_a_state_that_is_none_is_an_error_that_changes_nothing(state, error):
    env = pg.make("FrozenLake-v1", 2, seed=0)
    env.reset()
    before = env.get_state()
    with pytest.raises(error, match=r"reset: options\['state'\]"):
        env.reset(options={"state": state})
    copied = env.get_state()
    copied["state"][1, 0] = 0.5
    with pytest.raises(ValueError, match="set_state: state has a row 1 that is no state"):
        env.set_state(copied)
    assert all(np.array_equal(before[k], v) for k, v in env.get_state().items())


def greedy_episodes(env, policy):
    """Whole episodes of the most probable actions."""
    return _core.collect_episodes(env._core, policy._kernel, policy.theta, 2, True, None, 0, 0)


@pytest.mark.parametrize(
    "play",
    [greedy_episodes, lambda env, policy: pg.evaluate(policy, env, episodes=2)],
    ids=["collect", "evaluate"],
)
def test_an_episode_that_never_ends_is_an_error(play):
    """A greedy policy that walks into a wall; the environments stay what they were."""
    env = pg.make("CliffWalking-v1", 3, seed=0)
    policy = pg.policy_for(env)
    env.reset()
    before = env.get_state()
    words = "has not ended after 1048576 steps, expected episodes that end"
    with pytest.raises(RuntimeError, match=words):
        play(env, policy)
    for name, part in env.get_state().items():
        np.testing.assert_array_equal(part, before[name])
    limited = pg.make("CliffWalking-v1", 3, seed=0, max_episode_steps=50)
    assert pg.evaluate(policy, limited, episodes=2).tolist() == [-50, -50]


def test_states_that_episodes_begin_in_are_states():
    env = pg.make("FrozenLake-v1", 3, seed=0)
    policy = pg.policy_for(env)
    states = np.full((2, 3), 1e9, np.float32)
    with pytest.raises(ValueError, match="states has a row 0 that is no state"):
        _core.collect_episodes(env._core, policy._kernel, policy.theta, 2, False, states, 0, 0)
