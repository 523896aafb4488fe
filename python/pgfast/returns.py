"""Returns and advantages of a rollout.

All arrays are time-major and C-contiguous: T steps of N environments. `terminated` and `truncated`
are Gymnasium's flags of each step, independent of each other. Either one ends the episode, and no
recursion passes an end. A terminated step has no future; a truncated one has, and its value is that
of its final observation, never that of the state after the reset. Where both are set, it
terminated.
"""

from __future__ import annotations

from pgfast import _core
from pgfast._typing import BoolArray, FloatArray, as_count


def episode_return(
    rewards: FloatArray,
    terminated: BoolArray,
    truncated: BoolArray,
    *,
    gamma: float,
    valid: BoolArray | None = None,
) -> FloatArray:
    """Return of the whole episode, on every one of its steps.

    R = Σₖ γᵏ rₖ, k counted from the first step of the episode in this rollout. An episode that the
    end of the rollout cuts off counts as far as it goes.

    Special cases: γ = 0 gives the episode's first reward; γ = 1 the plain sum.

    Source: the R(τ) of Williams 1992; Sutton & Barto 2018, eq. 3.8, at the start of the episode.

    Parameters:
        rewards: (T, N) float32 or float64, as the environment gave them.
        terminated: (T, N) bool.
        truncated: (T, N) bool.
        gamma: discount γ in [0, 1].
        valid: (T, N) bool, the steps that happened; k passes the others by. None means all.

    Returns:
        (T, N) in the dtype of `rewards`.

    Raises:
        ValueError: a shape, stride or γ that does not fit.
        TypeError: a dtype that does not fit.

    >>> r, no = np.array([[1.0], [2.0], [4.0]]), np.zeros((3, 1), bool)
    >>> episode_return(r, np.array([[False], [True], [False]]), no, gamma=0.5).ravel()
    array([2., 2., 4.])
    """
    return _core.episode_return(rewards, terminated, truncated, gamma, valid)


def reward_to_go(
    rewards: FloatArray,
    terminated: BoolArray,
    truncated: BoolArray,
    *,
    gamma: float,
    last_values: FloatArray | None = None,
    final_values: FloatArray | None = None,
) -> FloatArray:
    """Return from each step on.

    Gₜ = rₜ + γ Gₜ₊₁ inside an episode; Gₜ = rₜ where it terminated; Gₜ = rₜ + γ V(final
    observation) where it was truncated; the last row goes on with V(last_observations). A value
    that is not given counts as zero.

    Special cases: γ = 0 gives the rewards. `gae` with λ = 1 gives reward-to-go minus V.

    Source: Sutton & Barto 2018, eq. 3.9.

    Parameters:
        rewards: (T, N) float32 or float64.
        terminated: (T, N) bool.
        truncated: (T, N) bool.
        gamma: discount γ in [0, 1].
        last_values: (N,) V of the observations after the last row.
        final_values: (K,) V of the final observation of each truncated step, in the order of
            `np.argwhere(truncated)`; not read where the step terminated as well. Required where
            `last_values` is given and a step is truncated only.

    Returns:
        (T, N) in the dtype of `rewards`.

    Raises:
        ValueError: a shape, stride or γ that does not fit, or final values that are missing.
        TypeError: a dtype that does not fit.

    >>> r, no = np.array([[1.0], [2.0], [4.0]]), np.zeros((3, 1), bool)
    >>> reward_to_go(r, np.array([[False], [True], [False]]), no, gamma=0.5).ravel()
    array([2., 2., 4.])
    """
    return _core.reward_to_go(rewards, terminated, truncated, gamma, last_values, final_values)


def gae(
    rewards: FloatArray,
    values: FloatArray,
    terminated: BoolArray,
    truncated: BoolArray,
    *,
    gamma: float,
    lam: float,
    final_values: FloatArray | None = None,
) -> FloatArray:
    """Generalised advantage estimation.

    δₜ = rₜ + γ V′ₜ − Vₜ,  Aₜ = δₜ + γλ Aₜ₊₁ inside an episode, Aₜ = δₜ where it ends. V′ₜ is Vₜ₊₁;
    0 where the step terminated; V(final observation) where it was truncated.

    Special cases: λ = 0 gives the temporal differences δ; λ = 1 gives reward-to-go minus V.

    Source: Schulman, Moritz, Levine, Jordan & Abbeel 2016, eq. 16. There the episode is endless;
    what happens where one ends is said above.

    Parameters:
        rewards: (T, N) float32 or float64.
        values: (T + 1, N) V of each row's observations; the last row is V(last_observations).
        terminated: (T, N) bool.
        truncated: (T, N) bool.
        gamma: discount γ in [0, 1].
        lam: trace decay λ in [0, 1].
        final_values: (K,) V of the final observation of each truncated step, in the order of
            `np.argwhere(truncated)`; not read where the step terminated as well. Required where a
            step is truncated only.

    Returns:
        Advantages (T, N) in the dtype of `rewards`.

    Raises:
        ValueError: a shape, stride, γ or λ that does not fit, or final values that are missing.
        TypeError: a dtype that does not fit.

    >>> r, no = np.array([[1.0], [1.0]]), np.zeros((2, 1), bool)
    >>> gae(r, np.array([[1.0], [2.0], [3.0]]), no, no, gamma=1.0, lam=1.0).ravel()
    array([4., 2.])
    """
    return _core.gae(rewards, values, terminated, truncated, gamma, lam, final_values)


def n_step_return(
    rewards: FloatArray,
    values: FloatArray,
    terminated: BoolArray,
    truncated: BoolArray,
    *,
    gamma: float,
    n: int,
    final_values: FloatArray | None = None,
) -> FloatArray:
    """Return of n steps and the value of what is there then.

    Gₜ = rₜ + γ rₜ₊₁ + … + γⁿ⁻¹ rₜ₊ₙ₋₁ + γⁿ Vₜ₊ₙ. A window that meets the end of its episode stops
    there: it ends with nothing where the step k terminated, with γᵏ⁺¹⁻ᵗ V(final observation) where
    it was truncated. One that meets the end of the rollout ends with V(last_observations).

    Special cases: n = 1 gives rₜ + γ V′ₜ, the target of temporal differences; n ≥ T gives
    reward-to-go.

    Source: Sutton & Barto 2018, eq. 7.1.

    Parameters:
        rewards: (T, N) float32 or float64.
        values: (T + 1, N) V of each row's observations; the last row is V(last_observations).
        terminated: (T, N) bool.
        truncated: (T, N) bool.
        gamma: discount γ in [0, 1].
        n: steps, at least 1. The cost does not depend on it.
        final_values: (K,) V of the final observation of each truncated step, in the order of
            `np.argwhere(truncated)`; not read where the step terminated as well. Required where a
            step is truncated only.

    Returns:
        (T, N) in the dtype of `rewards`.

    Raises:
        ValueError: a shape, stride, γ or n that does not fit, or final values that are missing.
        TypeError: a dtype that does not fit.

    >>> r, no = np.array([[1.0], [2.0], [4.0]]), np.zeros((3, 1), bool)
    >>> n_step_return(r, np.full((4, 1), 8.0), no, no, gamma=0.5, n=2).ravel()
    array([4., 6., 8.])
    """
    return _core.n_step_return(
        rewards,
        values,
        terminated,
        truncated,
        gamma,
        as_count("n_step_return", "n", n),
        final_values,
    )


def lambda_return(
    rewards: FloatArray,
    values: FloatArray,
    terminated: BoolArray,
    truncated: BoolArray,
    *,
    gamma: float,
    lam: float,
    final_values: FloatArray | None = None,
) -> FloatArray:
    """λ-return: the exponential mean (1 − λ) Σₙ λⁿ⁻¹ G⁽ⁿ⁾ of the n-step returns.

    Gₜ = rₜ + γ ((1 − λ) Vₜ₊₁ + λ Gₜ₊₁) inside an episode; Gₜ = rₜ where it terminated; Gₜ = rₜ +
    γ V(final observation) where it was truncated; after the last row G is V(last_observations).

    Special cases: λ = 0 gives rₜ + γ V′ₜ; λ = 1 gives reward-to-go. It is `gae` plus V: what a
    critic is fitted to.

    Source: Sutton & Barto 2018, eq. 12.18.

    Parameters:
        rewards: (T, N) float32 or float64.
        values: (T + 1, N) V of each row's observations; the last row is V(last_observations).
        terminated: (T, N) bool.
        truncated: (T, N) bool.
        gamma: discount γ in [0, 1].
        lam: trace decay λ in [0, 1].
        final_values: (K,) V of the final observation of each truncated step, in the order of
            `np.argwhere(truncated)`; not read where the step terminated as well. Required where a
            step is truncated only.

    Returns:
        (T, N) in the dtype of `rewards`.

    Raises:
        ValueError: a shape, stride, γ or λ that does not fit, or final values that are missing.
        TypeError: a dtype that does not fit.

    >>> r, no = np.array([[1.0], [1.0]]), np.zeros((2, 1), bool)
    >>> lambda_return(r, np.array([[1.0], [2.0], [3.0]]), no, no, gamma=1.0, lam=0.5).ravel()
    array([4., 4.])
    """
    return _core.lambda_return(rewards, values, terminated, truncated, gamma, lam, final_values)
