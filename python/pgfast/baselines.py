"""Baselines: what is subtracted from the return to lower the variance of the gradient.

Any b that does not depend on the action leaves the gradient's mean unchanged, because
E[∇ log π(a|s) b] = b ∇ Σₐ π(a|s) = 0. `returns` is whatever will be weighted, (T, N) with one
trajectory per column; `valid` marks the steps that happened, None all of them. b is 0 elsewhere.
"""

from __future__ import annotations

from pgfast import _core
from pgfast._typing import BoolArray, FloatArray


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
