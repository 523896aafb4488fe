"""Proximal policy optimization: several passes over a batch, held near the policy that made it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pgfast.algorithms.a2c import A2C, ActorCriticLearner
from pgfast.algorithms.algorithm import Stats
from pgfast.policy import Policy
from pgfast.rollout import Rollout


@dataclass(frozen=True, kw_only=True)
class PPO(A2C):
    """Proximal policy optimization.

        as A2C, but with ρ_b = π_θ(a_b|s_b) / π_old(a_b|s_b)
            repeat `epochs` times, for each minibatch of the batch in random order
                θ ← Adam up the gradient of the minibatch's mean of
                    min(ρ A, clip(ρ, 1 − ε, 1 + ε) A) + c_H H − β KL(π_old ‖ π_θ)
                φ ← Adam down that of (V_φ − y)² / 2
            until the mean KL(π_old ‖ π_θ) of a minibatch exceeds 1.5 `target_kl`

    β = 0 without `kl_penalty`. With it, β doubles after an update that ends at a mean
    KL(π_old ‖ π_θ) above 1.5 `kl_penalty_target` and is halved where that stays below two thirds
    of it.

    With one epoch, one minibatch and no clipping it is A2C.

    Source: Schulman et al. 2017, eqs. 7 and 8; the clipped value loss and the stop as in OpenAI's
    baselines and Spinning Up.
    """

    steps: int = 128
    """T: steps of every environment for one update."""
    epochs: int = 10
    """Passes over the batch."""
    batch_size: int | None = 256
    """Samples of a minibatch; None: the whole batch."""
    clip: float | None = 0.2
    """ε > 0; None: no clipping."""
    normalize_advantages: bool = True
    """Give the advantages of a batch mean 0 and standard deviation 1."""
    value_clip: float | None = None
    """V is held within its old value ± this, the larger error counts; None: not."""
    target_kl: float | None = None
    """Stops an update, see above; None: never."""
    kl_penalty: float = 0.0
    """β at the beginning, ≥ 0."""
    kl_penalty_target: float = 0.01
    """The KL of an update that β is adapted to, > 0."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_counts("epochs")
        if self.batch_size is not None:
            self._check_counts("batch_size")
        for name in ("clip", "value_clip", "target_kl"):
            if getattr(self, name) is not None:
                self._check_positive(name)
        self._check_not_negative("kl_penalty")
        self._check_positive("kl_penalty_target")

    def learner(self, policy: Policy, prior: Policy | None = None) -> PPOLearner:
        """Make what learns, for this policy."""
        return PPOLearner(self, policy, prior)


class PPOLearner(ActorCriticLearner):
    """The actor-critic learner with PPO's surrogate."""

    algorithm: PPO

    def __init__(self, algorithm: PPO, policy: Policy, prior: Policy | None = None) -> None:
        super().__init__(algorithm, policy, prior)
        self.kl_penalty = algorithm.kl_penalty
        """β now."""

    def surrogate(self) -> tuple[str, float, float, float, float]:
        """The clipped ratio, or the ratio."""
        settings = self.algorithm
        weighting = "ratio" if settings.clip is None else "clipped"
        return weighting, settings.clip or 0.0, settings.entropy, self.kl_penalty, settings.prior_kl

    def minibatches(self) -> tuple[int, int | None, float, float | None]:
        """Epochs, minibatch size (None: the batch), limit of the KL, and clip of V (None: none)."""
        settings = self.algorithm
        limit = math.inf if settings.target_kl is None else 1.5 * settings.target_kl
        return settings.epochs, settings.batch_size, limit, settings.value_clip

    def update(self, batch: Rollout, progress: float = 0.0) -> Stats:
        """As A2C's, then β is adapted."""
        if self.algorithm.kl_penalty == 0:
            return super().update(batch, progress)
        old, target = self.policy.copy(), self.algorithm.kl_penalty_target
        stats = super().update(batch, progress)
        divergence = old.kl(batch.valid_observations, self.policy, masks=batch.valid_masks)
        kl = float(divergence.mean(dtype=np.float64))
        if kl > 1.5 * target:
            self.kl_penalty *= 2
        elif kl < target / 1.5:
            self.kl_penalty /= 2
        return {**stats, "kl_after": kl, "kl_penalty": self.kl_penalty}
