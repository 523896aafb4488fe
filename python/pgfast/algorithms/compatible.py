"""Actor-critic with compatible features: the critic's features are the scores of the policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pgfast._typing import FloatArray
from pgfast.algorithms.algorithm import Learner, Stats
from pgfast.algorithms.critic import AdvantageAlgorithm, Advantages
from pgfast.conjugate_gradient import conjugate_gradient
from pgfast.policy import Policy
from pgfast.rollout import Rollout


@dataclass(frozen=True, kw_only=True)
class CompatibleActorCritic(AdvantageAlgorithm):
    """Compatible actor-critic: A ≈ ∇ log πᵀw, and θ climbs along w.

        update = "batch": least squares over the batch,
            w ← argmin Σ_b (scoreᵀ_b w − A_b)² + n damping |w|²
            θ ← θ + α w                         with `discount_states` each square has weight γᵗ
        update = "incremental": for each time t of the batch, as a mean over its columns,
            w ← w − β γᵗ (scoreᵀw − r − γ score′ᵀw) score
            θ ← θ + α w                         score′ is that of the next step, 0 behind an end

    Such a critic leaves the policy gradient unbiased, and its least-squares w is the natural
    gradient, F⁻¹ ∇J. Its mean under π is 0 in every state: it is an advantage, not a value.

    Source: Sutton et al. 2000, theorem 2; Kakade 2001; Peters & Schaal 2008, section 3.
    """

    update: Literal["batch", "incremental"] = "batch"
    """How w is found."""
    learning_rate: float = 0.1
    """α > 0."""
    critic_rate: float = 0.1
    """β > 0 of the incremental update."""
    max_step: float | None = None
    """Limit δ of the step's KL divergence, α²/2 wᵀFw ≤ δ; None: none."""
    damping: float = 1e-3
    """≥ 0, per sample, of the batch's least squares."""
    max_iterations: int = 20
    """Conjugate-gradient steps of the batch's least squares, at least 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.update not in ("batch", "incremental"):
            self._fail("update", self.update, "'batch' or 'incremental'")
        self._check_positive("learning_rate", "critic_rate")
        if self.max_step is not None:
            self._check_positive("max_step")
        self._check_not_negative("damping")
        self._check_counts("max_iterations")

    def learner(self, policy: Policy, prior: Policy | None = None) -> CompatibleLearner:
        """Make what learns, for this policy."""
        self._refuse_prior(prior)
        return CompatibleLearner(self, policy)


class CompatibleLearner(Learner):
    """Keeps w, and moves θ along it."""

    def __init__(self, algorithm: CompatibleActorCritic, policy: Policy) -> None:
        self.algorithm = algorithm
        self.policy = policy
        self.advantages = Advantages(algorithm, policy)
        self.w: FloatArray = np.zeros_like(policy.theta)
        """The critic's weights."""

    def update(self, batch: Rollout, progress: float = 0.0) -> Stats:
        """One update of w and θ, or one for each time of the batch."""
        if self.algorithm.update == "batch":
            return self._batch(batch)
        return self._incremental(batch)

    def _batch(self, batch: Rollout) -> Stats:
        settings, policy = self.algorithm, self.policy
        advantages, stats = self.advantages.estimate(batch)
        observations, actions, masks = batch.happened("observations", "actions", "masks")
        targets = batch.only_happened(advantages)
        weights = batch.only_happened(settings.discounted(np.ones_like(advantages), batch))
        scale = policy.dtype.type(1 / len(targets))
        scores = policy.scores(observations, actions, masks=masks)

        def normal_matrix(v: FloatArray) -> FloatArray:
            # einsum, not BLAS: the same bits on any number of threads
            products: FloatArray = weights * np.einsum("bp,p->b", scores, v)
            product: FloatArray = scale * policy.score(observations, actions, products, masks=masks)
            return product

        gradient = scale * policy.score(observations, actions, targets, masks=masks)
        solve = conjugate_gradient(
            normal_matrix,
            gradient,
            damping=settings.damping,
            max_iterations=settings.max_iterations,
        )
        self.w = solve.x
        step = settings.learning_rate
        if settings.max_step is not None:
            curvature = float((self.w * normal_matrix(self.w)).sum(dtype=np.float64))
            if step**2 * curvature > 2 * settings.max_step:
                step = float(np.sqrt(2 * settings.max_step / curvature))
        policy.theta += policy.dtype.type(step) * self.w
        return {
            "gradient_norm": float(np.linalg.norm(gradient)),
            "w_norm": float(np.linalg.norm(self.w)),
            "step_size": float(step),
            "cg_iterations": float(solve.iterations),
            **stats,
        }

    def _incremental(self, batch: Rollout) -> Stats:
        settings, policy = self.algorithm, self.policy
        real = policy.dtype.type
        weight = (settings.gamma**batch.time).astype(policy.dtype)
        ends = batch.terminated | batch.truncated
        happened = np.ones_like(ends) if batch.valid is None else batch.valid
        errors: list[float] = []
        last = batch.rewards.shape[0] - 1
        for t in range(last + 1):
            # The step behind the last row is not known: there only ends count.
            active = happened[t] & (ends[t] | (t < last))
            if not active.any():
                continue
            score, next_score = (
                policy.scores(
                    batch.observations[k],
                    batch.actions[k],
                    masks=None if batch.masks is None else batch.masks[k],
                )
                for k in (t, min(t + 1, last))
            )
            following = np.where(ends[t], real(0), np.einsum("np,p->n", next_score, self.w))
            error = np.einsum("np,p->n", score, self.w) - (
                batch.rewards[t] + real(settings.gamma) * following
            )
            error = np.where(active, error * weight[t], real(0))
            change = np.einsum("n,np->p", error, score) / real(active.sum())
            self.w = self.w - real(settings.critic_rate) * change
            policy.theta += real(settings.learning_rate) * self.w
            errors.append(float(np.abs(error).sum(dtype=np.float64) / active.sum()))
        return {
            "w_norm": float(np.linalg.norm(self.w)),
            "td_error": float(np.mean(errors)) if errors else 0.0,
        }
