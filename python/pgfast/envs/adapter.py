"""How a policy is run in an environment: natively in C++, or step by step over Gymnasium.

A native environment stepped through its Gymnasium face gives the same `steps`, bit for bit, under
SAME_STEP and DISABLED. Under NEXT_STEP the rows that only reset count as draws of the policy, and
with more than one round of whole episodes Gymnasium resets environments once more than C++ does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode, VectorEnv

from pgfast._typing import BoolArray, FloatArray, IntArray
from pgfast.envs.vector_env import NativeVectorEnv
from pgfast.policy import Policy, SoftmaxPolicy
from pgfast.rollout import Rollout


class Collector(Protocol):
    """What `collect` asks of an environment."""

    def collect_steps(self, policy: Policy, steps: int) -> Rollout:
        """`steps` steps of every environment."""

    def collect_episodes(self, policy: Policy, episodes: int, greedy: bool = False) -> Rollout:
        """Whole episodes; `greedy` takes the most probable actions."""


@dataclass
class _Position:
    """Where a Gymnasium environment stands between two calls of `collect`."""

    observations: npt.NDArray[Any] | None = None
    resetting: BoolArray | None = None  # NEXT_STEP: the next step only resets


_positions: WeakKeyDictionary[VectorEnv[Any, Any, Any], _Position] = WeakKeyDictionary()


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
        arrays = self._env._core.collect_steps(
            policy._kernel, policy.theta, steps, policy.seed, policy.draws
        )
        return self._rollout(policy, arrays)

    def collect_episodes(self, policy: Policy, episodes: int, greedy: bool = False) -> Rollout:
        """Whole episodes."""
        assert isinstance(policy, SoftmaxPolicy)
        arrays = self._env._core.collect_episodes(
            policy._kernel, policy.theta, episodes, greedy, policy.seed, policy.draws
        )
        return self._rollout(policy, arrays, greedy)

    def _rollout(self, policy: Policy, arrays: Any, greedy: bool = False) -> Rollout:
        self._env._begun = True
        rollout = Rollout(*arrays)
        if not greedy:
            policy.draws += rollout.rewards.shape[0]
        return rollout


class GymnasiumCollector:
    """Steps any Gymnasium VectorEnv through Python."""

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        self._env = env
        mode = env.metadata.get("autoreset_mode")
        if not isinstance(mode, AutoresetMode):
            raise TypeError(
                f"collect: env.metadata['autoreset_mode'] is {mode!r}, expected a "
                "gymnasium.vector.AutoresetMode"
            )
        self._mode = mode
        self._at = _positions.setdefault(env, _Position())

    def collect_steps(self, policy: Policy, steps: int) -> Rollout:
        """`steps` steps of every environment.

        Under NEXT_STEP the step that resets is no step of an episode: its row is not valid.
        """
        if self._at.observations is None:
            self._reset()
        rows = _Rows(policy)
        for _ in range(steps):
            active = ~np.asarray(self._at.resetting)
            observations, actions = self._act(policy, policy.draws)
            policy.draws += 1
            rewards, terminated, truncated, finals = self._step(actions)
            rows.add(observations, actions, rewards, terminated, truncated, active, finals)
        return rows.rollout(self._policy_observations(policy))

    def collect_episodes(self, policy: Policy, episodes: int, greedy: bool = False) -> Rollout:
        """Whole episodes, in rounds of one episode per environment."""
        num_envs = self._env.num_envs
        columns = [
            self._round(policy, first, min(num_envs, episodes - first), greedy)
            for first in range(0, episodes, num_envs)
        ]
        self._at.observations = None  # the next collect begins with a reset
        rollout = _side_by_side(columns)
        if not greedy:
            policy.draws += rollout.rewards.shape[0]
        return rollout

    def _round(self, policy: Policy, first: int, count: int, greedy: bool) -> Rollout:
        """One episode of each of the first `count` environments: columns `first`..."""
        self._reset()
        rows = _Rows(policy)
        running = np.arange(self._env.num_envs) < count
        t = 0
        while running.any():
            observations, actions = self._act(policy, policy.draws + t, first, greedy)
            rewards, terminated, truncated, finals = self._step(actions)
            rows.add(observations, actions, rewards, terminated, truncated, running, finals)
            running = running & ~(terminated | truncated)
            t += 1
        return rows.rollout(None, columns=count)

    def _reset(self) -> None:
        self._at.observations, _ = self._env.reset()
        self._at.resetting = np.zeros(self._env.num_envs, np.bool_)

    def _policy_observations(self, policy: Policy) -> FloatArray:
        # A copy: the environment may write its next observations into the same memory.
        return np.array(self._at.observations, dtype=policy.dtype, order="C")

    def _act(
        self, policy: Policy, index: int, first_stream: int = 0, greedy: bool = False
    ) -> tuple[FloatArray, IntArray]:
        observations = self._policy_observations(policy)
        if greedy:
            return observations, policy.mode(observations)
        return observations, policy._kernel.sample(
            policy.theta, observations, policy.seed, first_stream, index
        )

    def _step(
        self, actions: IntArray
    ) -> tuple[npt.NDArray[np.float64], BoolArray, BoolArray, npt.NDArray[Any]]:
        """One step; the last array holds the final observations in the rows where one ended."""
        start = getattr(self._env.single_action_space, "start", 0)
        observations, rewards, terminated, truncated, infos = self._env.step(actions + start)
        terminated = np.array(terminated, np.bool_)
        truncated = np.array(truncated, np.bool_)
        done = terminated | truncated
        finals = np.array(observations)
        if self._mode is AutoresetMode.SAME_STEP:
            for i in np.flatnonzero(done):
                finals[i] = infos["final_obs"][i]
        elif self._mode is AutoresetMode.NEXT_STEP:
            self._at.resetting = done
        elif done.any():
            observations, _ = self._env.reset(options={"reset_mask": done})
        self._at.observations = observations
        return np.array(rewards, np.float64), terminated, truncated, finals


class _Rows:
    """The steps of a rollout while it grows."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._rows: list[tuple[npt.NDArray[Any], ...]] = []

    def add(
        self,
        observations: FloatArray,
        actions: IntArray,
        rewards: npt.NDArray[np.float64],
        terminated: BoolArray,
        truncated: BoolArray,
        valid: BoolArray,
        finals: npt.NDArray[Any],
    ) -> None:
        """Note one step of all environments; where not valid, nothing happened."""
        self._rows.append(
            (observations, actions, rewards, terminated & valid, truncated & valid, valid, finals)
        )

    def rollout(self, last_observations: FloatArray | None, columns: int | None = None) -> Rollout:
        """Stack the rows, keeping the first `columns`."""
        observations, actions, rewards, terminated, truncated, valid, finals = (
            np.ascontiguousarray(np.stack(part)[:, :columns])
            for part in zip(*self._rows, strict=True)
        )
        log_probs = self._policy.log_prob(observations, actions)
        for array in (observations, actions, rewards, log_probs):
            array[~valid] = 0
        dtype = self._policy.dtype
        return Rollout(
            observations=observations,
            actions=actions,
            log_probs=log_probs,
            rewards=rewards.astype(dtype),
            terminated=terminated,
            truncated=truncated,
            valid=None if last_observations is not None and valid.all() else valid,
            last_observations=last_observations,
            final_observations=finals[truncated].astype(dtype),
        )


def _side_by_side(rounds: list[Rollout]) -> Rollout:
    """One rollout with the columns of all, padded to the longest."""
    longest = max(r.rewards.shape[0] for r in rounds)

    def joined(name: str) -> npt.NDArray[Any]:
        parts = [np.asarray(getattr(r, name)) for r in rounds]
        padded = [
            np.concatenate([p, np.zeros((longest - len(p), *p.shape[1:]), p.dtype)]) for p in parts
        ]
        return np.ascontiguousarray(np.concatenate(padded, axis=1))

    truncated = joined("truncated")
    finals = np.concatenate([r.final_observations for r in rounds])
    # Each round has its final observations in time order; argwhere wants time, then column.
    offsets = np.cumsum([0, *(r.rewards.shape[1] for r in rounds)])
    places = np.concatenate(
        [
            np.argwhere(r.truncated) + np.array([0, offset])
            for r, offset in zip(rounds, offsets[:-1], strict=True)
        ]
    )
    order = np.lexsort((places[:, 1], places[:, 0]))
    return Rollout(
        observations=joined("observations"),
        actions=joined("actions"),
        log_probs=joined("log_probs"),
        rewards=joined("rewards"),
        terminated=joined("terminated"),
        truncated=truncated,
        valid=joined("valid"),
        last_observations=None,
        final_observations=finals[order],
    )
