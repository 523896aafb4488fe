"""Environments that pgfast did not make: what they may be, and their spaces."""

from __future__ import annotations

import gc
import inspect
import math
import os
import weakref

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from python_envs import Kind, Match, MatchDict

import pgfast as pg
from pgfast.envs.actions import action_map
from pgfast.envs.failure import EnvError
from pgfast.envs.observations import observation_map
from pgfast.envs.source import close, source
from pgfast.policy import Policy

MODES = list(AutoresetMode)


# --- actions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [0, -3, 7])
def test_discrete_actions_begin_at_the_start_of_the_space(start):
    """The policy's k is start + k."""
    space = spaces.Discrete(4, start=start)
    given = action_map("f", space, Kind(actions=4))(np.arange(4))
    assert given.dtype == space.dtype
    assert given.tolist() == [start, start + 1, start + 2, start + 3]
    assert all(action in space for action in given)


def test_multi_discrete_actions_have_the_shape_and_start_of_the_space():
    """Two rows of two, each with its own number and start."""
    space = spaces.MultiDiscrete([[2, 3], [4, 5]], start=[[0, 10], [-1, 5]])
    given = action_map("f", space, Kind(actions=(2, 3, 4, 5)))(
        np.array([[0, 0, 0, 0], [1, 2, 3, 4]])
    )
    assert given.tolist() == [[[0, 10], [-1, 5]], [[1, 12], [2, 9]]]
    assert all(action in space for action in given)


def test_multi_binary_actions_are_bits():
    """As many softmaxes of two as there are bits."""
    space = spaces.MultiBinary((2, 2))
    given = action_map("f", space, Kind(actions=(2, 2, 2, 2)))(np.array([[0, 1, 1, 0]]))
    assert given.tolist() == [[[0, 1], [1, 0]]]
    assert given[0] in space


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_real_actions_are_clipped_to_the_box(dtype):
    """Each to its own bounds; inside it is what the policy gave."""
    bounds = np.array([[[-1.0], [0.0]], [[1.0], [np.inf]]], dtype)
    space = spaces.Box(*bounds, dtype=dtype)
    actions = np.array([[-5.0, -5.0], [0.25, 1e9], [5.0, 0.5]], np.float32)
    given = action_map("f", space, Kind(action_size=2))(actions)
    assert given.dtype == dtype
    assert given.tolist() == [[[-1.0], [0.0]], [[0.25], [1e9]], [[1.0], [0.5]]]
    assert all(action in space for action in given)


@pytest.mark.parametrize("bins", [2, 3, 11])
def test_bins_of_a_box_reach_from_bound_to_bound(bins):
    """Bin k of n is low + (high − low) k / (n − 1), exactly so at both ends."""
    low, high = np.array([-2.0, 0.1]), np.array([2.0, 0.7])
    space = spaces.Box(low, high, dtype=np.float64)
    actions = np.stack([np.arange(bins)] * 2, axis=1)
    given = action_map("f", space, Kind(actions=(bins, bins)))(actions)
    expected = [[low[j] + (high[j] - low[j]) * k / (bins - 1) for j in (0, 1)] for k in range(bins)]
    assert np.allclose(given, expected, rtol=0, atol=1e-15)
    assert (given[0] == low).all()
    assert (given[-1] == high).all()
    assert all(action in space for action in given)


def test_a_box_may_be_cut_into_other_bins_in_each_dimension():
    """Two bins are the bounds, three have the middle."""
    space = spaces.Box(-1, 1, (2,))
    given = action_map("f", space, Kind(actions=(2, 3)))(np.array([[0, 1], [1, 2]]))
    assert given.tolist() == [[-1, 0], [1, 1]]


BOX = spaces.Box(-1, 1, (2,))
BAD_ACTIONS = {
    "a softmax over a Box": (BOX, {"actions": 2}, TypeError, "actions Box.*, expected Discrete"),
    "several over Discrete": (
        spaces.Discrete(2),
        {"actions": (2,)},
        TypeError,
        r"actions Discrete\(2\), expected MultiDiscrete, MultiBinary or a Box of floats for a Kind",
    ),
    "real over Discrete": (
        spaces.Discrete(2),
        {"action_size": 1},
        TypeError,
        r"actions Discrete\(2\), expected a Box of floats for a Kind",
    ),
    "real over integers": (
        spaces.Box(0, 255, (2,), np.uint8),
        {"action_size": 2},
        TypeError,
        "expected a Box of floats",
    ),
    "Dict actions": (spaces.Dict(a=BOX), {"actions": (2, 2)}, TypeError, "actions Dict"),
    "another number": (
        spaces.Discrete(3),
        {"actions": 2},
        ValueError,
        "the policy has 2 actions, expected 3",
    ),
    "other numbers": (
        spaces.MultiDiscrete([2, 3]),
        {"actions": (3, 2)},
        ValueError,
        r"the policy has \(3, 2\) actions, expected \(2, 3\)",
    ),
    "another number of bits": (
        spaces.MultiBinary(3),
        {"actions": (2, 2)},
        ValueError,
        r"has \(2, 2\) actions, expected \(2, 2, 2\)",
    ),
    "another size": (
        BOX,
        {"action_size": 3},
        ValueError,
        "the policy has 3 dimensions of actions, expected 2",
    ),
    "bins of another size": (
        BOX,
        {"actions": (11,)},
        ValueError,
        "the policy has 1 dimensions of actions, expected 2",
    ),
    "bins without bounds": (
        spaces.Box(0, np.inf, (1,)),
        {"actions": (11,)},
        ValueError,
        "expected finite bounds for bins",
    ),
    "a single bin": (BOX, {"actions": (11, 1)}, ValueError, "expected at least 2 of each"),
}


@pytest.mark.parametrize(
    ("space", "policy", "error", "message"), BAD_ACTIONS.values(), ids=BAD_ACTIONS
)
def test_actions_that_do_not_fit_are_named(space, policy, error, message):
    with pytest.raises(error, match=f"^f: .*{message}"):
        action_map("f", space, Kind(**policy))


# --- observations --------------------------------------------------------------------------------


IMAGE = spaces.Box(0, 255, (4, 3, 2), np.uint8)
MIXED = spaces.Dict(
    b=BOX, a=spaces.Tuple((spaces.Discrete(3, start=1), spaces.MultiBinary(2), IMAGE))
)


@pytest.mark.parametrize(
    "single",
    [
        BOX,
        IMAGE,
        MIXED,
        spaces.MultiDiscrete([[2, 3], [4, 1]], start=[[0, 2], [5, -1]]),
        spaces.Text(3),
        spaces.Tuple((spaces.Text(2), BOX)),
        spaces.MultiBinary(4),
        spaces.Discrete(5, start=2),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_observations_become_what_gymnasium_flattens_them_to(single, dtype):
    """A batch of five, and a single one; the vectors are a copy."""
    batched = gym.vector.utils.batch_space(single, 5)
    batched.seed(0)
    batch = batched.sample()
    vectors = observation_map("f", single, flatten=True)
    rows = vectors(batch, np.dtype(dtype))
    expected = [spaces.flatten(single, o) for o in gym.vector.utils.iterate(batched, batch)]
    assert vectors.size == spaces.flatdim(single)
    assert rows.dtype == dtype
    assert rows.flags.c_contiguous
    assert np.array_equal(rows, np.array(expected, dtype))
    singles = list(gym.vector.utils.iterate(batched, batch))
    assert np.array_equal(vectors.one(singles[3], np.dtype(dtype)), rows[3])
    if isinstance(batch, np.ndarray):
        assert not np.shares_memory(rows, batch)


def test_discrete_observations_are_the_index_where_the_policy_takes_one_number():
    """For policies that make their own features of it."""
    space = spaces.Discrete(5, start=2)
    vectors = observation_map("f", space, size=1)
    assert vectors(np.array([2, 6, 4]), np.dtype(np.float32)).tolist() == [[0], [4], [2]]
    assert vectors.one(np.int64(3), np.dtype(np.float32)).tolist() == [1]


def test_a_policys_size_asks_for_flattening():
    """As many numbers as the flattened space has; any other number is refused."""
    assert observation_map("f", IMAGE, size=24).size == 24
    with pytest.raises(
        TypeError, match=r"f: env has observations Box.* flattened they are 24 numb"
    ):
        observation_map("f", IMAGE, size=23)
    with pytest.raises(ValueError, match="f: the policy has 23 observations, expected 24"):
        observation_map("f", IMAGE, size=23, flatten=True)
    with pytest.raises(ValueError, match="f: the policy has 3 observations, expected 2"):
        observation_map("f", BOX, size=3)
    with pytest.raises(TypeError, match="expected ones that can be made a vector"):
        observation_map("f", spaces.Sequence(BOX), flatten=True)


# --- a policy of another kind in an environment --------------------------------------------------


class Echo(gym.Env):
    """Shows what it is told: the reward of a step is a sum of the action, and it keeps them all."""

    def __init__(self, action_space, observation_space=BOX, length=4):
        self.action_space, self.observation_space, self.length = (
            action_space,
            observation_space,
            length,
        )
        self.told = []

    def _observe(self):
        self.observation_space.seed(int(self.np_random.integers(1000)))
        return self.observation_space.sample()

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return self._observe(), {}

    def step(self, action):
        assert action in self.action_space, action
        self.told.append(np.copy(action))
        self.t += 1
        return self._observe(), float(np.sum(action)), False, self.t == self.length, {}


class Scripted(Policy):
    """Draws actions with NumPy; its log-probability is the sum of an action, to be told apart."""

    def __init__(self, observation_size, draw, **kind):
        vars(self).update(kind)
        self.observation_size, self.draw = observation_size, draw
        self._theta = np.zeros(1, np.float32)
        self.seed = self.draws = 0
        self._kernel = self
        self.random = np.random.default_rng(5)

    def config(self):
        return {}

    @classmethod
    def _num_parameters(cls, config):
        return 1

    def sample(self, theta, observations, *rest):
        assert observations.dtype == np.float32
        assert observations.shape[1:] == (self.observation_size,)
        return self.draw(self.random, len(observations))

    def mode(self, observations, **masks):
        return self.draw(self.random, len(observations))

    def log_prob(self, observations, actions, **masks):
        return actions.reshape(*observations.shape[:-1], -1).sum(axis=-1).astype(np.float32)


SCRIPTED = {
    "start": (
        spaces.Discrete(3, start=5),
        {"actions": 3},
        lambda random, n: random.integers(3, size=n),
        lambda a: a + 5,
    ),
    "several": (
        spaces.MultiDiscrete([2, 4]),
        {"actions": (2, 4)},
        lambda random, n: random.integers([2, 4], size=(n, 2)),
        lambda a: a,
    ),
    "bits": (
        spaces.MultiBinary(3),
        {"actions": (2, 2, 2)},
        lambda random, n: random.integers(2, size=(n, 3)),
        lambda a: a,
    ),
    "real": (
        BOX,
        {"action_size": 2},
        lambda random, n: random.normal(0, 3, (n, 2)).astype(np.float32),
        lambda a: np.clip(a, -1, 1),
    ),
    "bins": (
        spaces.Box(-2, 2, (1,)),
        {"actions": (5,)},
        lambda random, n: random.integers(5, size=(n, 1)),
        lambda a: a - 2.0,
    ),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("amount", [{"steps": 11}, {"episodes": 5}])
@pytest.mark.parametrize(("space", "kind", "draw", "expected"), SCRIPTED.values(), ids=SCRIPTED)
def test_the_environment_gets_its_actions_and_the_rollout_has_the_policys(
    space, kind, draw, expected, amount, mode
):
    """Log-probabilities are those of the policy's own actions, unclipped; rewards those of what
    the environment got."""
    env = SyncVectorEnv([lambda: Echo(space)] * 3, autoreset_mode=mode)
    batch = pg.collect(env, Scripted(2, draw, **kind), **amount)
    valid = np.ones(batch.rewards.shape, np.bool_) if batch.valid is None else batch.valid
    shape = batch.actions.shape[2:]
    own = batch.actions[valid]
    assert batch.actions.dtype == draw(np.random.default_rng(0), 1).dtype
    assert np.allclose(batch.log_probs[valid], own.reshape(len(own), -1).sum(axis=1))
    assert (batch.actions[~valid] == 0).all()
    given = expected(own).reshape(len(own), -1)
    assert np.allclose(batch.rewards[valid], given.sum(axis=1), atol=1e-6)
    if "steps" in amount:
        told = np.concatenate([e.told for e in env.envs]).reshape(-1, math.prod(shape))
        assert len(told) == valid.sum()
        columns = np.concatenate([expected(batch.actions[:, i][valid[:, i]]) for i in range(3)])
        assert np.allclose(told, columns.reshape(told.shape), atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("observation_space", [IMAGE, MIXED, spaces.Discrete(7)], ids=str)
def test_any_observations_are_collected_flattened(observation_space, mode):
    """Also the final ones; each row is what the policy saw and the flattened observation."""
    size = spaces.flatdim(observation_space)
    policy = pg.SoftmaxPolicy(size, 2)
    kind, twin = (
        SyncVectorEnv(
            [lambda: Echo(spaces.Discrete(2), observation_space)] * 2, autoreset_mode=mode
        )
        for _ in range(2)
    )
    for env in (kind, twin):
        env.reset(seed=3)
    batch = pg.collect(kind, policy, steps=6)
    observations, _ = twin.reset()
    for t in range(6):
        rows = gym.vector.utils.iterate(twin.observation_space, observations)
        expected = [spaces.flatten(observation_space, o) for o in rows]
        valid = [True] * 2 if batch.valid is None else batch.valid[t]
        assert np.array_equal(batch.observations[t][valid], np.array(expected, np.float32)[valid])
        observations, _, _, truncated, infos = twin.step(batch.actions[t])
        if truncated.any():
            if mode is AutoresetMode.SAME_STEP:
                finals = infos["final_obs"]
            else:
                finals = list(gym.vector.utils.iterate(twin.observation_space, observations))
            expected = [spaces.flatten(observation_space, o) for o in finals]
            assert np.array_equal(batch.final_observations, np.array(expected, np.float32))
            if mode is AutoresetMode.DISABLED:
                observations, _ = twin.reset(options={"reset_mask": truncated})


# --- what an environment may be ------------------------------------------------------------------


@pytest.fixture
def match():
    """Register Match-v0 (threshold 9.5), MatchDict-v0 and MatchVector-v0."""
    gym.register("Match-v0", Match, reward_threshold=9.5)
    gym.register("MatchDict-v0", MatchDict)
    gym.register(
        "MatchVector-v0", vector_entry_point=lambda num_envs: SyncVectorEnv([Match] * num_envs)
    )
    yield
    for name in ("Match-v0", "MatchDict-v0", "MatchVector-v0"):
        del gym.registry[name]


def assert_same(a, b):
    """The same numbers in two rollouts, whose rows may be marked valid or not."""
    for name in ("observations", "actions", "log_probs", "rewards", "terminated", "truncated"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name


@pytest.mark.parametrize("amount", [{"steps": 23}, {"episodes": 5}])
def test_an_id_a_function_and_a_vector_env_are_collected_from_alike(match, amount):
    """Same seeds, same episodes; what was made is seeded, what is given keeps its seeds."""
    settings = {"num_envs": 2, "seed": 4}
    by_id = pg.collect("Match-v0", pg.SoftmaxPolicy(6, 3), **amount, **settings)
    by_class = pg.collect(Match, pg.SoftmaxPolicy(6, 3), **amount, **settings)
    other_seed = pg.collect(Match, pg.SoftmaxPolicy(6, 3), **amount, num_envs=2, seed=5)
    assert_same(by_id, by_class)
    assert by_id.rewards.shape == other_seed.rewards.shape
    assert not np.array_equal(by_id.observations, other_seed.observations)
    env = SyncVectorEnv([Match] * 2, autoreset_mode=AutoresetMode.SAME_STEP)
    env.reset(seed=int(np.random.SeedSequence(4).generate_state(1)[0] >> 1))
    assert_same(by_id, pg.collect(env, pg.SoftmaxPolicy(6, 3), **amount))


def test_an_environment_of_its_own_goes_on_where_it_stands():
    """An Env is a batch of one, two collects are a longer one, and it is not kept alive."""
    whole, parts = Match(), Match()
    policy, twin = pg.SoftmaxPolicy(6, 3), pg.SoftmaxPolicy(6, 3)
    for env in (whole, parts):
        env.reset(seed=1)
    batch = pg.collect(whole, policy, steps=25)
    first, second = (pg.collect(parts, twin, steps=n) for n in (7, 18))
    assert batch.rewards.shape == (25, 1)
    assert np.array_equal(batch.observations[:7], first.observations)
    assert np.array_equal(batch.observations[7:], second.observations)
    assert np.array_equal(batch.rewards[7:], second.rewards)
    reference = weakref.ref(whole)
    del whole, env
    gc.collect()
    assert reference() is None


@pytest.mark.parametrize("env", ["Match-v0", Match, lambda: gym.make("Match-v0")], ids=str)
def test_workers_change_nothing_but_the_processes(match, env):
    """The same θ and the same returns as in one process; fewer workers than environments too."""
    settings = {"algorithm": pg.Reinforce(episodes=8), "seed": 2, "steps": 300, "num_envs": 4}
    here = pg.train(env, **settings)
    there = pg.train(env, **settings, workers=4)
    assert (here.policy.theta == there.policy.theta).all()
    assert (here.policy.theta != 0).any()
    if "max_concurrency" in inspect.signature(AsyncVectorEnv).parameters:
        few = pg.train(env, **settings, workers=2)
        assert (here.policy.theta == few.policy.theta).all()
    returns = [pg.evaluate(here.policy, env, episodes=2, workers=w) for w in (None, 2)]
    assert np.array_equal(*returns)


class Spoiled(SyncVectorEnv):
    """A vector environment with one mistake."""

    def __init__(self, name, spoil):
        super().__init__([Match] * 3, autoreset_mode=AutoresetMode.SAME_STEP)
        self.name, self.spoil = name, spoil

    def step(self, actions):
        names = ("observations", "rewards", "terminated", "truncated", "infos")
        gave = dict(zip(names, super().step(actions), strict=True))
        gave[self.name] = self.spoil(gave[self.name])
        return tuple(gave.values())


MISTAKES = {
    "a reward too few": ("rewards", lambda x: x[1:], r"rewards of shape \(2,\), expected \(3,\)"),
    "one reward for all": ("rewards", np.sum, r"rewards of shape \(\), expected \(3,\)"),
    "flags in a column": ("terminated", lambda x: x[:, None], r"terminated of shape \(3, 1\)"),
    "a flag too many": ("truncated", lambda x: np.append(x, False), r"truncated of shape \(4,\)"),
    "a row too few": ("observations", lambda x: x[1:], "gave 2 observations, expected 3"),
    "no final observations": ("infos", lambda x: {}, "gave infos without 'final_obs'"),
}


@pytest.mark.parametrize(("name", "spoil", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_of_a_vector_environment_is_named(name, spoil, message):
    env = Spoiled(name, spoil)
    with pytest.raises(ValueError, match=f"collect: env.*{message}.*check_vector_env"):
        pg.collect(env, pg.policy_for(env), steps=20)


def test_a_policy_with_a_sample_of_its_own_is_refused():
    """C++ would not call it."""

    class Careful(pg.SoftmaxPolicy):
        def sample(self, observations, *, masks=None):
            return np.zeros(len(observations), np.int64)

    words = "collect: Careful has a sample of its own"
    for env in (pg.make("CartPole-v1", 2), gym.make("CartPole-v1")):
        with pytest.raises(TypeError, match=words):
            pg.collect(env, Careful(4, 2), steps=5)


class OneArray(gym.Env):
    """Writes its observations, the steps so far or -1 for a start, into the same array."""

    def __init__(self, ends=5):
        self.observation_space = spaces.Box(-1e3, 1e3, (1,))
        self.action_space = spaces.Discrete(2)
        self.at, self.ends = np.zeros(1, np.float32), ends

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at[0], self.t = -1, 0
        return self.at, {}

    def step(self, action):
        self.t += 1
        self.at[0] = self.t
        return self.at, 1.0, False, self.t >= self.ends, {}


@pytest.mark.parametrize("workers", [None, 2])
@pytest.mark.parametrize("env", [OneArray, OneArray(), "OneArray-v0"], ids=["made", "given", "id"])
def test_a_final_observation_is_not_written_over_by_the_reset(env, workers):
    """Also of an environment that reuses its array: what pgfast makes of it resets nothing."""
    if workers and isinstance(env, OneArray):
        pytest.skip("what is given has no workers")
    gym.register("OneArray-v0", entry_point=OneArray, disable_env_checker=True)
    try:
        settings = {"seed": 0, "dtype": np.float32, "workers": workers}
        batch_of = source("collect", env).open(num_envs=1 if env != OneArray else 2, **settings)
        rollout = pg.collect(batch_of, pg.SoftmaxPolicy(1, 2), steps=12)
        whole = pg.collect(batch_of, pg.SoftmaxPolicy(1, 2), episodes=2)
    finally:
        del gym.registry["OneArray-v0"]
    assert (rollout.final_observations == 5).all()
    assert (whole.final_observations == 5).all()
    assert rollout.observations[:, 0, 0].tolist() == [*([-1, 1, 2, 3, 4] * 3)[:12]]
    if batch_of is not env:
        close(batch_of)


class Leaves(Match):
    """Its process ends in the third step."""

    def step(self, action):
        if self.t == 2:
            os._exit(7)
        return super().step(action)


def test_a_worker_that_dies_is_told():
    """And nothing waits for it afterwards."""
    with pytest.raises(EnvError, match="has ended its worker process in step one of"):
        pg.train(Leaves, pg.Reinforce(episodes=4), steps=100, workers=2, num_envs=2)


def test_a_first_reset_that_fails_is_an_env_error():
    class Licence(Match):
        def reset(self, **settings):
            raise RuntimeError("no licence")

    words = "train: environment 0 raised RuntimeError in reset: no licence"
    with pytest.raises(EnvError, match=words):
        pg.train(Licence, steps=100, num_envs=1)


def test_workers_are_as_many_environments_where_no_number_is_given(match):
    """And processes of a finished training are gone."""
    trainer = pg.Trainer("Match-v0", pg.Reinforce(episodes=4), workers=2, steps=1)
    assert isinstance(trainer.env, AsyncVectorEnv)
    assert trainer.env.num_envs == 2
    processes = trainer.env.processes
    trainer.train()
    trainer.close()
    assert not any(process.is_alive() for process in processes)


def test_a_vectorised_environment_of_gymnasium_is_trained_on_by_its_id(match):
    """An id with a vector entry point alone."""
    run = pg.train("MatchVector-v0", pg.Reinforce(episodes=4), num_envs=2, steps=50)
    assert run.env_id == "MatchVector-v0"
    assert run.history["steps"][-1] >= 50


def test_environments_that_were_made_are_closed_and_given_ones_are_not():
    """After collect, evaluate and train, and where the policy does not fit."""
    closed = []

    class Closing(Match):
        def close(self):
            closed.append(self)

    policy = pg.SoftmaxPolicy(6, 3)
    pg.collect(Closing, policy, steps=2, num_envs=3)
    assert len(closed) == 1 + 3  # one is asked for its name
    pg.evaluate(policy, Closing, episodes=2)
    assert len(closed) == 4 + 1 + 2
    pg.train(Closing, pg.Reinforce(episodes=2), num_envs=2, steps=10)
    assert len(closed) == 7 + 1 + 2
    with pytest.raises(ValueError, match="the policy has 5 observations"):
        pg.train(Closing, policy=pg.SoftmaxPolicy(5, 3), num_envs=2)
    assert len(closed) == 10 + 1 + 2
    env = Closing()
    pg.collect(env, policy, episodes=1)
    pg.evaluate(policy, env, episodes=2)
    pg.train(env, pg.Reinforce(episodes=2), steps=10)
    assert len(closed) == 13


BAD_CALLS = {
    "workers of an environment": (
        lambda: pg.train(Match(), workers=2),
        TypeError,
        "train: workers go with an id or a function",
    ),
    "workers of a native environment": (
        lambda: pg.train("CartPole-v1", workers=2),
        TypeError,
        "train: workers are for environments written in Python, but CartPole-v1 is native",
    ),
    "no workers": (lambda: pg.train(Match, workers=0), ValueError, "train: workers is 0, expected"),
    "half a worker": (
        lambda: pg.evaluate(pg.SoftmaxPolicy(6, 3), Match, workers=0.5),
        TypeError,
        "evaluate: workers is a float",
    ),
    "a number of an environment": (
        lambda: pg.collect(Match(), pg.SoftmaxPolicy(6, 3), steps=1, num_envs=2),
        TypeError,
        "collect: num_envs and seed go with an id or a function",
    ),
    "a function that gives no environment": (
        lambda: pg.train(lambda: 3),
        TypeError,
        r"train: env\(\) gave a int, expected a gymnasium Env",
    ),
    "observations that are not flat": (
        lambda: pg.train(MatchDict),
        TypeError,
        r"env has observations Dict.* flattened they are 8 numbers \(train: flatten=True\)",
    ),
}


@pytest.mark.parametrize(("call", "error", "message"), BAD_CALLS.values(), ids=BAD_CALLS)
def test_bad_calls_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


# --- learning ------------------------------------------------------------------------------------


@pytest.mark.parametrize("env", ["id", "function", "Env", *MODES], ids=str)
def test_training_on_any_environment_ends_far_above_chance(match, env):
    """Chance gets 10/3 of 10, with a standard deviation of 0.15 over 100 episodes."""
    made = {
        "id": lambda: "Match-v0",
        "function": lambda: Match,
        "Env": Match,
    }.get(env, lambda: SyncVectorEnv([Match] * 4, autoreset_mode=env))()
    run = pg.train(made, pg.NPG(episodes=16, kl_radius=0.1), seed=0, steps=5_000)
    assert pg.evaluate(pg.SoftmaxPolicy(6, 3), Match, greedy=False).mean() < 5
    assert pg.evaluate(run.policy, Match).mean() > 9
    if env == "id":
        assert run.stopped == "solved"


def test_flattened_observations_are_learnt_from(match, tmp_path):
    """By id with flatten=True; the saved policy evaluates without being told again."""
    algorithm = pg.NPG(episodes=16, kl_radius=0.1)
    run = pg.train("MatchDict-v0", algorithm, seed=0, num_envs=4, steps=5_000, flatten=True)
    run.save(tmp_path / "run")
    back = pg.load(tmp_path / "run")
    assert pg.evaluate(back.policy, "MatchDict-v0").mean() > 9
