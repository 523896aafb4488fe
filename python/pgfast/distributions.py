"""The distributions as plain functions of arrays, for those who bring their own network.

`logits` has shape (..., A): any leading dimensions, (B,) or (T, N). `actions` has the leading shape
and holds int64 (int32 is taken too) in [0, A).
"""

from __future__ import annotations

from pgfast import _core
from pgfast._typing import FloatArray, IntArray, as_seed


def softmax_log_prob(logits: FloatArray, actions: IntArray) -> FloatArray:
    """Log-probability of actions.

    log π(a) = zₐ − log Σ_b exp(z_b).

    Parameters:
        logits: z (..., A) float32 or float64.
        actions: (...) int64.

    Returns:
        (...) in the dtype of `logits`; finite for any finite logits.

    Raises:
        ValueError: a shape or stride that does not fit, an action out of range.
        TypeError: a dtype that does not fit.

    >>> softmax_log_prob(np.zeros((1, 4)), np.array([2])) == -np.log(4)
    array([ True])
    """
    return _core.softmax_log_prob(logits, actions)


def softmax_score(logits: FloatArray, actions: IntArray) -> FloatArray:
    """Score with respect to the logits.

    ∂ log π(a) / ∂z_b = 1[a = b] − π(b). Its mean under π is zero.

    Parameters:
        logits: z (..., A) float32 or float64.
        actions: (...) int64.

    Returns:
        (..., A) in the dtype of `logits`.

    Raises:
        ValueError: a shape or stride that does not fit, an action out of range.
        TypeError: a dtype that does not fit.

    >>> softmax_score(np.zeros((1, 2)), np.array([0]))
    array([[ 0.5, -0.5]])
    """
    return _core.softmax_score(logits, actions)


def softmax_entropy(logits: FloatArray) -> FloatArray:
    """Entropy in nats.

    H = −Σₐ π(a) log π(a), with 0 log 0 = 0; between 0 and log A.

    Parameters:
        logits: z (..., A) float32 or float64.

    Returns:
        (...) in the dtype of `logits`.

    Raises:
        ValueError: a shape or stride that does not fit.
        TypeError: a dtype that does not fit.

    >>> softmax_entropy(np.zeros((1, 4))) == np.log(4)
    array([ True])
    """
    return _core.softmax_entropy(logits)


def softmax_kl(logits: FloatArray, other_logits: FloatArray) -> FloatArray:
    """Kullback–Leibler divergence in nats.

    KL(π ‖ π′) = Σₐ π(a) (log π(a) − log π′(a)).

    Parameters:
        logits: z of π (..., A) float32 or float64.
        other_logits: z of π′, same shape and dtype.

    Returns:
        (...) in the dtype of `logits`.

    Raises:
        ValueError: a shape or stride that does not fit.
        TypeError: a dtype that does not fit.

    >>> softmax_kl(np.array([[0.0, 1.0]]), np.array([[5.0, 6.0]]))
    array([0.])
    """
    return _core.softmax_kl(logits, other_logits)


def softmax_sample(logits: FloatArray, *, seed: int, index: int = 0) -> IntArray:
    """Sample actions.

    a = the first action whose cumulated probability exceeds u, where u is draw `index` of stream b
    for row b. Same logits, seed and index: same actions. Count `index` up for new ones.

    Parameters:
        logits: z (..., A) float32 or float64.
        seed: 0 ≤ seed < 2⁶⁴.
        index: 0 ≤ index < 2⁶⁴.

    Returns:
        (...) int64.

    Raises:
        ValueError: a shape, stride or seed that does not fit.
        TypeError: a dtype that does not fit.

    >>> softmax_sample(np.array([[0.0, 100.0]]), seed=0)
    array([1])
    """
    return _core.softmax_sample(
        logits, as_seed("softmax_sample", seed), as_seed("softmax_sample", index, "index")
    )
