"""Critics: advantages by a value function, or by a baseline where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pgfast._typing import FloatArray, as_count, as_number, as_sizes
from pgfast.algorithms.algorithm import Algorithm, Stats
from pgfast.algorithms.reinforce import Baseline, advantages, check_baseline
from pgfast.explained_variance import explained_variance
from pgfast.features import PolynomialFeatures
from pgfast.network_policy import NetworkPolicy
from pgfast.policy import Policy
from pgfast.returns import gae, reward_to_go
from pgfast.rollout import Rollout
from pgfast.value_function import ValueFit, ValueFunction

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv


@dataclass(frozen=True, kw_only=True)
class Critic:
    """Settings of a value function and how it is fitted.

    Without hidden layers it is fitted to each batch exactly, by ridge regression on the monomials
    of the observation up to `degree`; with them it takes Adam steps. A2C and PPO have it learn
    beside the policy instead, in the same minibatches: there it takes Adam steps of
    `learning_rate` in any case, and `fit`, `epochs`, `batch_size` and `ridge` are not read.
    """

    hidden: tuple[int, ...] = ()
    """Sizes of its hidden layers."""
    degree: int | None = None
    """Of the polynomial features that it sees; None: what the policy sees."""
    learning_rate: float = 1e-3
    """Adam's α > 0, with hidden layers."""
    epochs: int = 10
    """Passes over a batch, with hidden layers."""
    batch_size: int = 64
    """Samples of a minibatch, with hidden layers."""
    ridge: float = 1e-5
    """Penalty on |w|², ≥ 0, without hidden layers."""
    fit: Literal["after", "before"] = "after"
    """When it is fitted to a batch. "after": to the λ-returns, once the advantages are taken, which
    it then knows nothing of. "before": to the discounted rewards that follow, and the advantages
    are taken with what it has become. So it serves from the first batch on, and biases little where
    the samples are many more than its parameters."""

    def __post_init__(self) -> None:
        as_sizes("Critic", "hidden", self.hidden)
        for name in ("epochs", "batch_size", *(["degree"] if self.degree is not None else [])):
            as_count("Critic", name, getattr(self, name))
        if self.fit not in ("after", "before"):
            raise ValueError(f"Critic: fit is {self.fit!r}, expected 'after' or 'before'")
        expected = "a finite number > 0"
        if not 0 < as_number("Critic", "learning_rate", self.learning_rate, expected) < np.inf:
            raise ValueError(
                f"Critic: learning_rate is {self.learning_rate!r}, expected {expected}"
            )
        expected = "a finite number >= 0"
        if not 0 <= as_number("Critic", "ridge", self.ridge, expected) < np.inf:
            raise ValueError(f"Critic: ridge is {self.ridge!r}, expected {expected}")

    def value_function(self, policy: Policy) -> ValueFunction:
        """Make it, for what this policy observes."""
        if not isinstance(policy, NetworkPolicy):
            raise TypeError(
                f"Critic: policy is a {type(policy).__name__}, expected one with a network"
            )
        size = policy.observation_size
        return ValueFunction(
            size,
            hidden=self.hidden,
            features=policy.features
            if self.degree is None
            else PolynomialFeatures(size, self.degree),
            normalizer=policy.normalizer,
            dtype=policy.dtype,
            seed=policy.seed,
        )


def values_of(batch: Rollout, value: ValueFunction) -> tuple[FloatArray, FloatArray]:
    """V before and after every step (T + 1, N), and V of the final observations (K,)."""
    values = value.of_rollout(batch.observations, batch.last_observations)
    return values, _final_values(batch, value)


def _final_values(batch: Rollout, value: ValueFunction) -> FloatArray:
    if len(batch.final_observations) == 0:
        return np.zeros(0, batch.rewards.dtype)
    return value.predict(batch.final_observations)


def gae_of(
    batch: Rollout, values: FloatArray, final_values: FloatArray, gamma: float, lam: float
) -> FloatArray:
    """GAE of a batch (T, N), 0 where no step happened."""
    estimate = gae(
        batch.rewards,
        values,
        batch.terminated,
        batch.truncated,
        gamma=gamma,
        lam=lam,
        final_values=final_values,
    )
    if batch.valid is not None:
        np.copyto(estimate, 0, where=~batch.valid)
    return estimate


@dataclass(frozen=True, kw_only=True)
class AdvantageAlgorithm(Algorithm):
    """What learns from advantages: reward-to-go less a baseline, or GAE with a critic."""

    episodes: int | None = 64
    """K: whole trajectories of one update; None with `steps`."""
    steps: int | None = None
    """T: steps of every environment for one update, instead of whole episodes; needs a critic."""
    baseline: Baseline = "leave-one-out"
    """b, by name or as a function; not read with a critic."""
    critic: Critic | None = None
    """The value function; None: the baseline."""
    lam: float = 0.97
    """GAE's λ in [0, 1], with a critic."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.episodes is None) == (self.steps is None):
            raise ValueError(
                f"{self._name}: episodes is {self.episodes} and steps is {self.steps}, "
                "expected one of them, and the other None"
            )
        self._check_counts("steps" if self.episodes is None else "episodes")
        if self.critic is not None and not isinstance(self.critic, Critic):
            raise TypeError(
                f"{self._name}: critic is a {type(self.critic).__name__}, expected a Critic or None"
            )
        if self.steps is not None and self.critic is None:
            raise ValueError(
                f"{self._name}: critic is None with steps={self.steps}, expected a Critic: an "
                "episode that is cut off has no return without a value function"
            )
        check_baseline(self._name, self.baseline, self.episodes or 0)
        self._check_unit_interval("lam")

    def collect(self, env: VectorEnv[Any, Any, Any], policy: Policy) -> Rollout:
        """K whole episodes, or T steps."""
        from pgfast.envs.collect import collect

        return collect(env, policy, steps=self.steps, episodes=self.episodes)


class Advantages:
    """The advantages of batches, and the critic that learns from them."""

    def __init__(self, algorithm: AdvantageAlgorithm, policy: Policy) -> None:
        self.algorithm = algorithm
        self.policy = policy
        critic = algorithm.critic
        self.value = None if critic is None else critic.value_function(policy)

    def estimate(self, batch: Rollout) -> tuple[FloatArray, Stats]:
        """Advantages (T, N), with γᵗ where it is asked for; the critic is fitted after or before.

        The share of variance that it explains is that of the λ-returns before the fit, or that of
        what it was fitted to.
        """
        settings, critic, value = self.algorithm, self.algorithm.critic, self.value
        if value is None or critic is None:
            estimate = advantages(batch, settings.gamma, settings.baseline, self.policy)
            return settings.discounted(estimate, batch), {}
        value.refresh()
        if critic.fit == "before":
            fit = self._fit(batch, self._returns(batch, value), critic, value)
            stats = {"explained_variance": fit.explained_variance}
        values, final_values = values_of(batch, value)
        estimate = gae_of(batch, values, final_values, settings.gamma, settings.lam)
        if critic.fit == "after":
            targets = estimate + values[:-1]
            stats = {"explained_variance": explained_variance(values[:-1], targets, batch.valid)}
            self._fit(batch, targets, critic, value)
        return settings.discounted(estimate, batch), stats

    def _returns(self, batch: Rollout, value: ValueFunction) -> FloatArray:
        """The discounted rewards that follow (T, N), and V where the batch ends or cuts off."""
        last = batch.last_observations
        return reward_to_go(
            batch.rewards,
            batch.terminated,
            batch.truncated,
            gamma=self.algorithm.gamma,
            last_values=None if last is None else value.predict(last),
            final_values=_final_values(batch, value),
        )

    @staticmethod
    def _fit(batch: Rollout, targets: FloatArray, critic: Critic, value: ValueFunction) -> ValueFit:
        return value.fit(
            batch.observations,
            targets,
            valid=batch.valid,
            ridge=critic.ridge,
            epochs=critic.epochs,
            batch_size=critic.batch_size,
            learning_rate=critic.learning_rate,
        )
