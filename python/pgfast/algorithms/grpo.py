"""Group-relative policy optimization: a trajectory is judged beside others from the same state."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pgfast import _core
from pgfast._typing import FloatArray
from pgfast.algorithms.algorithm import Algorithm, Learner, Stats
from pgfast.optimizers import Adam
from pgfast.policy import Policy
from pgfast.returns import episode_return
from pgfast.rollout import Rollout

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv


@dataclass(frozen=True, kw_only=True)
class GRPO(Algorithm):
    """Group-relative policy optimization, without a critic.

        repeat
            for each of `groups` start states: collect `group_size` episodes from it with π_θ
            A_i ← (R_i − mean R of the group) / std R of the group, on every step of episode i
            repeat `epochs` times, for each minibatch of the steps in random order
                θ ← Adam up the gradient of the minibatch's mean of
                    min(ρ A, clip(ρ, 1 − ε, 1 + ε) A) + c_H H − β KL(π_θ ‖ prior)

    R is the discounted return of the whole episode. With episodes of one step, one pass over the
    batch and no division by std it is REINFORCE with the group's mean as baseline.

    The environment must take a start state in `reset(options={"state": ...})`, as native ones do.

    Source: Shao et al. 2024, section 4.1, with the exact KL in place of its estimate.
    """

    groups: int = 8
    """Start states of one update."""
    group_size: int = 16
    """Episodes from each, at least 2."""
    divide_by_std: bool = True
    """A in units of the group's standard deviation; a group without one gives A = 0 anyway."""
    epochs: int = 4
    """Passes over the batch."""
    batch_size: int | None = 256
    """Steps of a minibatch; None: the whole batch."""
    clip: float | None = 0.2
    """ε > 0; None: no clipping."""
    learning_rate: float = 1e-3
    """Adam's α > 0."""
    entropy: float = 0.0
    """c_H ≥ 0."""
    prior_kl: float = 0.0
    """β ≥ 0, where a prior is given."""
    max_gradient_norm: float | None = 0.5
    """Longer gradients are shortened to it; None: not."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_counts("groups", "group_size", "epochs")
        if self.group_size < 2:
            self._fail("group_size", self.group_size, "at least 2: alone, every advantage is 0")
        if self.batch_size is not None:
            self._check_counts("batch_size")
        for name in ("clip", "max_gradient_norm"):
            if getattr(self, name) is not None:
                self._check_positive(name)
        self._check_positive("learning_rate")
        self._check_not_negative("entropy", "prior_kl")

    def collect(self, env: VectorEnv[Any, Any, Any], policy: Policy) -> Rollout:
        """Groups of whole episodes: columns i · group_size, ... begin in the state of group i."""
        from pgfast.envs.collect import collect_groups

        return collect_groups(env, policy, self.groups, self.group_size)

    def advantages(self, batch: Rollout) -> FloatArray:
        """A on every step (T, N), 0 where no step happened."""
        columns = self.groups * self.group_size
        if batch.rewards.shape[1] != columns:
            raise ValueError(
                f"GRPO: the batch has {batch.rewards.shape[1]} episodes, expected {columns}: "
                f"{self.groups} groups of {self.group_size}"
            )
        returns = episode_return(
            batch.rewards, batch.terminated, batch.truncated, gamma=self.gamma, valid=batch.valid
        )
        first = returns[0].astype(np.float64).reshape(self.groups, self.group_size)
        centred = first - first.mean(axis=1, keepdims=True)
        if self.divide_by_std:
            std = first.std(axis=1, keepdims=True)
            rounding = np.finfo(returns.dtype).eps * np.abs(first).max(axis=1, keepdims=True)
            centred = np.where(std > rounding, centred / np.where(std > 0, std, 1), 0.0)
        advantages = np.broadcast_to(centred.ravel().astype(returns.dtype), returns.shape)
        return advantages if batch.valid is None else np.where(batch.valid, advantages, 0)

    def learner(self, policy: Policy, prior: Policy | None = None) -> GRPOLearner:
        """Make what learns, for this policy."""
        return GRPOLearner(self, policy, prior)


class GRPOLearner(Learner):
    """Climbs the clipped surrogate of group-relative advantages in minibatches."""

    def __init__(self, algorithm: GRPO, policy: Policy, prior: Policy | None = None) -> None:
        algorithm._check_prior(prior, policy)
        self.algorithm = algorithm
        self.policy = policy
        self.prior = None if prior is None else prior.copy()
        self.optimizer = Adam(algorithm.learning_rate)
        self.updates = 0

    def update(self, batch: Rollout, progress: float = 0.0) -> Stats:
        """Advantages, then the minibatches."""
        settings, policy = self.algorithm, self.policy
        weighting = "ratio" if settings.clip is None else "clipped"
        advantages = settings.advantages(batch)
        stats: Stats = _core.climb_minibatches(
            policy._kernel,
            adam=self.optimizer.arguments(policy.theta),
            observations=batch.observations,
            actions=batch.actions,
            masks=batch.masks,
            log_probs=batch.log_probs,
            advantages=np.ascontiguousarray(advantages, policy.dtype),
            valid=batch.valid,
            surrogate=(weighting, settings.clip or 0.0, settings.entropy, 0.0, settings.prior_kl),
            reference=None if self.prior is None else (self.prior._kernel, self.prior.theta),
            value=None,
            epochs=settings.epochs,
            batch_size=settings.batch_size or batch.rewards.size,
            max_gradient_norm=settings.max_gradient_norm or math.inf,
            target_kl=math.inf,
            seed=policy.seed,
            stream=self.updates % 2**32,
        )
        self.optimizer.count += int(stats["minibatches"])
        self.updates += 1
        return stats
