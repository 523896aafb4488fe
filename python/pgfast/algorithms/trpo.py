"""Trust-region policy optimization: the natural gradient's step, held to its radius."""

from __future__ import annotations

from dataclasses import dataclass

from pgfast import _core
from pgfast._typing import as_int
from pgfast.algorithms.algorithm import Stats
from pgfast.algorithms.npg import NPG, NPGLearner
from pgfast.policy import Policy
from pgfast.rollout import Rollout


@dataclass(frozen=True, kw_only=True)
class TRPO(NPG):
    """Natural policy gradient with a line search.

        as NPG, then, for j = 0, 1, ...: θ′ ← θ + cʲ step, the first with
            mean KL(π_θ ‖ π_θ′) ≤ δ                        exactly, over the batch
            mean (π_θ′/π_θ − 1) A ≥ accept · cʲ · gᵀstep   a share of what the gradient promises
        where none is accepted, θ stays as it was, bit for bit

    Source: Schulman et al. 2015, appendix C.
    """

    max_backtracks: int = 10
    """Tries after the first, ≥ 0."""
    shrink: float = 0.7
    """c in (0, 1)."""
    accept: float = 0.1
    """Share of the expected improvement that is asked for, in [0, 1]."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if as_int(self._name, "max_backtracks", self.max_backtracks) < 0:
            self._fail("max_backtracks", self.max_backtracks, "an int >= 0")
        self._check_positive("shrink")
        if self.shrink >= 1:
            self._fail("shrink", self.shrink, "a number in (0, 1)")
        self._check_unit_interval("accept")

    def learner(self, policy: Policy, prior: Policy | None = None) -> TRPOLearner:
        """Make what learns, for this policy."""
        self._refuse_prior(prior)
        return TRPOLearner(self, policy)


class TRPOLearner(NPGLearner):
    """Steps inside the trust region, or not at all."""

    algorithm: TRPO

    def update(self, batch: Rollout, progress: float = 0.0) -> Stats:
        """One step of the trust region."""
        policy, settings = self.policy, self.algorithm
        advantages, stats = self.advantages.estimate(batch)
        observations, actions, masks, log_probs = batch.happened(
            "observations", "actions", "masks", "log_probs"
        )
        step = _core.trust_region_step(
            policy._kernel,
            policy.theta,
            observations,
            actions,
            masks,
            log_probs,
            batch.only_happened(advantages),
            kl_radius=settings.kl_radius,
            damping=settings.damping,
            tolerance=1e-6,
            max_iterations=settings.max_iterations,
            max_backtracks=settings.max_backtracks,
            shrink=settings.shrink,
            accept=settings.accept,
        )
        return {**step, **stats}
