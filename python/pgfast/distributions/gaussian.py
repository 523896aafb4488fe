"""The diagonal Gaussian over A numbers, as plain functions of its mean and log σ.

`mean` and `actions` have shape (..., A): any leading dimensions, (B,) or (T, N). `log_std` has the
same shape, or (A,): one for all samples. All share a dtype. σ = exp(log_std) is never smaller than
the dtype's normal numbers: a log_std below −87 (float32) or −708 (float64) counts as that bound.
"""

from __future__ import annotations

from pgfast import _core
from pgfast._typing import FloatArray, as_seed


def gaussian_log_prob(mean: FloatArray, log_std: FloatArray, actions: FloatArray) -> FloatArray:
    """Log-density of actions.

    log π(x) = −Σₐ (uₐ²/2 + log σₐ + ½ log 2π), with u = (x − μ) / σ.

    Parameters:
        mean: μ (..., A) float32 or float64.
        log_std: log σ (..., A) or (A,), finite.
        actions: x (..., A), finite.

    Returns:
        (...) in the dtype of `mean`.

    Raises:
        ValueError: a shape or stride that does not fit, a log_std or action that is not finite.
        TypeError: a dtype that does not fit.

    >>> gaussian_log_prob(np.zeros((1, 2)), np.zeros(2), np.zeros((1, 2))).round(3)
    array([-1.838])
    """
    return _core.gaussian_log_prob(mean, log_std, actions)


def gaussian_score(
    mean: FloatArray, log_std: FloatArray, actions: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Score with respect to the mean and to log σ.

    ∂ log π(x) / ∂μ = u / σ and ∂ log π(x) / ∂ log σ = u² − 1, with u = (x − μ) / σ. Under π the
    mean of both is zero.

    Parameters:
        mean: μ (..., A) float32 or float64.
        log_std: log σ (..., A) or (A,), finite.
        actions: x (..., A), finite.

    Returns:
        Two arrays (..., A) in the dtype of `mean`: by the mean, and by each sample's log σ (where
        all samples share one, sum over them).

    Raises:
        ValueError: a shape or stride that does not fit, a log_std or action that is not finite.
        TypeError: a dtype that does not fit.

    >>> gaussian_score(np.zeros((1, 1)), np.zeros(1), np.array([[2.0]]))
    (array([[2.]]), array([[3.]]))
    """
    return _core.gaussian_score(mean, log_std, actions)


def gaussian_entropy(mean: FloatArray, log_std: FloatArray) -> FloatArray:
    """Differential entropy in nats.

    H = Σₐ (log σₐ + ½ log 2πe): it does not depend on the mean, and may be negative.

    Parameters:
        mean: μ (..., A) float32 or float64.
        log_std: log σ (..., A) or (A,), finite.

    Returns:
        (...) in the dtype of `mean`.

    Raises:
        ValueError: a shape or stride that does not fit, a log_std that is not finite.
        TypeError: a dtype that does not fit.

    >>> gaussian_entropy(np.zeros((1, 2)), np.zeros(2)).round(3)
    array([2.838])
    """
    return _core.gaussian_entropy(mean, log_std)


def gaussian_kl(
    mean: FloatArray, log_std: FloatArray, other_mean: FloatArray, other_log_std: FloatArray
) -> FloatArray:
    """Kullback–Leibler divergence in nats.

    KL(π ‖ π′) = Σₐ ½ (e²ᵗ − 1) − t + ½ d², with t = log σ − log σ′ and d = (μ − μ′) / σ′.

    Parameters:
        mean: μ of π (..., A) float32 or float64.
        log_std: log σ of π (..., A) or (A,), finite.
        other_mean: μ′ of π′ (..., A).
        other_log_std: log σ′ of π′ (..., A) or (A,), finite.

    Returns:
        (...) in the dtype of `mean`.

    Raises:
        ValueError: a shape or stride that does not fit, a log_std that is not finite.
        TypeError: a dtype that does not fit.

    >>> gaussian_kl(np.array([[3.0]]), np.zeros(1), np.array([[1.0]]), np.zeros(1))
    array([2.])
    """
    return _core.gaussian_kl(mean, log_std, other_mean, other_log_std)


def gaussian_sample(
    mean: FloatArray, log_std: FloatArray, *, seed: int, index: int = 0
) -> FloatArray:
    """Sample actions.

    x = μ + σ n. For row b, dimensions a = 2m and 2m + 1 take n = √(−2 ln(1 − u)) cos(2πv) and
    sin(2πv) (Box & Muller 1958), where u and v are draws k + 2m and k + 2m + 1 of stream b and k is
    `index` times A rounded up to an even number. Same arguments: same actions. Count `index` up for
    new ones.

    Parameters:
        mean: μ (..., A) float32 or float64.
        log_std: log σ (..., A) or (A,), finite.
        seed: 0 ≤ seed < 2⁶⁴.
        index: 0 ≤ index < 2⁶⁴.

    Returns:
        (..., A) in the dtype of `mean`; not clipped to any bounds.

    Raises:
        ValueError: a shape, stride or seed that does not fit, a log_std that is not finite.
        TypeError: a dtype that does not fit.

    >>> gaussian_sample(np.full((1, 3), 5.0), np.full(3, -100.0), seed=0)
    array([[5., 5., 5.]])
    """
    return _core.gaussian_sample(
        mean,
        log_std,
        as_seed("gaussian_sample", seed),
        as_seed("gaussian_sample", index, "index"),
    )
