"""EnvPool as an environment."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from python_envs import Match, Pool

import pgfast as pg

MODES = list(AutoresetMode)


def test_a_pools_truncated_episodes_end_one_step_earlier():
    """Where the state is certainly alive, so that a dead one is never bootstrapped from; its falls
    before the limit stay terminal."""
    batch = pg.collect(Pool(), pg.SoftmaxPolicy(3, 2), steps=8)
    # Environment 0 falls in step 2 and is reset in step 3; 1 and 2 reach the limit in step 3.
    assert batch.terminated[:, 0].tolist() == [0, 1, 0, 0, 1, 0, 0, 1]
    assert not batch.truncated[:, 0].any()
    assert batch.valid[:, 0].tolist() == [1, 1, 0, 1, 1, 0, 1, 1]
    for i in (1, 2):
        assert not batch.terminated[:, i].any()
        assert batch.truncated[:, i].tolist() == [0, 1, 0, 0, 0, 1, 0, 0]
        assert batch.valid[:, i].tolist() == [1, 1, 0, 0, 1, 1, 0, 0]
        assert (batch.rewards[:, i] == batch.valid[:, i]).all()
    assert batch.final_observations.tolist() == [[1, 0, 2], [2, 0, 2], [1, 1, 2], [2, 1, 2]]


def test_a_pools_episode_that_is_cut_between_two_batches_ends_with_the_first():
    """The last step allowed is the first of a batch: the batch before bootstraps from its start."""
    pool, policy = Pool((9,)), pg.SoftmaxPolicy(3, 2)
    first, second = (pg.collect(pool, policy, steps=2) for _ in range(2))
    assert first.last_observations.tolist() == [[0, 0, 2]]
    assert first.valid is None
    assert not second.valid.any()  # the step that is cut, and the one that resets
    assert not (second.truncated | second.terminated).any()
    assert len(second.final_observations) == 0
    third = pg.collect(pool, policy, steps=2)
    assert (first.elapsed, second.elapsed, third.elapsed) == (0, 0, 0)


@pytest.mark.parametrize("mode", MODES)
def test_a_rollout_tells_how_far_its_episodes_were(mode):
    """`time` is the step of each row in its episode, over the ends of batches."""
    env, policy = SyncVectorEnv([Match, Match], autoreset_mode=mode), pg.SoftmaxPolicy(6, 3)
    times = []
    for steps in (4, 9, 1, 20):
        batch = pg.collect(env, policy, steps=steps)
        valid = np.ones(batch.rewards.shape, np.bool_) if batch.valid is None else batch.valid
        times += batch.time[valid[:, 0], 0].tolist()
    assert times == [t % 10 for t in range(len(times))]


def test_whole_episodes_of_a_pool_keep_their_returns():
    """Nothing is cut from them: evaluation counts every step."""
    batch = pg.collect(Pool(), pg.SoftmaxPolicy(3, 2), episodes=3)
    assert batch.rewards.sum(axis=0).tolist() == [2, 3, 3]
    assert pg.evaluate(pg.SoftmaxPolicy(3, 2), Pool(), episodes=6).tolist() == [2, 3, 3, 2, 3, 3]


def test_a_pool_under_a_wrapper_is_one():
    """Its metadata and spaces pass through; so does what truncation hides."""
    env = RecordEpisodeStatistics(Pool())
    assert len(pg.collect(env, pg.SoftmaxPolicy(3, 2), steps=8).final_observations) == 4


def test_a_pool_is_trained_on():
    """Its own threshold counts; its spec has no id."""
    run = pg.train(Pool((9, 9)), pg.Reinforce(episodes=4), steps=1000)
    assert run.stopped == "solved"
    assert run.env_id is None


@pytest.mark.filterwarnings("ignore:.*Box (low|high)'s precision:UserWarning")
def test_envpool_itself_is_trained_on():
    envpool = pytest.importorskip("envpool", reason="EnvPool is not installed", exc_type=Exception)
    env = envpool.make_gymnasium("CartPole-v1", num_envs=8, seed=0)
    assert pg.collect(env, pg.SoftmaxPolicy(4, 2), steps=5).observations.shape == (5, 8, 4)
    run = pg.train(env, "npg", steps=30_000)
    assert run.history["mean_return"][-1] > 100
