"""Baselines: what is subtracted from the return to lower the variance of the gradient.

Any b that does not depend on the action leaves the gradient's mean unchanged, because
E[∇ log π(a|s) b] = b ∇ Σₐ π(a|s) = 0. `returns` is whatever will be weighted, (T, N) with one
trajectory per column; `valid` marks the steps that happened, None all of them. b is 0 elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pgfast import _core
from pgfast._typing import BoolArray, FloatArray

if TYPE_CHECKING:
    from pgfast.policy import Policy


def constant_baseline(returns: FloatArray, valid: BoolArray | None = None) -> FloatArray:
    """Mean over all valid steps.

    bₜₙ = Σₖₘ gₖₘ / (number of valid steps).

    It contains the step's own return, which shrinks the gradient by a share of one over the number
    of trajectories; `leave_one_out_baseline` does not.

    Parameters:
        returns: (T, N) float32 or float64.
        valid: (T, N) bool, or None.

    Returns:
        (T, N) in the dtype of `returns`, 0 where not valid.

    Raises:
        ValueError: a shape or stride that does not fit.
        TypeError: a dtype that does not fit.

    >>> constant_baseline(np.array([[1.0, 3.0]]))
    array([[2., 2.]])
    """
    return _core.constant_baseline(returns, valid)


def time_baseline(returns: FloatArray, valid: BoolArray | None = None) -> FloatArray:
    """Mean over the trajectories that are still running, for each time.

    bₜₙ = Σₘ gₜₘ / (number of trajectories valid at t).

    Meant for whole episodes, where row t is the t-th step of each. It contains the step's own
    return, as `constant_baseline` does; where a single trajectory is left, the advantage is 0.

    Parameters:
        returns: (T, N) float32 or float64.
        valid: (T, N) bool, or None.

    Returns:
        (T, N) in the dtype of `returns`, 0 where not valid.

    Raises:
        ValueError: a shape or stride that does not fit.
        TypeError: a dtype that does not fit.

    >>> time_baseline(np.array([[1.0, 3.0], [5.0, 7.0]]))
    array([[2., 2.],
           [6., 6.]])
    """
    return _core.time_baseline(returns, valid)


def leave_one_out_baseline(returns: FloatArray, valid: BoolArray | None = None) -> FloatArray:
    """Mean over the other trajectories that are still running, for each time.

    bₜₙ = Σ_{m≠n} gₜₘ / (number of other trajectories valid at t); 0 where there is no other.

    Independent of trajectory n, so the gradient is unbiased. With N valid trajectories g − b is
    N / (N − 1) times that of `time_baseline`.

    Source: Kool, van Hoof & Welling 2019, "Buy 4 REINFORCE samples, get a baseline for free".

    Parameters:
        returns: (T, N) float32 or float64.
        valid: (T, N) bool, or None.

    Returns:
        (T, N) in the dtype of `returns`, 0 where not valid.

    Raises:
        ValueError: a shape or stride that does not fit.
        TypeError: a dtype that does not fit.

    >>> leave_one_out_baseline(np.array([[1.0, 2.0, 6.0]]))
    array([[4. , 3.5, 1.5]])
    """
    return _core.leave_one_out_baseline(returns, valid)


def linear_baseline(
    returns: FloatArray,
    valid: BoolArray | None,
    observations: FloatArray,
    *,
    ridge: float = 1e-5,
) -> FloatArray:
    """Linear function of the state and the time, fitted to this batch.

    bₜₙ = wᵀx(sₜₙ, t) + w₀ with x = (s, s², τ, τ², τ³) and τ = t / 100, where w minimises
    Σ (bₜₙ − gₜₙ)² + ridge |w|² over the valid steps; w₀ is not penalised.

    Meant for whole episodes, where row t is the t-th step of each. It is fitted to the returns that
    it is subtracted from: every step's return moves its own baseline, which shrinks the gradient by
    a share of about 2 D + 4 in the number of steps, as `constant_baseline` does by one. It is small
    where steps are many beside regressors; to be free of it, fit a `ValueFunction` to the batch
    before.

    Source: Duan, Chen, Houthooft, Schulman & Abbeel 2016, whose baseline is fitted to the batch
    before and clips s to [−10, 10].

    Parameters:
        returns: (T, N) float32 or float64.
        valid: (T, N) bool, or None.
        observations: s (T, N, D) in the dtype of `returns`.
        ridge: ≥ 0.

    Returns:
        (T, N) in the dtype of `returns`, 0 where not valid.

    Raises:
        ValueError: a shape, stride or number that does not fit.
        TypeError: a dtype that does not fit.

    >>> s = np.array([[0.0, 1.0, 2.0, 3.0]])
    >>> linear_baseline(1 + 2 * s, None, s[..., None]).round(3)
    array([[1., 3., 5., 7.]])
    """
    return _core.linear_baseline(returns, valid, observations, ridge)


def optimal_baseline(
    returns: FloatArray,
    valid: BoolArray | None,
    score_norms: FloatArray,
    *,
    per_time: bool = False,
) -> FloatArray:
    """Constant that leaves the gradient the least variance.

    b = E[|∇ log π|² g] / E[|∇ log π|²], the mean over all valid steps; `per_time`: over the
    trajectories valid at t, for each t.

    It minimises the trace of the covariance of ∇ log π(a|s) (g − b) at one step, and of their sum
    where steps are uncorrelated or there is one (T = 1). For the naive policy gradient the whole
    trajectory is that step: with |Σₜ ∇ log πₜ|² as norm and the whole return as g, b is exact. It
    contains the step's own return, as `constant_baseline` does.

    Source: Weaver & Tao 2001, theorem 1; Greensmith, Bartlett & Baxter 2004; Peters & Schaal 2008,
    whose baselines have a component for each parameter.

    Parameters:
        returns: (T, N) float32 or float64.
        valid: (T, N) bool, or None.
        score_norms: |∇ log π|² (T, N) in the dtype of `returns`, as of `score_norms`.
        per_time: a baseline for each time, instead of one.

    Returns:
        (T, N) in the dtype of `returns`, 0 where not valid and where every norm is 0.

    Raises:
        ValueError: a shape or stride that does not fit, a norm below 0.
        TypeError: a dtype that does not fit.

    >>> optimal_baseline(np.array([[1.0, 4.0]]), None, np.array([[2.0, 1.0]]))
    array([[2., 2.]])
    """
    return _core.optimal_baseline(returns, valid, score_norms, per_time)


def score_norms(
    policy: Policy,
    observations: FloatArray,
    actions: npt.NDArray[Any],
    *,
    masks: BoolArray | None = None,
) -> FloatArray:
    """Squared length of each step's score, |∇θ log π(a|s)|²: the weights of `optimal_baseline`.

    Parameters:
        policy: π.
        observations: (T, N, ...) in the dtype of θ.
        actions: (T, N, ...).
        masks: (T, N, number of logits) which actions were allowed; None: all.

    Returns:
        (T, N) in the dtype of θ.

    >>> from pgfast import SoftmaxPolicy
    >>> policy = SoftmaxPolicy(1, 2, dtype=np.float64)
    >>> score_norms(policy, np.ones((1, 2, 1)), np.array([[0, 1]]))
    array([[1., 1.]])
    """
    rows = [
        np.square(
            policy.scores(s, actions[t], masks=None if masks is None else masks[t])
        ).sum(axis=-1)
        for t, s in enumerate(observations)
    ]
    return np.stack(rows)
