"""Rollouts: native ones, and the same through Gymnasium's interface, in every autoreset mode."""

import dataclasses
import gc
import weakref

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics

import pgfast as pg
from pgfast.envs.adapter import GymnasiumCollector

MODES = ["NextStep", "SameStep", "Disabled"]
DTYPES = [np.float32, np.float64]
FIELDS = [field.name for field in dataclasses.fields(pg.Rollout)]
PER_STEP = ["observations", "actions", "log_probs", "rewards", "terminated", "truncated"]


def make(num_envs, mode="SameStep", **arguments):
    """CartPoles whose episodes end in all ways: some fall before step 12, on it, or never."""
    arguments = {"seed": 0, "max_episode_steps": 12, **arguments}
    return pg.make("CartPole-v1", num_envs, autoreset_mode=mode, **arguments)


def a_policy(observation_size=4, dtype=np.float32, sharpness=1.0):
    """A policy that is not the uniform one; a very sharp one hardly depends on its draws."""
    policy = pg.SoftmaxPolicy(observation_size, 2, hidden=(8,), dtype=dtype, seed=3)
    policy.theta = pg.normal(policy.theta.shape, seed=1, stream=10).astype(dtype)
    policy.theta[-18:] *= dtype(sharpness)  # the last layer
    return policy


def is_valid(rollout):
    return np.ones(rollout.rewards.shape, np.bool_) if rollout.valid is None else rollout.valid


def assert_equal(a, b, but=()):
    """Every array of two rollouts is equal, down to the last bit."""
    for name in FIELDS:
        x, y = getattr(a, name), getattr(b, name)
        if name in but:
            continue
        if name == "valid":
            x, y = is_valid(a), is_valid(b)
        if x is None or y is None:
            assert x is y, name
            continue
        assert (x.dtype, x.shape) == (y.dtype, y.shape), name
        assert np.array_equal(x, y), name


def assert_types(rollout, policy, T, N):
    """Every array has the shape, dtype and order that `Rollout` promises."""
    D = policy.observation_size
    K = int(rollout.truncated.sum())
    expected = {
        "observations": (policy.dtype, (T, N, D)),
        "actions": (np.int64, (T, N)),
        "log_probs": (policy.dtype, (T, N)),
        "rewards": (policy.dtype, (T, N)),
        "terminated": (np.bool_, (T, N)),
        "truncated": (np.bool_, (T, N)),
        "valid": (np.bool_, (T, N)),
        "last_observations": (policy.dtype, (N, D)),
        "final_observations": (policy.dtype, (K, D)),
    }
    for name, (dtype, shape) in expected.items():
        array = getattr(rollout, name)
        if array is not None:
            assert (array.dtype, array.shape) == (dtype, shape), name
            assert array.flags.c_contiguous, name


def step_by_step(env, policy, T):
    """The loop that `collect(steps=T)` is, written out over Gymnasium's interface."""
    mode = env.metadata["autoreset_mode"]
    rows, finals = [], []
    observations, _ = env.reset()
    resetting = np.zeros(env.num_envs, np.bool_)
    for _ in range(T):
        seen = observations.astype(policy.dtype)
        actions = policy.sample(seen)
        log_probs = policy.log_prob(seen, actions)
        observations, rewards, terminated, truncated, infos = env.step(actions)
        for i in np.flatnonzero(truncated):
            same_step = mode is AutoresetMode.SAME_STEP
            finals.append(infos["final_obs"][i] if same_step else observations[i].copy())
        row = [seen, actions, log_probs, rewards.astype(policy.dtype), terminated, truncated]
        for array in row:
            array[resetting] = 0
        rows.append([*row, ~resetting])
        done = terminated | truncated
        if mode is AutoresetMode.NEXT_STEP:
            resetting = done
        if mode is AutoresetMode.DISABLED and done.any():
            observations, _ = env.reset(options={"reset_mask": done})
    arrays = [np.stack(part) for part in zip(*rows, strict=True)]
    last = observations.astype(policy.dtype)
    finals = np.array(finals, policy.dtype).reshape(-1, policy.observation_size)
    return pg.Rollout(*arrays, last, finals, elapsed=np.zeros(env.num_envs, np.int64))


def episode_by_episode(env, policy, episodes):
    """`collect(episodes=...)` of a native environment, one episode after the other.

    Column k is run in environment k mod N by its own; whatever the others do is undone. Its actions
    are those of row k, so the policy is shown as many rows as there are episodes.
    """
    N, D, first_draw = env.num_envs, policy.observation_size, policy.draws
    columns, finals = [], {}
    for k in range(episodes):
        i = k % N
        before = env.get_state()
        observations, _ = env.reset(options={"reset_mask": np.arange(N) == i})
        policy.draws = first_draw
        rows = []
        while not rows or not (rows[-1][4] or rows[-1][5]):
            shown = np.zeros((episodes, D), policy.dtype)
            shown[k] = observations[i]
            action = policy.sample(shown)[k]
            log_prob = policy.log_prob(shown[k : k + 1], np.array([action]))[0]
            actions = np.zeros(N, np.int64)
            actions[i] = action
            observations, rewards, terminated, truncated, _ = env.step(actions)
            rows.append([shown[k], action, log_prob, rewards[i], terminated[i], truncated[i]])
        if rows[-1][5]:
            finals[len(rows) - 1, k] = observations[i].copy()
        columns.append(rows)
        after = env.get_state()
        for part in before:
            before[part][i] = after[part][i]
        env.set_state(before)
    longest = max(len(rows) for rows in columns)
    policy.draws = first_draw + longest
    dtypes = [policy.dtype, np.int64, policy.dtype, policy.dtype, np.bool_, np.bool_]
    shapes = [(longest, episodes, D)] + [(longest, episodes)] * 5
    arrays = [np.zeros(shape, dtype) for shape, dtype in zip(shapes, dtypes, strict=True)]
    valid = np.zeros((longest, episodes), np.bool_)
    for k, rows in enumerate(columns):
        for t, row in enumerate(rows):
            valid[t, k] = True
            for array, value in zip(arrays, row, strict=True):
                array[t, k] = value
    ordered = [finals[place] for place in sorted(finals)]
    return pg.Rollout(
        *arrays, valid, None, np.array(ordered, policy.dtype).reshape(len(ordered), D)
    )


# --- native steps -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("num_envs", "steps"), [(1, 1), (1, 40), (3, 40), (33, 1), (70, 25)])
def test_native_steps_equal_a_python_loop_bit_for_bit(num_envs, steps, dtype):
    policy = a_policy(dtype=dtype)
    twin = policy.copy()
    rollout = pg.collect(make(num_envs, dtype=dtype), policy, steps=steps)
    assert_equal(rollout, step_by_step(make(num_envs, dtype=dtype), twin, steps))
    assert_types(rollout, policy, steps, num_envs)
    assert rollout.valid is None
    assert policy.draws == twin.draws == steps


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sharpness", [1, 1e4])
def test_the_episodes_of_these_tests_end_in_all_ways(sharpness, dtype):
    """Else they could not show what goes wrong where one does."""
    rollout = pg.collect(make(70, dtype=dtype), a_policy(4, dtype, sharpness), steps=25)
    terminated, truncated = rollout.terminated, rollout.truncated
    for ends in (terminated & ~truncated, truncated & ~terminated, terminated & truncated):
        assert ends.any()


@pytest.mark.parametrize("mode", ["SameStep", "Disabled"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("num_envs", "steps"), [(1, 30), (40, 1), (40, 30)])
def test_native_steps_equal_the_gymnasium_collectors_bit_for_bit(num_envs, steps, mode, dtype):
    policy = a_policy(dtype=dtype)
    twin = policy.copy()
    env, other = make(num_envs, mode, dtype=dtype), make(num_envs, mode, dtype=dtype)
    collector = GymnasiumCollector(other, twin)
    for _ in range(2):
        assert_equal(pg.collect(env, policy, steps=steps), collector.collect_steps(steps))
    assert policy.draws == twin.draws


@pytest.mark.parametrize("dtype", DTYPES)
def test_native_steps_equal_the_valid_rows_of_the_gymnasium_collector_under_next_step(dtype):
    """Rows that only reset shift the policy's later draws, so this one does not depend on them."""
    policy = a_policy(dtype=dtype, sharpness=1e4)
    twin = policy.copy()
    native = pg.collect(make(40, "NextStep", dtype=dtype), policy, steps=50)
    other = GymnasiumCollector(make(40, "NextStep", dtype=dtype), twin).collect_steps(50)
    assert 100 < (~other.valid).sum() < 40 * 25
    places = [np.argwhere(r.truncated).tolist() for r in (native, other)]
    for i in range(40):
        rows = other.valid[:, i]
        for name in PER_STEP:
            expected = getattr(other, name)[rows, i]
            assert np.array_equal(getattr(native, name)[: len(expected), i], expected), name
        finals = [
            rollout.final_observations[[n == i for _, n in place]]
            for rollout, place in zip((native, other), places, strict=True)
        ]
        assert np.array_equal(finals[0][: len(finals[1])], finals[1])
    assert other.final_observations.any()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_gymnasium_collector_equals_a_python_loop_bit_for_bit(mode, dtype):
    policy = a_policy(dtype=dtype)
    twin = policy.copy()
    rollout = GymnasiumCollector(make(5, mode, dtype=dtype), policy).collect_steps(40)
    assert_equal(rollout, step_by_step(make(5, mode, dtype=dtype), twin, 40))
    assert_types(rollout, policy, 40, 5)
    assert policy.draws == twin.draws == 40
    assert (rollout.valid is None) == (mode != "NextStep")


@pytest.mark.parametrize("mode", MODES)
def test_two_native_collects_equal_a_longer_one(mode):
    policy = a_policy()
    twin = policy.copy()
    env = make(40, mode)
    first, second = pg.collect(env, policy, steps=11), pg.collect(env, policy, steps=14)
    whole = pg.collect(make(40, mode), twin, steps=25)
    for name in PER_STEP:
        parts = np.concatenate([getattr(first, name), getattr(second, name)])
        assert np.array_equal(parts, getattr(whole, name)), name
    finals = np.concatenate([first.final_observations, second.final_observations])
    assert np.array_equal(finals, whole.final_observations)
    assert np.array_equal(first.last_observations, second.observations[0])
    assert np.array_equal(second.last_observations, whole.last_observations)


@pytest.mark.parametrize("mode", MODES)
def test_native_steps_go_on_from_where_the_user_left_the_environment(mode):
    """In the middle of episodes; those that wait for a reset get it first."""
    env = make(3, mode)
    states = np.full((3, 4), 0.01, np.float32)
    states[1, 0] = 3
    env.reset(options={"state": states})
    observations, *_ = env.step([0, 1, 0])
    rollout = pg.collect(env, a_policy(), steps=2)
    assert np.array_equal(rollout.observations[0, [0, 2]], observations[[0, 2]])
    assert np.array_equal(rollout.observations[0, 1], make(3).reset()[0][1])
    assert env.get_state()["elapsed"].tolist() == [3, 2, 3]
    env.step([0, 1, 0])
    assert env.get_state()["elapsed"].tolist() == [4, 3, 4]


# --- time of the episode ----------------------------------------------------------------------


def time_by_hand(rollouts):
    """Steps since the beginning of each row's episode, through the batches in a row."""
    time = [np.zeros(r.rewards.shape, np.int64) for r in rollouts]
    for n in range(rollouts[0].rewards.shape[1]):
        t = 0
        for rollout, of_it in zip(rollouts, time, strict=True):
            for k in range(len(of_it)):
                of_it[k, n] = t
                if is_valid(rollout)[k, n]:
                    t = 0 if rollout.terminated[k, n] or rollout.truncated[k, n] else t + 1
    return time


@pytest.mark.parametrize("mode", ["SameStep", "NextStep", "Disabled"])
@pytest.mark.parametrize("way", ["native", "stepped", "gymnasium"])
def test_time_goes_on_across_the_border_of_batches(way, mode):
    """`time` counts from the episode's beginning, also where that lies in an earlier batch."""
    policy = a_policy()
    if way == "gymnasium":
        env = gym.make_vec(
            "CartPole-v1",
            3,
            vectorization_mode="sync",
            vector_kwargs={"autoreset_mode": AutoresetMode(mode)},
        )
        env.reset(seed=1)
    else:
        env = make(3, mode)
    collector = GymnasiumCollector(env, policy)
    rollouts = [
        collector.collect_steps(steps) if way == "stepped" else pg.collect(env, policy, steps=steps)
        for steps in (1, 5, 2, 20, 7)
    ]
    begun_before = 0
    for rollout, time in zip(rollouts, time_by_hand(rollouts), strict=True):
        assert rollout.elapsed.shape == (3,)
        assert rollout.elapsed.dtype == np.int64
        assert (rollout.time == time).all()
        begun_before += (rollout.elapsed > 0).sum()
    assert begun_before > 3
    env.close()


def test_time_of_whole_episodes_begins_at_zero():
    rollout = pg.collect(make(3), a_policy(), episodes=7)
    expected = np.arange(len(rollout.rewards))[:, None] * rollout.valid
    assert (rollout.time[rollout.valid] == expected[rollout.valid]).all()


# --- native episodes --------------------------------------------------------------------------


def assert_whole(rollout, policy):
    """Each column is one episode from its first step to its end, and zero behind it."""
    T, K = rollout.rewards.shape
    assert_types(rollout, policy, T, K)
    lengths = rollout.valid.sum(axis=0)
    assert lengths.min() >= 1
    assert lengths.max() == T
    assert np.array_equal(rollout.valid, np.arange(T)[:, None] < lengths)
    done = rollout.terminated | rollout.truncated
    assert np.array_equal(done, np.arange(T)[:, None] == lengths - 1)
    for name in PER_STEP:
        assert not getattr(rollout, name)[~rollout.valid].any(), name
    assert rollout.last_observations is None
    assert rollout.steps == lengths.sum()
    assert rollout.episodes == K
    assert np.array_equal(rollout.valid_observations, rollout.observations[rollout.valid])
    return lengths


def assert_drawn_in_its_own_stream(rollout, policy, draws):
    """Step t of column k has the action that `policy` draws for row k at draw number draws + t."""
    twin = policy.copy()
    for t, valid in enumerate(rollout.valid):
        twin.draws = draws + t
        actions = twin.sample(rollout.observations[t])
        assert np.array_equal(rollout.actions[t, valid], actions[valid])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("num_envs", "episodes"), [(1, 1), (1, 5), (4, 2), (4, 4), (3, 8), (35, 34), (33, 80)]
)
def test_native_episodes_equal_a_python_loop_bit_for_bit(num_envs, episodes, dtype, mode):
    policy = a_policy(dtype=dtype)
    twin = policy.copy()
    env, other = make(num_envs, mode, dtype=dtype), make(num_envs, dtype=dtype, mode="NextStep")
    for _ in range(2):
        rollout = pg.collect(env, policy, episodes=episodes)
        assert_equal(rollout, episode_by_episode(other, twin, episodes))
        assert_whole(rollout, policy)
        assert rollout.rewards.shape[1] == episodes
    assert policy.draws == twin.draws
    assert np.array_equal(env.get_state()["counter"], other.get_state()["counter"])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("num_envs", "episodes"), [(1, 1), (4, 4), (35, 34), (3, 8)])
def test_native_episodes_equal_the_gymnasium_collectors_bit_for_bit(
    num_envs, episodes, mode, dtype
):
    """In the first round; later ones begin elsewhere, because finished environments went on."""
    policy = a_policy(dtype=dtype)
    twin = policy.copy()
    native = pg.collect(make(num_envs, mode, dtype=dtype), policy, episodes=episodes)
    collector = GymnasiumCollector(make(num_envs, mode, dtype=dtype), twin)
    other = collector.collect_episodes(episodes)
    assert_whole(other, twin)
    assert_drawn_in_its_own_stream(other, twin, draws=0)
    if episodes <= num_envs:
        assert_equal(native, other)
        assert policy.draws == twin.draws
        return
    T = min(len(native.rewards), len(other.rewards))
    for name in [*PER_STEP, "valid"]:
        a, b = (getattr(rollout, name)[:T, :num_envs] for rollout in (native, other))
        assert np.array_equal(a, b), name


def test_native_episodes_do_not_favour_short_ones():
    """Column k is the ⌊k/N⌋-th episode of environment k mod N, whichever ends first."""
    N, K = 5, 48
    rollout = pg.collect(make(N, max_episode_steps=500), a_policy(), episodes=K)
    twin = make(N)
    starts = np.concatenate([twin.reset()[0] for _ in range(10)])[:K]
    assert np.array_equal(rollout.observations[0], starts)
    assert len(set(rollout.valid.sum(axis=0))) > 5


@pytest.mark.parametrize("mode", MODES)
def test_every_environment_waits_for_a_reset_after_native_episodes(mode):
    """Those that gave no episode, too."""
    env, actions = make(35, mode), np.zeros(35, np.int64)
    env.reset()
    env.step(actions)
    pg.collect(env, a_policy(), episodes=2)
    assert env.get_state()["finished"].all()
    with pytest.raises(RuntimeError, match="expected a call of reset first"):
        env.step(actions)


@pytest.mark.parametrize("mode", MODES)
def test_the_user_may_go_on_where_native_steps_left_an_environment_never_reset_before(mode):
    env = make(3, mode)
    rollout = pg.collect(env, a_policy(), steps=2)
    twin = make(3, mode)
    twin.reset(options={"state": rollout.last_observations})
    assert np.array_equal(env.step([0, 1, 0])[0], twin.step([0, 1, 0])[0])
    assert env.get_state()["elapsed"].tolist() == [3, 3, 3]


def test_steps_after_native_episodes_begin_new_ones():
    env, twin = make(3), make(3)
    pg.collect(env, a_policy(), episodes=6)
    starts = [twin.reset()[0] for _ in range(3)][-1]
    assert np.array_equal(pg.collect(env, a_policy(), steps=1).observations[0], starts)


# --- threads ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("amount", [{"steps": 20}, {"steps": 1}, {"episodes": 300}])
def test_rollouts_are_the_same_on_any_number_of_threads(threads, amount, dtype):
    """With blocks of 32 environments for four threads, the last one not full."""

    def run():
        num_envs = 32 * 140 + 5 if amount == {"steps": 1} else 32 * 7 + 5
        env, policy = make(num_envs, dtype=dtype), a_policy(dtype=dtype)
        rollouts = [pg.collect(env, policy, **amount) for _ in range(2)]
        return rollouts, env.get_state(), policy.draws

    first, *others = threads(run)
    for other in others:
        for a, b in zip(first[0], other[0], strict=True):
            assert_equal(a, b)
        for part in first[1]:
            assert np.array_equal(first[1][part], other[1][part]), part
        assert first[2] == other[2]


# --- any Gymnasium environment ----------------------------------------------------------------


class Counting(gym.Env):
    """Observes (lane, episode, t, the last action); its episodes end as a schedule says.

    A schedule is a list of (length, end), taken again and again; the end is "terminated",
    "truncated" or "both". The reward of step t of episode e is 100 e + t + 1.
    """

    action_space = gym.spaces.Discrete(2)

    def __init__(self, lane, schedule, start=0, dtype=np.float32):
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (4,), dtype)
        self.action_space = gym.spaces.Discrete(2, start=start)
        self.lane, self.schedule, self.episode = lane, schedule, -1

    def _observe(self, action):
        row = [self.lane, self.episode, self.t, action]
        return np.array(row, self.observation_space.dtype)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episode += 1
        self.t = 0
        return self._observe(-1), {}

    def step(self, action):
        assert self.action_space.contains(action)
        length, end = self.schedule[self.episode % len(self.schedule)]
        assert self.t < length
        self.t += 1
        done = self.t == length
        terminated, truncated = done and end != "truncated", done and end != "terminated"
        return self._observe(action), 100.0 * self.episode + self.t, terminated, truncated, {}


SCHEDULES = [
    [(1, "terminated"), (2, "truncated"), (3, "both"), (1, "truncated")],
    [(4, "both"), (1, "truncated"), (1, "both")],
    [(2, "terminated"), (5, "truncated")],
]


def counting(mode, schedules=SCHEDULES, copy=True, **arguments):
    return SyncVectorEnv(
        [
            lambda lane=lane, schedule=schedule: Counting(lane, schedule, **arguments)
            for lane, schedule in enumerate(schedules)
        ],
        autoreset_mode=AutoresetMode(mode),
        copy=copy,
    )


def counted(schedule, T, next_step):
    """The first T + 1 steps: (episode, t, terminated, truncated); None where one only resets."""
    rows, episode, t = [], 0, 0
    waiting = False
    while len(rows) <= T:
        if waiting:
            rows.append(None)
            waiting = False
            continue
        length, end = schedule[episode % len(schedule)]
        done = t + 1 == length
        rows.append((episode, t, done and end != "truncated", done and end != "terminated"))
        episode, t = (episode + 1, 0) if done else (episode, t + 1)
        waiting = done and next_step
    return rows


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lanes", [1, 3])
@pytest.mark.parametrize("start", [0, 5])
@pytest.mark.parametrize("T", [1, 2, 3, 7, 30])
def test_every_step_of_counting_environments_is_in_its_place(T, start, lanes, mode):
    policy = a_policy()
    env = counting(mode, SCHEDULES[:lanes], start=start)
    rollout = pg.collect(env, policy, steps=T)
    assert_types(rollout, policy, T, lanes)
    valid, actions = is_valid(rollout), rollout.actions
    assert set(actions.ravel().tolist()) <= {0, 1}
    finals = {}
    for lane in range(lanes):
        rows = counted(SCHEDULES[lane], T, mode == "NextStep")
        for step, row in enumerate(rows[:T]):
            at = (step, lane)
            if row is None:
                assert not valid[at]
                for name in PER_STEP:
                    assert not getattr(rollout, name)[at].any(), name
                continue
            episode, t, terminated, truncated = row
            last_action = actions[step - 1, lane] + start if t else -1
            assert valid[at]
            assert rollout.observations[at].tolist() == [lane, episode, t, last_action]
            assert rollout.rewards[at] == 100 * episode + t + 1
            assert (rollout.terminated[at], rollout.truncated[at]) == (terminated, truncated)
            if truncated:
                finals[at] = [lane, episode, t + 1, actions[at] + start]
        last = rollout.last_observations[lane].tolist()
        last_action = actions[T - 1, lane] + start
        if rows[T] is None:  # the step that resets is still to come: the final observation
            episode, t = rows[T - 1][:2]
            assert last == [lane, episode, t + 1, last_action]
        else:
            episode, t = rows[T][:2]
            assert last == [lane, episode, t, last_action if t else -1]
    places = [tuple(place) for place in np.argwhere(rollout.truncated)]
    assert sorted(finals) == places
    assert rollout.final_observations.tolist() == [finals[place] for place in places]
    assert rollout.steps == valid.sum()
    assert rollout.episodes == (rollout.terminated | rollout.truncated).sum()
    assert np.array_equal(rollout.valid_observations, rollout.observations[valid])
    log_probs = policy.log_prob(rollout.observations, actions)
    assert np.array_equal(rollout.log_probs[valid], log_probs[valid])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cut", [1, 2, 3, 4, 5, 6])
def test_two_collects_through_gymnasium_equal_a_longer_one(cut, mode):
    policy = a_policy()
    twin = policy.copy()
    env = counting(mode)
    first, second = (pg.collect(env, policy, steps=steps) for steps in (cut, 9))
    whole = pg.collect(counting(mode), twin, steps=cut + 9)
    for name in PER_STEP:
        parts = np.concatenate([getattr(first, name), getattr(second, name)])
        assert np.array_equal(parts, getattr(whole, name)), name
    assert np.array_equal(np.concatenate([is_valid(first), is_valid(second)]), is_valid(whole))
    finals = np.concatenate([first.final_observations, second.final_observations])
    assert np.array_equal(finals, whole.final_observations)
    assert np.array_equal(second.last_observations, whole.last_observations)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lanes", [1, 3])
@pytest.mark.parametrize("K", [1, 2, 3, 4, 6, 11])
def test_episodes_of_counting_environments_are_whole_and_shared_out_beforehand(K, lanes, mode):
    policy = a_policy()
    env = counting(mode, SCHEDULES[:lanes], start=1)
    for _ in range(2):
        draws = policy.draws
        rollout = pg.collect(env, policy, episodes=K)
        lengths = assert_whole(rollout, policy)
        assert_drawn_in_its_own_stream(rollout, policy, draws)
        assert policy.draws == draws + len(rollout.rewards)
        finals = {}
        for k in range(K):
            lane = k % lanes
            episode = int(rollout.observations[0, k, 1])
            length, end = SCHEDULES[lane][episode % len(SCHEDULES[lane])]
            assert lengths[k] == length
            actions = rollout.actions[:length, k] + 1
            expected = [[lane, episode, t, actions[t - 1] if t else -1] for t in range(length)]
            assert rollout.observations[:length, k].tolist() == expected
            assert rollout.rewards[:length, k].tolist() == [
                100 * episode + t + 1 for t in range(length)
            ]
            assert rollout.terminated[length - 1, k] == (end != "truncated")
            assert rollout.truncated[length - 1, k] == (end != "terminated")
            if end != "terminated":
                finals[length - 1, k] = [lane, episode, length, actions[-1]]
        assert rollout.final_observations.tolist() == [finals[place] for place in sorted(finals)]


@pytest.mark.parametrize("mode", MODES)
def test_short_episodes_are_not_favoured(mode):
    """Episodes of 1 and of 50 steps in two environments: half of ten are long."""
    env = counting(mode, [[(1, "terminated")], [(50, "truncated")]])
    rollout = pg.collect(env, a_policy(), episodes=10)
    assert rollout.valid.sum(axis=0).tolist() == [1, 50] * 5


@pytest.mark.parametrize("mode", MODES)
def test_steps_after_episodes_through_gymnasium_begin_new_ones(mode):
    env, policy = counting(mode), a_policy()
    pg.collect(env, policy, steps=3)
    pg.collect(env, policy, episodes=2)
    rollout = pg.collect(env, policy, steps=2)
    assert rollout.observations[0, :, 2:].tolist() == [[0, -1]] * 3
    assert is_valid(rollout)[0].all()


@pytest.mark.parametrize("mode", MODES)
def test_observations_that_the_environment_writes_over_are_kept(mode):
    """SyncVectorEnv(copy=False) gives the same array at every step."""
    policy = a_policy()
    twin = policy.copy()
    for amount in ({"steps": 9}, {"episodes": 5}):
        rollout = pg.collect(counting(mode, copy=False), policy, **amount)
        assert_equal(rollout, pg.collect(counting(mode), twin, **amount))


def test_observations_are_given_in_the_policys_dtype():
    wide, narrow = (
        pg.collect(counting("NextStep", dtype=dtype), a_policy(), steps=9) for dtype in DTYPES
    )
    assert_equal(wide, narrow)
    policy = a_policy(dtype=np.float64)
    rollout = pg.collect(counting("SameStep"), policy, steps=9)
    assert_types(rollout, policy, 9, 3)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_steps_of_gymnasiums_cartpole_equal_a_python_loop_bit_for_bit(mode, dtype):
    def env():
        fresh = SyncVectorEnv(
            [lambda: gym.make("CartPole-v1", max_episode_steps=12)] * 10,
            autoreset_mode=AutoresetMode(mode),
        )
        fresh.reset(seed=3)
        return fresh

    policy = a_policy(dtype=dtype)
    twin = policy.copy()
    rollout = pg.collect(env(), policy, steps=60)
    assert_equal(rollout, step_by_step(env(), twin, 60))
    assert rollout.truncated.any()
    assert (rollout.terminated & ~rollout.truncated).any()


@pytest.mark.parametrize("mode", MODES)
def test_episodes_of_gymnasiums_cartpole_are_whole(mode):
    env = SyncVectorEnv(
        [lambda: gym.make("CartPole-v1", max_episode_steps=12)] * 4,
        autoreset_mode=AutoresetMode(mode),
    )
    env.reset(seed=3)
    policy = a_policy()
    rollout = pg.collect(env, policy, episodes=21)
    lengths = assert_whole(rollout, policy)
    assert np.array_equal(rollout.truncated.any(axis=0), lengths == 12)
    assert np.array_equal(rollout.rewards.sum(axis=0), lengths)
    assert np.abs(rollout.observations[0]).max() <= 0.05  # each begins with a reset
    fell = np.abs(rollout.final_observations[:, [0, 2]]) > [2.4, 12 * np.pi / 180]
    places = tuple(np.argwhere(rollout.truncated).T)
    assert np.array_equal(fell.any(axis=1), rollout.terminated[places])


def test_a_wrapped_native_environment_is_collected_through_gymnasium():
    policy = a_policy()
    twin = policy.copy()
    wrapped = RecordEpisodeStatistics(make(5))
    assert_equal(pg.collect(wrapped, policy, steps=40), pg.collect(make(5), twin, steps=40))
    assert wrapped.episode_count > 5


@pytest.mark.parametrize("kind", ["native", "Gymnasium's"])
def test_an_environment_is_freed_after_it_was_collected_from(kind):
    env = make(2) if kind == "native" else counting("SameStep")
    pg.collect(env, a_policy(), steps=2)
    reference = weakref.ref(env)
    del env
    gc.collect()
    assert reference() is None


# --- bad input --------------------------------------------------------------------------------


class Shaped(gym.Env):
    """An environment of any spaces."""

    def __init__(self, observation_space, action_space):
        self.observation_space, self.action_space = observation_space, action_space

    def reset(self, *, seed=None, options=None):
        raise AssertionError("collect resets an environment that it can not run")


def shaped(observation_space, action_space):
    return SyncVectorEnv([lambda: Shaped(observation_space, action_space)])


def without_mode():
    env = counting("SameStep")
    del env.metadata["autoreset_mode"]
    return env


BOX, TWO = gym.spaces.Box(-1, 1, (4,)), gym.spaces.Discrete(2)
TWELVE = gym.spaces.Box(-1, 1, (3, 4))
BAD_ENVS = {
    "observations of rank 2": (lambda: shaped(TWELVE, TWO), "one dimension .* 12 numbers"),
    "observations of rank 0": (lambda: shaped(gym.spaces.Box(-1, 1, ()), TWO), "one dimension"),
    "Dict observations": (lambda: shaped(gym.spaces.Dict(a=TWELVE), TWO), "observations Dict"),
    "observations of any length": (
        lambda: shaped(gym.spaces.Sequence(TWO), TWO),
        "observations Sequence.*, expected ones that can be made a vector",
    ),
    "Box actions": (lambda: shaped(BOX, BOX), "actions Box"),
    "MultiDiscrete actions": (
        lambda: shaped(BOX, gym.spaces.MultiDiscrete([2, 2])),
        "actions MultiDiscrete",
    ),
    "Dict actions": (lambda: shaped(BOX, gym.spaces.Dict(a=TWO)), "actions Dict.*, expected Disc"),
    "a number": (lambda: 7, "env is a int, expected an id, a gymnasium Env or VectorEnv, or a"),
    "a function that makes no environment": (lambda: dict, r"env\(\) gave a dict, expected a gym"),
    "an environment that does not tell its autoreset mode": (without_mode, "autoreset_mode"),
}


@pytest.mark.parametrize(("env", "message"), BAD_ENVS.values(), ids=BAD_ENVS)
@pytest.mark.parametrize("amount", [{"steps": 3}, {"episodes": 3}])
def test_an_environment_that_collect_can_not_run_is_a_type_error(env, message, amount):
    policy = a_policy()
    with pytest.raises(TypeError, match=f"^collect: .*{message}"):
        pg.collect(env(), policy, **amount)
    assert policy.draws == 0


BAD_AMOUNTS = {
    "neither": ({}, TypeError, "steps or episodes"),
    "both": ({"steps": 3, "episodes": 3}, TypeError, "steps or episodes"),
    "no steps": ({"steps": 0}, ValueError, "steps is 0"),
    "steps below none": ({"steps": -1}, ValueError, "steps is -1"),
    "no episodes": ({"episodes": 0}, ValueError, "episodes is 0"),
    "episodes below none": ({"episodes": -7}, ValueError, "episodes is -7"),
    "half a step": ({"steps": 0.5}, TypeError, "steps is a float"),
    "a text of episodes": ({"episodes": "3"}, TypeError, "episodes is a str"),
}
BAD_POLICIES = {
    "another observation size": (lambda: a_policy(3), ValueError, "3 observations"),
    "another number of actions": (lambda: pg.SoftmaxPolicy(4, 3), ValueError, "3 actions"),
    "a policy over features": (lambda: pg.StateActionSoftmaxPolicy(2, 4), TypeError, "policy is a"),
    "no policy": (lambda: None, TypeError, "policy is a NoneType"),
}


def assert_error_changes_nothing(env, policy, amount, error, message):
    """The call fails with that message; environment and policy go on as if it had not been."""
    if isinstance(env, SyncVectorEnv):
        before = [vars(e).copy() for e in env.envs]
    else:
        env.reset()
        env.step([0, 1, 0])
        before = env.get_state()
    with pytest.raises(error, match=f"^collect: .*{message}"):
        pg.collect(env, policy, **amount)
    if isinstance(env, SyncVectorEnv):
        assert [vars(e) for e in env.envs] == before
    else:
        after = env.get_state()
        for part in before:
            assert np.array_equal(before[part], after[part]), part
    if policy is not None:
        assert policy.draws == 0


@pytest.mark.parametrize("kind", ["native", "Gymnasium's"])
@pytest.mark.parametrize(("amount", "error", "message"), BAD_AMOUNTS.values(), ids=BAD_AMOUNTS)
def test_a_bad_amount_is_an_error_that_changes_nothing(amount, error, message, kind):
    env = make(3) if kind == "native" else counting("SameStep")
    assert_error_changes_nothing(env, a_policy(), amount, error, message)


@pytest.mark.parametrize("kind", ["native", "Gymnasium's"])
@pytest.mark.parametrize("amount", [{"steps": 3}, {"episodes": 3}])
@pytest.mark.parametrize(("policy", "error", "message"), BAD_POLICIES.values(), ids=BAD_POLICIES)
def test_a_bad_policy_is_an_error_that_changes_nothing(policy, error, message, amount, kind):
    env = make(3) if kind == "native" else counting("SameStep")
    assert_error_changes_nothing(env, policy(), amount, error, message)


@pytest.mark.parametrize("amount", [{"steps": 3}, {"episodes": 3}])
def test_a_policy_of_another_dtype_than_the_native_environment_is_a_type_error(amount):
    for env_dtype, policy_dtype in (DTYPES, DTYPES[::-1]):
        env, policy = make(3, dtype=env_dtype), a_policy(dtype=policy_dtype)
        assert_error_changes_nothing(env, policy, amount, TypeError, "dtype")


@pytest.mark.parametrize("kind", ["native", "Gymnasium's"])
@pytest.mark.parametrize("amount", [{"steps": 3}, {"episodes": 3}])
def test_a_closed_environment_is_an_error(amount, kind):
    env, policy = make(3) if kind == "native" else counting("SameStep"), a_policy()
    env.close()
    with pytest.raises(RuntimeError, match=r"^collect: .*closed"):
        pg.collect(env, policy, **amount)
    assert policy.draws == 0


def test_whole_episodes_need_no_memory_for_steps_that_are_not_taken():
    """A time limit that no episode comes near costs nothing."""
    env = make(2, max_episode_steps=2**31 - 1)
    policy = a_policy()
    rollout = pg.collect(env, policy, episodes=4)
    assert assert_whole(rollout, policy).max() < 1000


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bins", [2, 3, 11, 16])
@pytest.mark.parametrize("env_id", ["Pendulum-v1", "MountainCarContinuous-v0"])
def test_binned_actions_equal_the_gymnasium_collectors_bit_for_bit(env_id, bins, dtype):
    """One formula for a bin, in C++ and in NumPy."""
    policy = pg.policy_for(pg.make(env_id, dtype=dtype), discretize=bins, seed=1)
    twin = policy.copy()
    rollouts = [
        pg.collect(
            pg.make(env_id, 5, seed=2, dtype=dtype, autoreset_mode="SameStep"), policy, steps=60
        ),
        GymnasiumCollector(
            pg.make(env_id, 5, seed=2, dtype=dtype, autoreset_mode="SameStep"), twin
        ).collect_steps(60),
    ]
    for name in ("observations", "actions", "log_probs", "rewards"):
        np.testing.assert_array_equal(*(getattr(r, name) for r in rollouts))
