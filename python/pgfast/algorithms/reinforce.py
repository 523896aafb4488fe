"""REINFORCE: an action is weighted by what came after it, less a baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pgfast._typing import BoolArray, FloatArray, unknown
from pgfast.algorithms.policy_gradient import PolicyGradient
from pgfast.baselines import (
    constant_baseline,
    leave_one_out_baseline,
    linear_baseline,
    optimal_baseline,
    score_norms,
    time_baseline,
)
from pgfast.policy import Policy
from pgfast.returns import reward_to_go
from pgfast.rollout import Rollout

BaselineName = Literal["none", "constant", "time", "leave-one-out", "linear", "optimal"]
Baseline = BaselineName | Callable[[FloatArray, BoolArray | None], FloatArray]
"""A baseline by name, or a function (returns (T, N), valid) ↦ (T, N)."""


def _optimal(returns: FloatArray, batch: Rollout, policy: Policy | None) -> FloatArray:
    if policy is None:
        raise ValueError(
            "advantages: policy is None, expected the one that acted: baseline 'optimal' reads "
            "its scores"
        )
    norms = score_norms(policy, batch.observations, batch.actions, masks=batch.masks)
    return optimal_baseline(returns, batch.valid, norms)


BASELINES: dict[str, Callable[[FloatArray, Rollout, Policy | None], FloatArray]] = {
    "none": lambda returns, batch, policy: np.broadcast_to(returns.dtype.type(0), returns.shape),
    "constant": lambda returns, batch, policy: constant_baseline(returns, batch.valid),
    "time": lambda returns, batch, policy: time_baseline(returns, batch.valid),
    "leave-one-out": lambda returns, batch, policy: leave_one_out_baseline(returns, batch.valid),
    "linear": lambda returns, batch, policy: linear_baseline(
        returns, batch.valid, batch.observations
    ),
    "optimal": _optimal,
}
"""By name, as functions (returns (T, N), batch, the policy that acted) ↦ (T, N)."""


def advantages(
    batch: Rollout, gamma: float, baseline: Baseline, policy: Policy | None = None
) -> FloatArray:
    """Reward-to-go less the baseline, Gₜ − bₜ: (T, N), 0 where no step happened.

    `policy` is the one that acted; "optimal" reads its scores, the others do without.
    """
    returns = reward_to_go(batch.rewards, batch.terminated, batch.truncated, gamma=gamma)
    if callable(baseline):
        b = baseline(returns, batch.valid)
    elif baseline in BASELINES:
        b = BASELINES[baseline](returns, batch, policy)
    else:
        raise unknown("advantages", "baseline", baseline, BASELINES)
    if not isinstance(b, np.ndarray) or b.shape != returns.shape or b.dtype != returns.dtype:
        came = f"{b.dtype} {b.shape}" if isinstance(b, np.ndarray) else type(b).__name__
        raise ValueError(
            f"advantages: baseline gave {came}, expected {returns.dtype} {returns.shape}"
        )
    with np.errstate(invalid="ignore"):  # infinity less infinity is NaN, which training looks for
        left = np.subtract(returns, b, out=None if callable(baseline) else returns)
    if batch.valid is not None:
        np.copyto(left, 0, where=~batch.valid)
    return left


def check_baseline(function: str, baseline: Baseline, episodes: int) -> None:
    """Raise where it is no function and no name of one, or leaves nothing to learn from."""
    if callable(baseline):
        return
    if not isinstance(baseline, str):
        raise TypeError(
            f"{function}: baseline is a {type(baseline).__name__}, expected a name or a function"
        )
    if baseline not in BASELINES:
        raise unknown(function, "baseline", baseline, BASELINES)
    if baseline == "time" and episodes == 1:
        raise ValueError(
            f"{function}: baseline is 'time' with episodes=1, where it equals the return and every "
            "advantage is 0; expected 'leave-one-out', 'constant' or 'none'"
        )


@dataclass(frozen=True, kw_only=True)
class Reinforce(PolicyGradient):
    """REINFORCE with a baseline.

        repeat
            collect K trajectories with π_θ
            Gₜ ← Σ_{k≥t} γᵏ⁻ᵗ rₖ
            g ← 1/K Σₖ Σₜ ∇ log π(aₜₖ|sₜₖ) · (Gₜₖ − bₜₖ)
            θ ← θ + α g

    Source: Williams 1992; Sutton & Barto 2018, section 13.4.
    """

    baseline: Baseline = "leave-one-out"
    """b, by name or as a function."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_baseline(self._name, self.baseline, self.episodes)

    def weights(self, batch: Rollout, policy: Policy | None = None) -> FloatArray:
        """Gₜ − bₜ, with γᵗ where `discount_states` asks for it."""
        return self.discounted(advantages(batch, self.gamma, self.baseline, policy), batch)
