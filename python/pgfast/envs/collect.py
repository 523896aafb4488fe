"""`collect`: a policy run in an environment, natively in C++ or step by step over Gymnasium."""

from __future__ import annotations

from typing import Any, Protocol

import gymnasium as gym
from gymnasium.vector import VectorEnv

from pgfast import _core
from pgfast._typing import as_count
from pgfast.envs.adapter import GymnasiumCollector
from pgfast.envs.vector_env import NativeVectorEnv
from pgfast.policy import Policy
from pgfast.rollout import Rollout
from pgfast.softmax_policy import SoftmaxPolicy


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
    short ones are not favoured; rows behind an episode's end are 0 and not valid. Afterwards the
    environments wait for a reset.

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
    runner = collector(env, policy)
    if steps is not None:
        return runner.collect_steps(policy, as_count("collect", "steps", steps))
    assert episodes is not None
    return runner.collect_episodes(policy, as_count("collect", "episodes", episodes))


class Collector(Protocol):
    """What `collect` asks of an environment."""

    def collect_steps(self, policy: Policy, steps: int) -> Rollout:
        """`steps` steps of every environment."""

    def collect_episodes(self, policy: Policy, episodes: int, greedy: bool = False) -> Rollout:
        """Whole episodes; `greedy` takes the most probable actions."""


def collector(env: object, policy: Policy) -> Collector:
    """Find the collector of an environment, after checking that the policy fits it."""
    if not isinstance(env, VectorEnv):
        raise TypeError(f"collect: env is a {type(env).__name__}, expected a gymnasium VectorEnv")
    if env.closed:
        raise RuntimeError("collect: the environment is closed")
    check_policy(env, policy)
    if isinstance(env, NativeVectorEnv):
        return NativeCollector(env)
    return GymnasiumCollector(env)


def spaces(env: VectorEnv[Any, Any, Any]) -> tuple[int, int]:
    """Observation size D and number of actions A of an environment that a softmax policy fits."""
    observation, action = env.single_observation_space, env.single_action_space
    if not isinstance(observation, gym.spaces.Box) or len(observation.shape) != 1:
        raise TypeError(
            f"collect: env has observations {observation}, expected a Box of one dimension"
        )
    if not isinstance(action, gym.spaces.Discrete):
        raise TypeError(f"collect: env has actions {action}, expected Discrete")
    return observation.shape[0], int(action.n)


def check_policy(env: VectorEnv[Any, Any, Any], policy: Policy) -> None:
    """Raise where a policy does not fit an environment."""
    if not isinstance(policy, SoftmaxPolicy):
        raise TypeError(f"collect: policy is a {type(policy).__name__}, expected a SoftmaxPolicy")
    sizes = spaces(env)
    if sizes != (policy.observation_size, policy.actions):
        raise ValueError(
            f"collect: the policy has {policy.observation_size} observations and {policy.actions} "
            f"actions, expected {sizes[0]} and {sizes[1]}, those of the environment"
        )
    if isinstance(env, NativeVectorEnv) and env.dtype != policy.dtype:
        raise TypeError(
            f"collect: the policy has dtype {policy.dtype}, expected {env.dtype}, the environment's"
        )


class NativeCollector:
    """Runs a block of environments × steps × policy inside C++."""

    def __init__(self, env: NativeVectorEnv) -> None:
        self._env = env

    def collect_steps(self, policy: Policy, steps: int) -> Rollout:
        """`steps` steps of every environment."""
        assert isinstance(policy, SoftmaxPolicy)
        arrays = _core.collect_steps(
            self._env._core, policy._kernel, policy.theta, steps, policy.seed, policy.draws
        )
        return self._rollout(policy, arrays)

    def collect_episodes(self, policy: Policy, episodes: int, greedy: bool = False) -> Rollout:
        """Whole episodes."""
        assert isinstance(policy, SoftmaxPolicy)
        arrays = _core.collect_episodes(
            self._env._core,
            policy._kernel,
            policy.theta,
            episodes,
            greedy,
            policy.seed,
            policy.draws,
        )
        return self._rollout(policy, arrays, greedy)

    def _rollout(self, policy: Policy, arrays: Any, greedy: bool = False) -> Rollout:
        rollout = Rollout(*arrays)
        self._env._begun = rollout.last_observations is not None  # else all wait for a reset
        if not greedy:
            policy.draws += rollout.rewards.shape[0]
        return rollout
