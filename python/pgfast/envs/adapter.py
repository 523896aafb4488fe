"""Any Gymnasium vector environment, stepped through Python into a rollout.

A native environment stepped this way gives the same `steps` as C++, bit for bit, under SAME_STEP
and DISABLED. Under NEXT_STEP the rows that only reset count as draws of the policy, and with more
than one round of whole episodes Gymnasium resets environments once more than C++ does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode, VectorEnv

from pgfast._typing import BoolArray, FloatArray, IntArray
from pgfast.policy import Policy
from pgfast.rollout import Rollout


@dataclass
class _Position:
    """Where a Gymnasium environment stands between two calls of `collect`."""

    observations: npt.NDArray[Any] | None = None
    resetting: BoolArray | None = None  # NEXT_STEP: the next step only resets


_positions: WeakKeyDictionary[VectorEnv[Any, Any, Any], _Position] = WeakKeyDictionary()


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
