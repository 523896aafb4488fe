"""Advantage actor-critic: a step of the policy and one of the value function after every few."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pgfast import _core
from pgfast.algorithms.algorithm import Algorithm, Learner, Stats
from pgfast.algorithms.critic import Critic, gae_of, values_of
from pgfast.explained_variance import explained_variance
from pgfast.network_policy import NetworkPolicy
from pgfast.normalization import RewardNormalizer, normalize_advantages
from pgfast.optimizers import Adam
from pgfast.policy import Policy
from pgfast.rollout import Rollout

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv


@dataclass(frozen=True, kw_only=True)
class A2C(Algorithm):
    """Advantage actor-critic.

        repeat
            collect T steps of every environment with π_θ
            A ← GAE(λ),  y ← A + V_φ
            θ ← Adam up the gradient of   1/n Σ_b A_b log π_θ(a_b|s_b) + c_H H(π_θ(·|s_b))
            φ ← Adam down the gradient of 1/n Σ_b (V_φ(s_b) − y_b)² / 2

    λ = 1 is the n-step return of Mnih et al., n being what is left of the T steps.

    Source: Mnih et al. 2016, algorithm S3, run in step with each other; Schulman et al. 2016.
    """

    steps: int = 16
    """T: steps of every environment for one update."""
    lam: float = 0.95
    """GAE's λ in [0, 1]."""
    learning_rate: float = 1e-3
    """Of the policy, > 0."""
    schedule: Literal["constant", "linear"] = "constant"
    """Of both learning rates; linear: falling to 0 at the end of the training."""
    entropy: float = 0.0
    """c_H ≥ 0."""
    prior_kl: float = 0.0
    """Penalty c ≥ 0 on the mean KL(π_θ ‖ prior), where a prior is given."""
    max_gradient_norm: float | None = 0.5
    """Longer gradients are shortened to it; None: not. Policy and value function each."""
    normalize_advantages: bool = False
    """Give the advantages of a batch mean 0 and standard deviation 1."""
    normalize_rewards: bool = False
    """See rewards in units of the running standard deviation of the discounted return."""
    critic: Critic = field(default_factory=lambda: Critic(hidden=(64, 64)))
    """The value function. Its epochs and batch size are the policy's."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_counts("steps")
        self._check_unit_interval("lam")
        self._check_positive("learning_rate")
        if self.schedule not in ("constant", "linear"):
            self._fail("schedule", self.schedule, "'constant' or 'linear'")
        self._check_not_negative("entropy", "prior_kl")
        if self.max_gradient_norm is not None:
            self._check_positive("max_gradient_norm")
        if not isinstance(self.critic, Critic):
            raise TypeError(
                f"{self._name}: critic is a {type(self.critic).__name__}, expected a Critic"
            )

    def collect(self, env: VectorEnv[Any, Any, Any], policy: Policy) -> Rollout:
        """T steps of every environment."""
        from pgfast.envs.collect import collect

        return collect(env, policy, steps=self.steps)

    def learner(self, policy: Policy, prior: Policy | None = None) -> ActorCriticLearner:
        """Make what learns, for this policy."""
        return ActorCriticLearner(self, policy, prior)


class ActorCriticLearner(Learner):
    """Climbs a surrogate of the return in minibatches, the value function beside it.

    A2C's surrogate is the policy gradient itself, in one minibatch; PPO (ppo.py) has another one
    and goes over the batch several times. The loop runs in C++ (minibatch.hpp).
    """

    def __init__(self, algorithm: A2C, policy: Policy, prior: Policy | None = None) -> None:
        algorithm._check_prior(prior, policy)
        self.algorithm = algorithm
        self.policy = policy
        self.prior = None if prior is None else prior.copy()
        self.value = algorithm.critic.value_function(policy)
        self.rewards: RewardNormalizer | None = None
        if algorithm.normalize_rewards and isinstance(policy, NetworkPolicy):
            known = policy.reward_normalizer
            if known is None or known.gamma != algorithm.gamma:  # else it goes on
                policy.reward_normalizer = RewardNormalizer(gamma=algorithm.gamma)
            self.rewards = policy.reward_normalizer
            self.forget()  # episodes that an earlier learner saw begin
        self.optimizer = Adam(algorithm.learning_rate)
        self.value_optimizer = Adam(algorithm.critic.learning_rate)
        self.updates = 0

    def surrogate(self) -> tuple[str, float, float, float, float]:
        """Weighting, clip, and the coefficients of entropy, KL(π_old ‖ π) and KL(π ‖ prior)."""
        return "log_prob", 0.0, self.algorithm.entropy, 0.0, self.algorithm.prior_kl

    def minibatches(self) -> tuple[int, int | None, float, float | None]:
        """Epochs, minibatch size (None: the batch), limit of the KL, and clip of V (None: none)."""
        return 1, None, math.inf, None

    def forget(self) -> None:
        """Give up the discounted sums of episodes under way."""
        if self.rewards is not None:
            self.rewards.running = np.zeros(0)

    def update(self, batch: Rollout, progress: float = 0.0) -> Stats:
        """Advantages, then the minibatches."""
        settings, policy, value = self.algorithm, self.policy, self.value
        value.refresh()
        # Rewards that are not finite are left, to come out in the numbers of the update.
        if self.rewards is not None and np.isfinite(batch.rewards).all():
            self.rewards.update(batch.rewards, batch.terminated, batch.truncated, batch.valid)
            batch = replace(batch, rewards=self.rewards(batch.rewards))
        values, final_values = values_of(batch, value)
        advantages = gae_of(batch, values, final_values, settings.gamma, settings.lam)
        targets = advantages + values[:-1]
        explained = explained_variance(values[:-1], targets, batch.valid)
        epochs, batch_size, kl_limit, value_clip = self.minibatches()
        old_values = None if value_clip is None else values[:-1]
        del values  # a batch is large: what is not needed any more makes room
        if settings.normalize_advantages:
            advantages = normalize_advantages(advantages, batch.valid)
        left = 1 - progress if settings.schedule == "linear" else 1.0
        self.optimizer.learning_rate = settings.learning_rate * left
        self.value_optimizer.learning_rate = settings.critic.learning_rate * left
        stats: Stats = _core.climb_minibatches(
            policy._kernel,
            adam=self.optimizer.arguments(policy.theta),
            observations=batch.observations,
            actions=batch.actions,
            masks=batch.masks,
            log_probs=batch.log_probs,
            advantages=settings.discounted(advantages, batch),
            valid=batch.valid,
            surrogate=self.surrogate(),
            reference=None if self.prior is None else (self.prior._kernel, self.prior.theta),
            value=(
                value._kernel,
                self.value_optimizer.arguments(value.theta),
                targets,
                old_values,
                value_clip or 0.0,
            ),
            epochs=epochs,
            batch_size=batch_size or batch.rewards.size,
            max_gradient_norm=settings.max_gradient_norm or math.inf,
            target_kl=kl_limit,
            seed=policy.seed,
            stream=self.updates % 2**32,
        )
        self.optimizer.count += int(stats["minibatches"])
        self.value_optimizer.count += int(stats["minibatches"])
        self.updates += 1
        return {**stats, "explained_variance": explained}
