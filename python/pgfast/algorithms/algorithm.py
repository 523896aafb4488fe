"""What every algorithm is: frozen settings, and a learner that holds what changes."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pgfast._typing import FloatArray, as_count, as_number
from pgfast.policy import Policy
from pgfast.rollout import Rollout

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv

Stats = dict[str, float]
"""Numbers of one update by name. A number that is not finite stops the training."""


class Learner(ABC):
    """Changes a policy from batches of experience."""

    def forget(self) -> None:  # noqa: B027  most learners have nothing to forget
        """Give up what is remembered of episodes under way: the environments were reset.

        Most learners remember nothing of them.
        """

    @abstractmethod
    def update(self, batch: Rollout, progress: float = 0.0) -> Stats:
        """Learn from one batch: change the policy's θ in place.

        `progress` is the share of the training that is over, in [0, 1], for what has a schedule.
        """


@dataclass(frozen=True, kw_only=True)
class Algorithm(ABC):
    """Settings that all algorithms share."""

    gamma: float = 0.99
    """Discount γ in [0, 1]."""
    discount_states: bool = False
    """Weight the advantage of step t of an episode by γᵗ, as the gradient of the discounted
    objective has it; left out as is usual, late steps count as much as early ones. What weights by
    the return of the whole episode (PolicyGradient, GRPO) has these powers of γ already."""

    def __post_init__(self) -> None:
        if not 0 <= as_number(self._name, "gamma", self.gamma, "a number in [0, 1]") <= 1:
            self._fail("gamma", self.gamma, "a number in [0, 1]")

    @abstractmethod
    def collect(self, env: VectorEnv[Any, Any, Any], policy: Policy) -> Rollout:
        """Collect the batch of one update."""

    @abstractmethod
    def learner(self, policy: Policy, prior: Policy | None = None) -> Learner:
        """Make what learns, for this policy; `prior` is what it is held near, where it is."""

    def discounted(self, weights: FloatArray, batch: Rollout) -> FloatArray:
        """The weights (T, N), with γᵗ where `discount_states` asks for it."""
        if not self.discount_states:
            return weights
        with np.errstate(under="ignore"):
            return weights * (self.gamma**batch.time).astype(weights.dtype)

    @property
    def _name(self) -> str:
        return type(self).__name__

    def _fail(self, name: str, value: object, expected: str) -> None:
        raise ValueError(f"{self._name}: {name} is {value!r}, expected {expected}")

    def _check_positive(self, *names: str) -> None:
        expected = "a finite number > 0"
        for name in names:
            value = getattr(self, name)
            if not 0 < as_number(self._name, name, value, expected) < math.inf:
                self._fail(name, value, expected)

    def _check_not_negative(self, *names: str) -> None:
        expected = "a finite number >= 0"
        for name in names:
            value = getattr(self, name)
            if not 0 <= as_number(self._name, name, value, expected) < math.inf:
                self._fail(name, value, expected)

    def _check_unit_interval(self, *names: str) -> None:
        for name in names:
            value = getattr(self, name)
            if not 0 <= as_number(self._name, name, value, "a number in [0, 1]") <= 1:
                self._fail(name, value, "a number in [0, 1]")

    def _check_counts(self, *names: str) -> None:
        for name in names:
            as_count(self._name, name, getattr(self, name))

    def _check_prior(self, prior: Policy | None, policy: Policy) -> None:
        if prior is None:
            return
        if type(prior) is not type(policy):
            raise TypeError(
                f"{self._name}: prior is a {type(prior).__name__}, expected a "
                f"{type(policy).__name__}"
            )
        if prior.dtype != policy.dtype:
            raise TypeError(f"{self._name}: prior has dtype {prior.dtype}, expected {policy.dtype}")

    def _refuse_prior(self, prior: Policy | None) -> None:
        if prior is not None:
            raise ValueError(
                f"{self._name}: prior is a {type(prior).__name__}, expected None: this algorithm "
                "has no penalty toward one (A2C, PPO and GRPO have)"
            )


@dataclass(frozen=True, kw_only=True)
class EpisodicAlgorithm(Algorithm):
    """What learns from whole episodes, each step's score weighted by what it was worth."""

    episodes: int = 64
    """K: whole trajectories of one update. 1 is stochastic gradient ascent."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_counts("episodes")

    def collect(self, env: VectorEnv[Any, Any, Any], policy: Policy) -> Rollout:
        """K whole episodes."""
        from pgfast.envs.collect import collect

        return collect(env, policy, episodes=self.episodes)

    @abstractmethod
    def weights(self, batch: Rollout, policy: Policy | None = None) -> FloatArray:
        """Weight of each step's score (T, N): what the algorithm takes for the action's worth.

        `policy` is the one that acted; some baselines read its scores.
        """

    def gradient(self, policy: Policy, batch: Rollout) -> FloatArray:
        """Estimate ∇J: 1/K Σₖ Σₜ wₜₖ ∇ log π(aₜₖ|sₜₖ)."""
        weights = self.weights(batch, policy)
        score = policy.score(batch.observations, batch.actions, weights, masks=batch.masks)
        return score / score.dtype.type(batch.rewards.shape[1])
