"""Rollouts: what a policy did in an environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pgfast._typing import BoolArray, FloatArray


@dataclass(frozen=True)
class Rollout:
    """A batch of experience, time-major: T steps of N columns.

    A column is an environment, or an episode where whole ones were asked for. Rewards are the
    environment's own, in the policy's dtype.
    """

    observations: FloatArray
    """(T, N, D): what the policy saw before each step."""
    actions: npt.NDArray[Any]
    """(T, N) int64, or (T, N, A): the policy's own, before what the environment makes of them."""
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
    elapsed: npt.NDArray[np.int64] | None = None
    """(N,): steps that each column's episode had made before the first row; None: none."""
    masks: BoolArray | None = None
    """(T, N, A): which actions were allowed, one at least in every row, also where no step
    happened; None: all."""

    @property
    def steps(self) -> int:
        """How many steps happened."""
        return int(self.rewards.size if self.valid is None else self.valid.sum())

    @property
    def episodes(self) -> int:
        """How many episodes ended."""
        return int((self.terminated | self.truncated).sum())

    @property
    def time(self) -> npt.NDArray[np.int64]:
        """(T, N): steps that the row's episode had made before it."""
        before = np.zeros(self.rewards.shape[1], np.int64) if self.elapsed is None else self.elapsed
        time = np.empty(self.rewards.shape, np.int64)
        for t, ends in enumerate(self.terminated | self.truncated):
            time[t] = before
            happened = True if self.valid is None else self.valid[t]
            before = np.where(ends, 0, before + happened)
        return time

    def only_happened(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The rows of an array (T, N, ...) whose steps happened, (steps, ...)."""
        if self.valid is None:
            return array.reshape(-1, *array.shape[2:])
        return array[self.valid]

    def happened(self, *names: str) -> list[Any]:
        """Fields by name, with the steps that happened alone; None stays None."""
        fields = [getattr(self, name) for name in names]
        return [None if field is None else self.only_happened(field) for field in fields]

    @property
    def valid_observations(self) -> FloatArray:
        """The observations of the steps that happened, (steps, D)."""
        return self.only_happened(self.observations)

    @property
    def valid_masks(self) -> BoolArray | None:
        """The masks of the steps that happened, (steps, A), or None."""
        return None if self.masks is None else self.only_happened(self.masks)
