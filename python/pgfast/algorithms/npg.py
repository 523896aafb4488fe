"""Natural policy gradient: steepest ascent in the space of distributions, not of parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pgfast.algorithms.algorithm import Learner, Stats
from pgfast.algorithms.critic import AdvantageAlgorithm, Advantages
from pgfast.policy import Policy
from pgfast.rollout import Rollout


@dataclass(frozen=True, kw_only=True)
class NPG(AdvantageAlgorithm):
    """Natural policy gradient with a step of given KL divergence.

        repeat
            collect a batch with π_θ
            A ← reward-to-go less a baseline, or GAE with a critic
            g ← 1/n Σ_b ∇ log π(a_b|s_b) A_b
            solve (F + damping I) x = g by conjugate gradients
            θ ← θ + √(2 δ / xᵀ(F + damping I)x) · x

    F is the Fisher matrix averaged over the steps of the batch. To second order the mean
    KL(π_θ ‖ π_θ′) of the step is δ less what the damping takes, whatever the scale of the rewards;
    and the step is never longer than √(2 δ / damping), also where the policy is nearly
    deterministic and F nearly 0.

    Source: Kakade 2001; the step size as in Rajeswaran et al. 2017, eq. 6.
    """

    kl_radius: float = 0.01
    """δ > 0 in nats."""
    damping: float = 1e-2
    """≥ 0, on the diagonal of F."""
    max_iterations: int = 20
    """Conjugate-gradient steps, at least 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_positive("kl_radius")
        self._check_not_negative("damping")
        self._check_counts("max_iterations")

    def learner(self, policy: Policy, prior: Policy | None = None) -> NPGLearner:
        """Make what learns, for this policy."""
        self._refuse_prior(prior)
        return NPGLearner(self, policy)


class NPGLearner(Learner):
    """Solves for the natural gradient and steps to the edge of the KL radius."""

    def __init__(self, algorithm: NPG, policy: Policy) -> None:
        self.algorithm = algorithm
        self.policy = policy
        self.advantages = Advantages(algorithm, policy)

    def update(self, batch: Rollout, progress: float = 0.0) -> Stats:
        """θ ← θ + √(2 δ / xᵀ(F + damping I)x) · x; no step where g = 0."""
        policy, settings = self.policy, self.algorithm
        advantages, stats = self.advantages.estimate(batch)
        gradient = policy.score(batch.observations, batch.actions, advantages, masks=batch.masks)
        gradient = gradient / gradient.dtype.type(batch.steps)
        observations, masks = batch.valid_observations, batch.valid_masks
        solve = policy.natural_gradient(
            observations,
            gradient,
            damping=settings.damping,
            max_iterations=settings.max_iterations,
            masks=masks,
        )
        product = policy.fisher_vector_product(observations, solve.x, settings.damping, masks=masks)
        # NumPy's sum, not its dot: BLAS rounds differently on another number of threads.
        curvature = float((solve.x * product).sum(dtype=np.float64))
        step_size = np.sqrt(2 * settings.kl_radius / curvature) if curvature > 0 else 0.0
        policy.theta += policy.dtype.type(step_size) * solve.x
        return {
            "gradient_norm": float(np.linalg.norm(gradient)),
            "step_size": float(step_size),
            "cg_iterations": float(solve.iterations),
            "cg_residual": solve.residual,
            **stats,
        }
