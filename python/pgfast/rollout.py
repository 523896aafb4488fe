"""Rollouts: what a policy did in an environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgfast._typing import BoolArray, FloatArray, IntArray, as_count
from pgfast.policy import Policy

if TYPE_CHECKING:
    import gymnasium as gym


@dataclass(frozen=True)
class Rollout:
    """A batch of experience, time-major: T steps of N columns.

    A column is an environment, or an episode where whole ones were asked for. Rewards are the
    environment's own.
    """

    observations: FloatArray
    """(T, N, D): what the policy saw before each step."""
    actions: IntArray
    """(T, N) int64."""
    log_probs: FloatArray
    """(T, N): log π(a|s) of the policy that acted."""
    rewards: FloatArray
    """(T, N)."""
    terminated: BoolArray
    """(T, N): the step reached a terminal state."""
    truncated: BoolArray
    """(T, N): the step was the last one allowed."""
    valid: BoolArray | None
    """(T, N): the step happened; None where every one did. Elsewhere all arrays are 0."""
    last_observations: FloatArray | None
    """(N, D): the observations after the last row; None for whole episodes."""
    final_observations: FloatArray
    """(K, D): final observations of the truncated steps, in the order of argwhere(truncated)."""

    @property
    def steps(self) -> int:
        """How many steps happened."""
        return int(self.rewards.size if self.valid is None else self.valid.sum())

    @property
    def episodes(self) -> int:
        """How many episodes ended."""
        return int((self.terminated | self.truncated).sum())

    @property
    def valid_observations(self) -> FloatArray:
        """The observations of the steps that happened, (steps, D)."""
        if self.valid is None:
            return self.observations.reshape(-1, self.observations.shape[-1])
        return self.observations[self.valid]


def collect(
    env: gym.vector.VectorEnv[Any, Any, Any],
    policy: Policy,
    *,
    steps: int | None = None,
    episodes: int | None = None,
) -> Rollout:
    """Run a policy in a vector environment.

    With `steps`, every environment goes on from where it stands for that many steps; those that
    have not begun, or wait for a reset, are reset first. With `episodes`, every environment is
    reset and that many whole episodes are run, one per column: column k is episode ⌊k / num_envs⌋
    of environment k mod num_envs. How many episodes an environment gives is settled beforehand, so
    short ones are not favoured; rows behind an episode's end are 0 and not valid.

    A native environment (`pgfast.make`) runs in C++ as a whole, one block of environments per
    thread. Any other Gymnasium VectorEnv, in any autoreset mode, is stepped through Python; between
    two calls with `steps` it must not be stepped or reset by others, because Gymnasium has no way
    to ask an environment for its observation.

    Parameters:
        env: a vector environment with flat Box observations and Discrete actions.
        policy: whose sizes and dtype fit the environment; its `draws` go up by T.
        steps: T ≥ 1, for each environment.
        episodes: how many, ≥ 1.

    Returns:
        Rollout.

    Raises:
        TypeError: neither or both of `steps` and `episodes`; a dtype or space that does not fit.
        ValueError: a number or size that does not fit.

    >>> from pgfast import SoftmaxPolicy, make
    >>> batch = collect(make("CartPole-v1", num_envs=8, seed=0), SoftmaxPolicy(4, 2), steps=5)
    >>> batch.observations.shape, batch.actions.shape
    ((5, 8, 4), (5, 8))
    """
    if (steps is None) == (episodes is None):
        raise TypeError("collect: give either steps or episodes")
    from pgfast.envs.adapter import collector

    runner = collector(env, policy)
    if steps is not None:
        return runner.collect_steps(policy, as_count("collect", "steps", steps))
    assert episodes is not None
    return runner.collect_episodes(policy, as_count("collect", "episodes", episodes))
