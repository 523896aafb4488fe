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
from pgfast.envs.actions import action_map
from pgfast.envs.envpool import hides_falls
from pgfast.envs.failure import env_error
from pgfast.envs.observations import observation_map
from pgfast.envs.rows import Rows, side_by_side
from pgfast.policy import Policy
from pgfast.rollout import Rollout

Returns = tuple[npt.NDArray[np.float64], IntArray]
"""The undiscounted returns of episodes and their lengths, (episodes,) each."""


@dataclass
class _Position:
    """Where a Gymnasium environment stands between two calls of `collect`."""

    observations: Any = None
    """A batch of the environment's own; None where it waits for a reset."""
    resetting: BoolArray | None = None
    """(N,): NEXT_STEP's next step only resets."""
    elapsed: IntArray | None = None
    """(N,): steps of each running episode."""


_positions: WeakKeyDictionary[VectorEnv[Any, Any, Any], _Position] = WeakKeyDictionary()


def begin_anew(env: VectorEnv[Any, Any, Any]) -> None:
    """Have the next collect begin with a reset: others may have used the environment."""
    _positions.pop(env, None)


class GymnasiumCollector:
    """Steps any Gymnasium VectorEnv through Python.

    The policy must fit the environment. A step in which the environment raises is an EnvError, and
    the next collect begins with a reset.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any], policy: Policy) -> None:
        self._env, self._policy = env, policy
        mode = env.metadata.get("autoreset_mode")
        if not isinstance(mode, AutoresetMode):
            raise TypeError(
                f"collect: env.metadata['autoreset_mode'] is {mode!r}, expected a "
                "gymnasium.vector.AutoresetMode"
            )
        self._mode = mode
        size = getattr(policy, "observation_size", None)
        self._vectors = observation_map("collect", env.single_observation_space, size=size)
        self._env_actions = action_map("collect", env.single_action_space, policy)
        self._hides_falls = hides_falls(env)
        self._at = _positions.setdefault(env, _Position())

    def collect_steps(self, steps: int) -> Rollout:
        """`steps` steps of every environment.

        Under NEXT_STEP the step that resets is no step of an episode: its row is not valid.
        """
        if self._at.observations is None:
            self._reset()
        observations = self._observations()
        elapsed = np.array(self._at.elapsed)
        rows = Rows(self._policy)
        for _ in range(steps):
            active = ~np.asarray(self._at.resetting)
            actions = self._act(observations, self._policy.draws)
            self._policy.draws += 1
            before = observations
            observations, rewards, terminated, truncated, finals = self._step(actions)
            rows.add(before, actions, rewards, terminated, truncated, active, finals)
        return rows.rollout(observations, elapsed=elapsed, before_limit=self._hides_falls)

    def collect_episodes(self, episodes: int, greedy: bool = False) -> Rollout:
        """Whole episodes, in rounds of one episode per environment."""
        num_envs = self._env.num_envs
        columns = [
            self._round(first, min(num_envs, episodes - first), greedy)
            for first in range(0, episodes, num_envs)
        ]
        self._at.observations = None  # the next collect begins with a reset
        rollout = side_by_side(columns)
        if not greedy:
            self._policy.draws += rollout.rewards.shape[0]
        return rollout

    def returns(self, episodes: int, greedy: bool = False) -> Returns:
        """Undiscounted returns and lengths of whole episodes."""
        batch = self.collect_episodes(episodes, greedy)
        happened = np.ones(batch.rewards.shape, np.bool_) if batch.valid is None else batch.valid
        return batch.rewards.sum(axis=0, dtype=np.float64), happened.sum(axis=0, dtype=np.int64)

    def _round(self, first: int, count: int, greedy: bool) -> Rollout:
        """One episode of each of the first `count` environments: columns `first`..."""
        self._reset()
        observations = self._observations()
        rows = Rows(self._policy)
        running = np.arange(self._env.num_envs) < count
        t = 0
        while running.any():
            actions = self._act(observations, self._policy.draws + t, first, greedy)
            before = observations
            observations, rewards, terminated, truncated, finals = self._step(actions)
            rows.add(before, actions, rewards, terminated, truncated, running, finals)
            running = running & ~(terminated | truncated)
            t += 1
        return rows.rollout(None, columns=count)

    def _observations(self) -> FloatArray:
        return self._rows(self._at.observations)

    def _act(
        self, observations: FloatArray, index: int, first_stream: int = 0, greedy: bool = False
    ) -> npt.NDArray[Any]:
        policy = self._policy
        if greedy:
            return policy.mode(observations)
        return policy._kernel.sample(
            policy.theta, observations, None, policy.seed, first_stream, index
        )

    def _reset(self) -> None:
        self._at.observations, _ = self._call("reset", self._env.reset)
        self._at.resetting = np.zeros(self._env.num_envs, np.bool_)
        self._at.elapsed = np.zeros(self._env.num_envs, np.int64)

    def _step(
        self, actions: npt.NDArray[Any]
    ) -> tuple[FloatArray, npt.NDArray[np.float64], BoolArray, BoolArray, FloatArray]:
        """One step, and the reset after it.

        Returns:
            The observations to act on next, rewards, terminated, truncated, and the observations of
            the step itself: final ones in the rows where an episode ended.
        """
        env_actions = self._env_actions(actions)
        observations, rewards, terminated, truncated, infos = self._call(
            "step", self._env.step, env_actions
        )
        terminated = self._each("terminated", terminated, np.bool_)
        truncated = self._each("truncated", truncated, np.bool_)
        rewards = self._each("rewards", rewards, np.float64)
        done = terminated | truncated
        elapsed = np.asarray(self._at.elapsed) + ~np.asarray(self._at.resetting)
        self._at.elapsed = np.where(done, 0, elapsed)
        dtype = self._policy.dtype
        vectors = self._rows(observations)
        finals = vectors
        if self._mode is AutoresetMode.SAME_STEP:
            if done.any() and "final_obs" not in infos:
                raise ValueError(
                    "collect: env.step gave infos without 'final_obs' where an episode ended, "
                    "expected it under AutoresetMode.SAME_STEP; check_vector_env(env) tells more"
                )
            finals = vectors.copy()
            for i in np.flatnonzero(done):
                finals[i] = self._vectors.one(infos["final_obs"][i], dtype)
        elif self._mode is AutoresetMode.NEXT_STEP:
            self._at.resetting = done
        elif done.any():
            mask = {"reset_mask": done.copy()}
            observations, _ = self._call("reset", self._env.reset, options=mask)
            vectors = self._rows(observations)
        self._at.observations = observations
        return vectors, rewards, terminated, truncated, finals

    def _each(self, name: str, values: Any, dtype: Any) -> npt.NDArray[Any]:
        """A number of every environment; a copy."""
        array = np.array(values, dtype)
        if array.shape != (self._env.num_envs,):
            raise ValueError(
                f"collect: env.step gave {name} of shape {array.shape}, expected "
                f"({self._env.num_envs},); check_vector_env(env) tells more"
            )
        return array

    def _rows(self, observations: Any) -> FloatArray:
        """Observations as the policy sees them."""
        rows = self._vectors(observations, self._policy.dtype)
        if len(rows) != self._env.num_envs:
            raise ValueError(
                f"collect: env gave {len(rows)} observations, expected {self._env.num_envs}; "
                "check_vector_env(env) tells more"
            )
        return rows

    def _call(self, call: str, function: Any, *arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except Exception as error:
            self._at.observations = None  # the next collect begins with a reset
            at = self._at
            raise env_error("collect", call, error, at.elapsed, at.resetting) from error
