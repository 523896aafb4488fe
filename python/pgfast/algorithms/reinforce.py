"""REINFORCE: an action is weighted by what came after it, less a baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pgfast._typing import BoolArray, FloatArray, unknown
from pgfast.algorithms.policy_gradient import PolicyGradient
from pgfast.baselines import constant_baseline, leave_one_out_baseline, time_baseline
from pgfast.returns import reward_to_go
from pgfast.rollout import Rollout

BaselineName = Literal["none", "constant", "time", "leave-one-out"]
Baseline = BaselineName | Callable[[FloatArray, BoolArray | None], FloatArray]
"""A baseline by name, or a function (returns (T, N), valid) ↦ (T, N), 0 where not valid."""


def _no_baseline(returns: FloatArray, valid: BoolArray | None) -> FloatArray:
    return np.zeros_like(returns)


BASELINES: dict[str, Callable[[FloatArray, BoolArray | None], FloatArray]] = {
    "none": _no_baseline,
    "constant": constant_baseline,
    "time": time_baseline,
    "leave-one-out": leave_one_out_baseline,
}


def advantages(batch: Rollout, gamma: float, baseline: Baseline) -> FloatArray:
    """Reward-to-go less the baseline, Gₜ − bₜ: (T, N), 0 where no step happened."""
    returns = reward_to_go(batch.rewards, batch.terminated, batch.truncated, gamma=gamma)
    subtract = baseline if callable(baseline) else BASELINES[baseline]
    return returns - subtract(returns, batch.valid)


def check_baseline(function: str, baseline: Baseline) -> None:
    """Raise where it is neither a function nor the name of one."""
    if not callable(baseline) and baseline not in BASELINES:
        raise unknown(function, "baseline", baseline, BASELINES)


@dataclass(frozen=True, kw_only=True)
class Reinforce(PolicyGradient):
    """REINFORCE with a baseline.

        repeat
            collect K trajectories with π_θ
            Gₜ ← Σ_{k≥t} γᵏ⁻ᵗ rₖ
            g ← 1/K Σₖ Σₜ ∇ log π(aₜₖ|sₜₖ) · (Gₜₖ − bₜₖ)
            θ ← θ + α g

    The factor γᵗ of the discounted objective is left out, as is usual: late steps count as much as
    early ones.

    Source: Williams 1992; Sutton & Barto 2018, section 13.4.
    """

    baseline: Baseline = "time"
    """b, by name or as a function."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_baseline(self._name, self.baseline)

    def weights(self, batch: Rollout) -> FloatArray:
        """Gₜ − bₜ."""
        return advantages(batch, self.gamma, self.baseline)
