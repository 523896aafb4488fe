"""V-trace: values and advantages of a policy from what another one did."""

from __future__ import annotations

from pgfast import _core
from pgfast._typing import BoolArray, FloatArray


def vtrace(
    rewards: FloatArray,
    values: FloatArray,
    log_ratios: FloatArray,
    terminated: BoolArray,
    truncated: BoolArray,
    *,
    gamma: float,
    lam: float = 1.0,
    rho_clip: float = 1.0,
    c_clip: float = 1.0,
    final_values: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """V-trace targets of a policy π, and its advantages, where μ has acted.

    With wₜ = π(aₜ|sₜ) / μ(aₜ|sₜ), ρₜ = min(ρ̄, wₜ) and cₜ = λ min(c̄, wₜ),

    vₜ = Vₜ + Σ_{k≥t} γᵏ⁻ᵗ (Π_{t≤i<k} cᵢ) ρₖ (rₖ + γ V′ₖ − Vₖ), and the advantage is
    Aₜ = ρₜ (rₜ + γ v′ₜ − Vₜ).

    The sum stops where the episode ends. V′ₖ is Vₖ₊₁; 0 where the step terminated; V(final
    observation) where it was truncated. v′ₜ is (1 − λ) V′ₜ + λ vₜ₊₁ inside an episode and V′ₜ
    where it ends.

    Special cases: with log-ratios of 0, where π is μ, nothing is clipped, v is `lambda_return` and
    A is `gae`; without clipping (ρ̄ = c̄ = ∞) each term has the product of its steps' weights, as in
    importance sampling per decision.

    Source: Espeholt et al. 2018, eq. 1, λ from remark 2. The paper's advantage has λ = 1, and it
    assumes ρ̄ ≥ c̄: ρ̄ decides to which policy's values v leads, c̄ how fast.

    Parameters:
        rewards: (T, N) float32 or float64.
        values: (T + 1, N) V of each row's observations; the last row is V(last_observations).
        log_ratios: (T, N) log π(a|s) − log μ(a|s); −∞ where π never does it.
        terminated: (T, N) bool.
        truncated: (T, N) bool.
        gamma: discount γ in [0, 1].
        lam: trace decay λ in [0, 1].
        rho_clip: ρ̄ > 0, infinity included.
        c_clip: c̄ > 0, infinity included.
        final_values: (K,) V of the final observation of each truncated step, in the order of
            `np.argwhere(truncated)`; not read where the step terminated as well. Required where a
            step is truncated only.

    Returns:
        Targets v (T, N) and advantages (T, N) in the dtype of `rewards`.

    Raises:
        ValueError: a shape, stride or number that does not fit, or final values that are missing.
        TypeError: a dtype that does not fit.

    >>> r, no = np.array([[1.0], [1.0]]), np.zeros((2, 1), bool)
    >>> half = np.log(np.array([[0.5], [0.5]]))
    >>> targets, advantages = vtrace(r, np.zeros((3, 1)), half, no, no, gamma=1.0)
    >>> targets.ravel(), advantages.ravel()
    (array([0.75, 0.5 ]), array([0.75, 0.5 ]))
    """
    return _core.vtrace(
        rewards,
        values,
        log_ratios,
        terminated,
        truncated,
        gamma,
        lam,
        rho_clip,
        c_clip,
        final_values,
    )
