"""The softmax distribution over A actions, as plain functions of logits.

`logits` has shape (..., A): any leading dimensions, (B,) or (T, N). `actions` has the leading shape
and holds int64 (int32 is taken too) in [0, A). `mask` has the shape of the logits: where it is
false, the action can't happen and its logit counts for nothing.
"""

from __future__ import annotations

from pgfast import _core
from pgfast._typing import BoolArray, FloatArray, IntArray, as_seed


def softmax_log_prob(
    logits: FloatArray, actions: IntArray, *, mask: BoolArray | None = None
) -> FloatArray:
    """Log-probability of actions.

    log π(a) = zₐ − log Σ_b exp(z_b), the sum over the allowed b; −∞ for an a that is not.

    Parameters:
        logits: z (..., A) float32 or float64.
        actions: (...) int64.
        mask: (..., A) bool, true = allowed; all are where it is None.

    Returns:
        (...) in the dtype of `logits`; finite for any finite logits of allowed actions.

    Raises:
        ValueError: a shape or stride that does not fit, an action out of range, a sample whose
            actions are all forbidden.
        TypeError: a dtype that does not fit.

    >>> softmax_log_prob(np.zeros((1, 4)), np.array([2])) == -np.log(4)
    array([ True])
    """
    return _core.softmax_log_prob(logits, actions, mask)


def softmax_score(
    logits: FloatArray, actions: IntArray, *, mask: BoolArray | None = None
) -> FloatArray:
    """Score with respect to the logits.

    ∂ log π(a) / ∂z_b = 1[a = b] − π(b), and 0 where b is forbidden. Its mean under π is zero.

    Parameters:
        logits: z (..., A) float32 or float64.
        actions: (...) int64.
        mask: (..., A) bool, true = allowed; all are where it is None.

    Returns:
        (..., A) in the dtype of `logits`.

    Raises:
        ValueError: a shape or stride that does not fit, an action out of range, a sample whose
            actions are all forbidden.
        TypeError: a dtype that does not fit.

    >>> softmax_score(np.zeros((1, 2)), np.array([0]))
    array([[ 0.5, -0.5]])
    """
    return _core.softmax_score(logits, actions, mask)


def softmax_entropy(logits: FloatArray, *, mask: BoolArray | None = None) -> FloatArray:
    """Entropy in nats.

    H = −Σₐ π(a) log π(a), with 0 log 0 = 0; between 0 and log A, A the number of allowed actions.

    Parameters:
        logits: z (..., A) float32 or float64.
        mask: (..., A) bool, true = allowed; all are where it is None.

    Returns:
        (...) in the dtype of `logits`.

    Raises:
        ValueError: a shape or stride that does not fit, a sample whose actions are all forbidden.
        TypeError: a dtype that does not fit.

    >>> softmax_entropy(np.zeros((1, 4))) == np.log(4)
    array([ True])
    """
    return _core.softmax_entropy(logits, mask)


def softmax_kl(
    logits: FloatArray, other_logits: FloatArray, *, mask: BoolArray | None = None
) -> FloatArray:
    """Kullback–Leibler divergence in nats.

    KL(π ‖ π′) = Σₐ π(a) (log π(a) − log π′(a)), the sum over the a with π(a) > 0.

    Parameters:
        logits: z of π (..., A) float32 or float64.
        other_logits: z of π′, same shape and dtype.
        mask: (..., A) bool, true = allowed in both; all are where it is None.

    Returns:
        (...) in the dtype of `logits`.

    Raises:
        ValueError: a shape or stride that does not fit, a sample whose actions are all forbidden.
        TypeError: a dtype that does not fit.

    >>> softmax_kl(np.array([[0.0, 1.0]]), np.array([[5.0, 6.0]]))
    array([0.])
    """
    return _core.softmax_kl(logits, other_logits, mask)


def softmax_sample(
    logits: FloatArray, *, seed: int, index: int = 0, mask: BoolArray | None = None
) -> IntArray:
    """Sample actions.

    a = the first action whose cumulated probability exceeds u, where u is draw `index` of stream b
    for row b. Same logits, seed and index: same actions. Count `index` up for new ones. A forbidden
    action is never drawn.

    Parameters:
        logits: z (..., A) float32 or float64.
        seed: 0 ≤ seed < 2⁶⁴.
        index: 0 ≤ index < 2⁶⁴.
        mask: (..., A) bool, true = allowed; all are where it is None.

    Returns:
        (...) int64.

    Raises:
        ValueError: a shape, stride or seed that does not fit, a sample whose actions are all
            forbidden.
        TypeError: a dtype that does not fit.

    >>> softmax_sample(np.array([[0.0, 100.0]]), seed=0)
    array([1])
    """
    return _core.softmax_sample(
        logits, mask, as_seed("softmax_sample", seed), as_seed("softmax_sample", index, "index")
    )
