"""Rollouts: what a policy did in an environment."""

from __future__ import annotations

from dataclasses import dataclass

from pgfast._typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Rollout:
    """A batch of experience, time-major: T steps of N columns.

    A column is an environment, or an episode where whole ones were asked for. Rewards are the
    environment's own, in the policy's dtype.
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
