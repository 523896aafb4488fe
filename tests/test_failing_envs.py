"""Environments that fail."""

from __future__ import annotations

import re
import warnings

import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from python_envs import Match, Pool

import pgfast as pg
from pgfast.envs.failure import EnvError

MODES = list(AutoresetMode)


class Failing(Match):
    """Raises in step `at` of its life, or in reset `at`."""

    def __init__(self, at=None, what="step"):
        self.at, self.what, self.life, self.resets = at, what, 0, 0

    def reset(self, *, seed=None, options=None):
        self.resets += 1
        if self.what == "reset" and self.resets == self.at:
            raise OSError("the simulator is gone")
        return super().reset(seed=seed)

    def step(self, action):
        self.life += 1
        if self.what == "step" and self.life == self.at:
            raise ValueError("the simulator is gone")
        return super().step(action)


@pytest.mark.parametrize("mode", MODES)
def test_a_failing_environment_is_named_with_the_step_of_its_episode(mode):
    """Environment 1 of three raises in step 4 of its second episode; the cause is its own error."""
    env = SyncVectorEnv([Match, lambda: Failing(14), Match], autoreset_mode=mode)
    with pytest.raises(
        EnvError, match=r"^collect: environment 1 raised ValueError in step 4 of its ep"
    ) as error:
        pg.collect(env, pg.SoftmaxPolicy(6, 3), steps=30)
    assert str(error.value).endswith("episode: the simulator is gone")
    assert isinstance(error.value.__cause__, ValueError)


def test_a_failing_environment_in_another_process_is_named():
    """Gymnasium's processes tell the index as well."""
    env = AsyncVectorEnv([Match, Match, lambda: Failing(3)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the ways in which Gymnasium tells it itself
        with pytest.raises(EnvError, match="environment 2 raised ValueError in step 3 of its ep"):
            pg.collect(env, pg.SoftmaxPolicy(6, 3), steps=30)
    env.close()


def test_a_failing_reset_is_named():
    """So is a single environment, and one under a wrapper."""
    env = RecordEpisodeStatistics(SyncVectorEnv([Match, lambda: Failing(2, "reset")]))
    with pytest.raises(EnvError, match="environment 1 raised OSError in reset: the sim"):
        pg.collect(env, pg.SoftmaxPolicy(6, 3), steps=30)
    with pytest.raises(EnvError, match="environment 0 raised OSError in reset: the simulator"):
        pg.collect(Failing(1, "reset"), pg.SoftmaxPolicy(6, 3), steps=1)


def test_an_environment_that_vectorises_itself_is_named_with_all_its_steps():
    """Where nobody knows which one of them it was."""

    class Own(Pool):
        __module__ = "simulator"

        def step(self, actions):
            if self.t[1] == 2:
                raise ValueError("no power")
            return super().step(actions)

    with pytest.raises(
        EnvError, match=r"an environment raised ValueError in step one of \[3, 3\] of"
    ):
        pg.collect(Own((9, 9)), pg.SoftmaxPolicy(3, 2), steps=9)


def test_a_failed_collect_begins_anew():
    """The environment is reset, and what the policy had drawn stays drawn."""
    env, policy = SyncVectorEnv([lambda: Failing(14)]), pg.SoftmaxPolicy(6, 3)
    with pytest.raises(EnvError):
        pg.collect(env, policy, steps=30)
    assert env.envs[0].resets == 2
    batch = pg.collect(env, policy, steps=5)
    assert env.envs[0].resets == 3
    assert batch.rewards.shape == (5, 1)


def test_a_failure_keeps_the_run_so_far(tmp_path):
    """The finished updates are in the run, θ is theirs, and it can be saved."""
    trainer = pg.Trainer(lambda: Failing(33), pg.Reinforce(episodes=1), num_envs=1, steps=10**6)
    with pytest.raises(EnvError, match="environment 0 raised ValueError in step 3 of its episode"):
        trainer.train()
    run = trainer.run
    assert run.history["steps"].tolist() == [10.0, 20.0, 30.0]
    assert run.stopped == "failed"
    clean = pg.train(Match, pg.Reinforce(episodes=1), num_envs=1, steps=30)
    assert (run.policy.theta == clean.policy.theta).all()
    run.save(tmp_path / "run")
    assert re.search("failed", (tmp_path / "run" / "run.json").read_text())
