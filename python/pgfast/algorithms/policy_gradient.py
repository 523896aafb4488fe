"""The policy gradient as it is first derived: every step is weighted by the whole return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pgfast._typing import FloatArray
from pgfast.algorithms.algorithm import EpisodicAlgorithm, Learner, Stats
from pgfast.optimizers import SGD, Adam, Optimizer
from pgfast.policy import Policy
from pgfast.returns import episode_return
from pgfast.rollout import Rollout


@dataclass(frozen=True, kw_only=True)
class PolicyGradient(EpisodicAlgorithm):
    """Naive policy gradient.

        repeat
            collect K trajectories with π_θ
            g ← 1/K Σₖ Σₜ ∇ log π(aₜₖ|sₜₖ) · R(τₖ)
            θ ← θ + α g

    R(τ) = Σₜ γᵗ rₜ, rewards from before an action included: unbiased, and of high variance.

    Source: Williams 1992; Peters & Schaal 2008, eq. 9 without baseline.
    """

    learning_rate: float = 0.01
    """α > 0."""
    optimizer: Literal["adam", "sgd"] = "adam"
    """How g becomes a step."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_positive("learning_rate")
        if self.optimizer not in ("adam", "sgd"):
            self._fail("optimizer", self.optimizer, "'adam' or 'sgd'")

    def weights(self, batch: Rollout, policy: Policy | None = None) -> FloatArray:
        """R(τ) on every step of τ."""
        returns = episode_return(
            batch.rewards, batch.terminated, batch.truncated, gamma=self.gamma, valid=batch.valid
        )
        return (
            returns
            if batch.valid is None
            else np.where(batch.valid, returns, returns.dtype.type(0))
        )

    def learner(self, policy: Policy, prior: Policy | None = None) -> GradientLearner:
        """Make what learns, for this policy."""
        self._refuse_prior(prior)
        return GradientLearner(self, policy)


class GradientLearner(Learner):
    """Climbs the estimated gradient with an optimizer."""

    def __init__(self, algorithm: PolicyGradient, policy: Policy) -> None:
        self.algorithm = algorithm
        self.policy = policy
        make = {"adam": Adam, "sgd": SGD}[algorithm.optimizer]
        self.optimizer: Optimizer = make(algorithm.learning_rate)

    def update(self, batch: Rollout, progress: float = 0.0) -> Stats:
        """θ ← θ + α g."""
        gradient = self.algorithm.gradient(self.policy, batch)
        norm = float(np.linalg.norm(gradient))
        if np.isfinite(norm):  # else the optimizer's moments would be spoiled, too
            self.optimizer.ascend(self.policy.theta, gradient)
        return {"gradient_norm": norm}
