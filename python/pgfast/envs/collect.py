"""`collect`: a policy run in an environment, natively in C++ or step by step over Gymnasium."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from gymnasium.vector import VectorEnv

from pgfast import _core
from pgfast._typing import FloatArray, as_count, as_seed
from pgfast.envs.actions import action_map
from pgfast.envs.adapter import GymnasiumCollector, Returns
from pgfast.envs.observations import observation_map
from pgfast.envs.source import EnvLike, source
from pgfast.envs.vector_env import NativeVectorEnv
from pgfast.policy import Policy
from pgfast.rollout import Rollout


def collect(
    env: EnvLike,
    policy: Policy,
    *,
    steps: int | None = None,
    episodes: int | None = None,
    num_envs: int | None = None,
    seed: int | None = None,
) -> Rollout:
    """Run a policy in an environment.

    With `steps`, every environment goes on from where it stands for that many steps; those that
    have not begun, or wait for a reset, are reset first. With `episodes`, every environment is
    reset and that many whole episodes are run, one per column: column k is episode ⌊k / num_envs⌋
    of environment k mod num_envs. How many episodes an environment gives is settled beforehand, so
    short ones are not favoured; rows behind an episode's end are 0 and not valid. Afterwards the
    environments wait for a reset.

    A native environment (`pgfast.make`) runs in C++ as a whole, one block of environments per
    thread. Any other is stepped through Python; between two calls with `steps` it must not be
    stepped or reset by others, because Gymnasium has no way to ask an environment for its
    observation. Under NEXT_STEP the rows that only reset are not valid.

    The policy sees vectors: a Box of one dimension as it is, Discrete one-hot (or the index, where
    the policy takes one number), all others as `gymnasium.spaces.flatten` makes them, where the
    policy takes as many numbers. Of real actions the environment gets what its Box allows; the
    rollout has the policy's own, which the log-probabilities are of. EnvPool tells a terminal state
    in the last step allowed as truncated only: with `steps`, its truncated episodes therefore end
    one step earlier, where the state is certainly not terminal.

    Parameters:
        env: a `gymnasium.vector.VectorEnv` in any autoreset mode; an `Env`, a batch of one; or an
            id or a function that makes an `Env`, which are made for this call.
        policy: whose sizes and dtype fit the environment; its `draws` go up by T.
        steps: T ≥ 1, for each environment.
        episodes: how many, ≥ 1.
        num_envs: of environments made for this call; None means 1.
        seed: of environments made for this call; None means 0.

    Returns:
        Rollout.

    Raises:
        TypeError: neither or both of `steps` and `episodes`; a dtype or space that does not fit.
        ValueError: a number or size that does not fit.
        EnvError: the environment raised; the message says which one, and in which step.
        RuntimeError: a native environment without a step limit, and an episode that has not ended
            after 2²⁰ steps.

    >>> from pgfast import SoftmaxPolicy, make
    >>> batch = collect(make("CartPole-v1", num_envs=8, seed=0), SoftmaxPolicy(4, 2), steps=5)
    >>> batch.observations.shape, batch.actions.shape
    ((5, 8, 4), (5, 8))
    """
    if (steps is None) == (episodes is None):
        raise TypeError("collect: give either steps or episodes")
    steps = None if steps is None else as_count("collect", "steps", steps)
    episodes = None if episodes is None else as_count("collect", "episodes", episodes)
    if not isinstance(policy, Policy):
        raise TypeError(f"collect: policy is a {type(policy).__name__}, expected a policy")
    origin = source("collect", env)
    if not origin.makes and (num_envs, seed) != (None, None):
        raise TypeError(
            "collect: num_envs and seed go with an id or a function, but env is already an "
            "environment"
        )
    opened = origin.open(
        num_envs=as_count("collect", "num_envs", 1 if num_envs is None else num_envs),
        seed=as_seed("collect", 0 if seed is None else seed),
        dtype=policy.dtype,
    )
    try:
        runner = collector(opened, policy)
        return runner.collect_steps(steps) if steps else runner.collect_episodes(episodes or 1)
    finally:
        if origin.makes:
            opened.close()


class Collector(Protocol):
    """A policy in an environment."""

    def collect_steps(self, steps: int) -> Rollout:
        """`steps` steps of every environment."""

    def collect_episodes(self, episodes: int, greedy: bool = False) -> Rollout:
        """Whole episodes; `greedy` takes the most probable actions."""

    def returns(self, episodes: int, greedy: bool = False) -> Returns:
        """Undiscounted returns and lengths of whole episodes."""


def collector(env: VectorEnv[Any, Any, Any], policy: Policy) -> Collector:
    """Find the collector of an environment, after checking that the policy fits it."""
    if env.closed:
        raise RuntimeError("collect: the environment is closed")
    check_policy(env, policy)
    if isinstance(env, NativeVectorEnv):
        return NativeCollector(env, policy)
    return GymnasiumCollector(env, policy)


def check_policy(env: VectorEnv[Any, Any, Any], policy: Policy) -> None:
    """Raise where a policy does not fit an environment."""
    size = getattr(policy, "observation_size", None)
    if not isinstance(size, int):
        raise TypeError(
            f"collect: policy is a {type(policy).__name__}, expected a policy that takes vectors"
        )
    if type(getattr(policy, "_kernel", None)).__module__ == _core.__name__:
        for name in ("sample", "mode", "log_prob"):
            if not getattr(type(policy), name).__module__.startswith("pgfast."):
                raise TypeError(
                    f"collect: {type(policy).__name__} has a {name} of its own, but rollouts run "
                    "the kernel, which would not call it; expected a policy of pgfast's"
                )
    observation_map("collect", env.single_observation_space, size=size)
    action_map("collect", env.single_action_space, policy)
    if isinstance(env, NativeVectorEnv) and env.dtype != policy.dtype:
        raise TypeError(
            f"collect: the policy has dtype {policy.dtype}, expected {env.dtype}, the environment's"
        )


class NativeCollector:
    """Runs a block of environments × steps × policy inside C++."""

    def __init__(self, env: NativeVectorEnv, policy: Policy) -> None:
        self._env, self._policy = env, policy

    def collect_steps(self, steps: int) -> Rollout:
        """`steps` steps of every environment."""
        policy = self._policy
        arrays = _core.collect_steps(
            self._env._core, policy._kernel, policy.theta, steps, policy.seed, policy.draws
        )
        self._env._begun = True
        policy.draws += steps
        return Rollout(*arrays)

    def collect_episodes(
        self, episodes: int, greedy: bool = False, states: FloatArray | None = None
    ) -> Rollout:
        """Whole episodes; `states` (episodes, S) are those that they begin in."""
        policy = self._policy
        arrays = _core.collect_episodes(
            self._env._core,
            policy._kernel,
            policy.theta,
            episodes,
            greedy,
            states,
            policy.seed,
            policy.draws,
        )
        rollout = Rollout(*arrays)
        self._env._begun = False  # all wait for a reset
        if not greedy:
            policy.draws += rollout.rewards.shape[0]
        return rollout

    def returns(self, episodes: int, greedy: bool = False) -> Returns:
        """Undiscounted returns and lengths of the whole episodes that would be collected."""
        policy = self._policy
        returns, lengths = _core.episode_returns(
            self._env._core,
            policy._kernel,
            policy.theta,
            episodes,
            greedy,
            policy.seed,
            policy.draws,
        )
        self._env._begun = False
        if not greedy:
            policy.draws += int(lengths.max())
        return returns, lengths


def collect_groups(
    env: VectorEnv[Any, Any, Any], policy: Policy, groups: int, group_size: int
) -> Rollout:
    """Whole episodes in groups that begin in the same state.

    Columns i · group_size, ..., (i + 1) · group_size − 1 begin in one state, drawn as the
    environment's resets draw them. Each episode then has its own random numbers.

    Parameters:
        env: a native environment, whose state can be copied.
        policy: which fits it.
        groups: how many start states, ≥ 1.
        group_size: episodes from each, ≥ 1.

    Returns:
        Rollout of groups · group_size columns.

    Raises:
        TypeError: an environment that is not native; a policy that does not fit.
    """
    if not isinstance(env, NativeVectorEnv):
        raise TypeError(
            f"collect_groups: env is a {type(env).__name__}, expected a native environment: it "
            "must begin episodes in a given state"
        )
    runner = collector(env, policy)
    assert isinstance(runner, NativeCollector)
    starts: list[npt.NDArray[Any]] = []
    while sum(map(len, starts)) < groups:
        env.reset()
        starts.append(env.get_state()["state"])
    states = np.repeat(np.concatenate(starts)[:groups], group_size, axis=0)
    return runner.collect_episodes(groups * group_size, states=states)
