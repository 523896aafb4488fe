"""What every algorithm is: frozen settings, and a learner that holds what changes."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

from pgfast._typing import FloatArray, as_count, as_number
from pgfast.policy import Policy
from pgfast.rollout import Rollout

Stats = dict[str, float]
"""Numbers of one update by name. A number that is not finite stops the training."""


class Learner(Protocol):
    """Changes a policy from batches of experience."""

    def update(self, batch: Rollout) -> Stats:
        """Learn from one batch: change the policy's θ in place."""


@dataclass(frozen=True, kw_only=True)
class Algorithm(ABC):
    """Settings that all algorithms share."""

    episodes: int = 64
    """K: whole trajectories of one update. 1 is stochastic gradient ascent."""
    gamma: float = 0.99
    """Discount γ in [0, 1]."""

    def __post_init__(self) -> None:
        as_count(self._name, "episodes", self.episodes)
        if not 0 <= as_number(self._name, "gamma", self.gamma, "a number in [0, 1]") <= 1:
            self._fail("gamma", self.gamma, "a number in [0, 1]")

    @abstractmethod
    def weights(self, batch: Rollout, policy: Policy | None = None) -> FloatArray:
        """Weight of each step's score (T, N): what the algorithm takes for the action's worth.

        `policy` is the one that acted, for weights that read more of it than the batch tells.
        """

    @abstractmethod
    def learner(self, policy: Policy) -> Learner:
        """Make what learns, for this policy."""

    def gradient(self, policy: Policy, batch: Rollout) -> FloatArray:
        """Estimate ∇J: 1/K Σₖ Σₜ wₜₖ ∇ log π(aₜₖ|sₜₖ)."""
        score = policy.score(batch.observations, batch.actions, self.weights(batch, policy))
        return score / score.dtype.type(batch.rewards.shape[1])

    @property
    def _name(self) -> str:
        return type(self).__name__

    def _fail(self, name: str, value: object, expected: str) -> None:
        raise ValueError(f"{self._name}: {name} is {value!r}, expected {expected}")

    def _check_positive(self, name: str, value: float) -> None:
        if not 0 < as_number(self._name, name, value, "a finite number > 0") < math.inf:
            self._fail(name, value, "a finite number > 0")
