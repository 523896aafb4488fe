"""Natural policy gradient: steepest ascent in the space of distributions, not of parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pgfast._typing import FloatArray, as_count, as_number
from pgfast.algorithms.algorithm import Algorithm, Stats
from pgfast.algorithms.reinforce import Baseline, advantages, check_baseline
from pgfast.policy import Policy
from pgfast.rollout import Rollout


@dataclass(frozen=True, kw_only=True)
class NPG(Algorithm):
    """Natural policy gradient with a step of given KL divergence.

        repeat
            collect K trajectories with π_θ
            g ← 1/K Σₖ Σₜ ∇ log π(aₜₖ|sₜₖ) · (Gₜₖ − bₜₖ)
            solve (F + damping I) x = g by conjugate gradients
            θ ← θ + √(2 δ / xᵀ(F + damping I)x) · x

    F is the Fisher matrix averaged over the steps of the batch. To second order the mean
    KL(π_θ ‖ π_θ′) of the step is δ less what the damping takes, whatever the scale of the rewards;
    and the step is never longer than √(2 δ / damping), also where the policy is nearly
    deterministic and F nearly 0.

    Source: Kakade 2001; the step size as in Rajeswaran et al. 2017, eq. 6.
    """

    baseline: Baseline = "leave-one-out"
    """b, by name or as a function."""
    kl_radius: float = 0.01
    """δ > 0 in nats."""
    damping: float = 1e-2
    """≥ 0, on the diagonal of F."""
    max_iterations: int = 20
    """Conjugate-gradient steps, at least 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_baseline(self._name, self.baseline, self.episodes)
        self._check_positive("kl_radius", self.kl_radius)
        expected = "a finite number >= 0"
        if not 0 <= as_number(self._name, "damping", self.damping, expected) < np.inf:
            self._fail("damping", self.damping, expected)
        as_count(self._name, "max_iterations", self.max_iterations)

    def weights(self, batch: Rollout, policy: Policy | None = None) -> FloatArray:
        """Gₜ − bₜ."""
        return advantages(batch, self.gamma, self.baseline, policy)

    def learner(self, policy: Policy) -> NPGLearner:
        """Make what learns, for this policy."""
        return NPGLearner(self, policy)


class NPGLearner:
    """Solves for the natural gradient and steps to the edge of the KL radius."""

    def __init__(self, algorithm: NPG, policy: Policy) -> None:
        self.algorithm = algorithm
        self.policy = policy

    def update(self, batch: Rollout) -> Stats:
        """θ ← θ + √(2 δ / xᵀ(F + damping I)x) · x; no step where g = 0."""
        policy, settings = self.policy, self.algorithm
        gradient = settings.gradient(policy, batch)
        observations = batch.valid_observations
        solve = policy.natural_gradient(
            observations,
            gradient,
            damping=settings.damping,
            max_iterations=settings.max_iterations,
        )
        product = policy.fisher_vector_product(observations, solve.x, settings.damping)
        # NumPy's sum, not its dot: BLAS rounds differently on another number of threads.
        curvature = float((solve.x * product).sum(dtype=np.float64))
        step_size = np.sqrt(2 * settings.kl_radius / curvature) if curvature > 0 else 0.0
        policy.theta += policy.dtype.type(step_size) * solve.x
        return {
            "gradient_norm": float(np.linalg.norm(gradient)),
            "step_size": float(step_size),
            "cg_iterations": float(solve.iterations),
            "cg_residual": solve.residual,
        }
