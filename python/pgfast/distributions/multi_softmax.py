"""Several discrete dimensions at once: a product of softmax distributions, of plain arrays.

`sizes` says how many actions each dimension has. `logits` has shape (..., Σ sizes): one dimension's
logits after the other's, any leading dimensions. `actions` has shape (..., dims) and holds int64
(int32 is taken too), dimension j in [0, sizes[j]). `mask` has the shape of the logits: where it is
false, that action of that dimension can't happen.
"""

from __future__ import annotations

from collections.abc import Sequence

from pgfast import _core
from pgfast._typing import BoolArray, FloatArray, IntArray, as_seed, as_sizes


def multi_softmax_log_prob(
    logits: FloatArray,
    actions: IntArray,
    sizes: Sequence[int],
    *,
    mask: BoolArray | None = None,
) -> FloatArray:
    """Log-probability of actions.

    log π(a) = Σⱼ log πⱼ(aⱼ), πⱼ the softmax of dimension j's logits.

    Parameters:
        logits: z (..., Σ sizes) float32 or float64.
        actions: (..., dims) int64.
        sizes: number of actions of each dimension.
        mask: (..., Σ sizes) bool, true = allowed; all are where it is None.

    Returns:
        (...) in the dtype of `logits`.

    Raises:
        ValueError: a shape or stride that does not fit, an action out of range, a sample with a
            dimension whose actions are all forbidden.
        TypeError: a dtype that does not fit.

    >>> multi_softmax_log_prob(np.zeros((1, 5)), np.array([[0, 2]]), (2, 3)).round(3)
    array([-1.792])
    """
    dims = as_sizes("multi_softmax_log_prob", "sizes", sizes)
    return _core.multi_softmax_log_prob(logits, actions, dims, mask)


def multi_softmax_score(
    logits: FloatArray,
    actions: IntArray,
    sizes: Sequence[int],
    *,
    mask: BoolArray | None = None,
) -> FloatArray:
    """Score with respect to the logits.

    ∂ log π(a) / ∂z = each dimension's own 1[aⱼ = b] − πⱼ(b), one after the other, and 0 where b is
    forbidden. Its mean under π is zero.

    Parameters:
        logits: z (..., Σ sizes) float32 or float64.
        actions: (..., dims) int64.
        sizes: number of actions of each dimension.
        mask: (..., Σ sizes) bool, true = allowed; all are where it is None.

    Returns:
        (..., Σ sizes) in the dtype of `logits`.

    Raises:
        ValueError: a shape or stride that does not fit, an action out of range, a sample with a
            dimension whose actions are all forbidden.
        TypeError: a dtype that does not fit.

    >>> multi_softmax_score(np.zeros((1, 4)), np.array([[0, 1]]), (2, 2))
    array([[ 0.5, -0.5, -0.5,  0.5]])
    """
    dims = as_sizes("multi_softmax_score", "sizes", sizes)
    return _core.multi_softmax_score(logits, actions, dims, mask)


def multi_softmax_entropy(
    logits: FloatArray, sizes: Sequence[int], *, mask: BoolArray | None = None
) -> FloatArray:
    """Entropy in nats.

    H = Σⱼ Hⱼ: the dimensions are independent, so their entropies add up.

    Parameters:
        logits: z (..., Σ sizes) float32 or float64.
        sizes: number of actions of each dimension.
        mask: (..., Σ sizes) bool, true = allowed; all are where it is None.

    Returns:
        (...) in the dtype of `logits`.

    Raises:
        ValueError: a shape or stride that does not fit, a sample with a dimension whose actions are
            all forbidden.
        TypeError: a dtype that does not fit.

    >>> multi_softmax_entropy(np.zeros((1, 5)), (2, 3)).round(3)
    array([1.792])
    """
    dims = as_sizes("multi_softmax_entropy", "sizes", sizes)
    return _core.multi_softmax_entropy(logits, dims, mask)


def multi_softmax_kl(
    logits: FloatArray,
    other_logits: FloatArray,
    sizes: Sequence[int],
    *,
    mask: BoolArray | None = None,
) -> FloatArray:
    """Kullback–Leibler divergence in nats.

    KL(π ‖ π′) = Σⱼ KL(πⱼ ‖ π′ⱼ).

    Parameters:
        logits: z of π (..., Σ sizes) float32 or float64.
        other_logits: z of π′, same shape and dtype.
        sizes: number of actions of each dimension.
        mask: (..., Σ sizes) bool, true = allowed in both; all are where it is None.

    Returns:
        (...) in the dtype of `logits`.

    Raises:
        ValueError: a shape or stride that does not fit, a sample with a dimension whose actions are
            all forbidden.
        TypeError: a dtype that does not fit.

    >>> multi_softmax_kl(np.zeros((1, 5)), np.array([[1.0, 1.0, 2.0, 2.0, 2.0]]), (2, 3))
    array([0.])
    """
    dims = as_sizes("multi_softmax_kl", "sizes", sizes)
    return _core.multi_softmax_kl(logits, other_logits, dims, mask)


def multi_softmax_sample(
    logits: FloatArray,
    sizes: Sequence[int],
    *,
    seed: int,
    index: int = 0,
    mask: BoolArray | None = None,
) -> IntArray:
    """Sample actions.

    aⱼ = the first action of dimension j whose cumulated probability exceeds u, where u is draw
    `index` · dims + j of stream b for row b. Same logits, seed and index: same actions. Count
    `index` up for new ones. A forbidden action is never drawn.

    Parameters:
        logits: z (..., Σ sizes) float32 or float64.
        sizes: number of actions of each dimension.
        seed: 0 ≤ seed < 2⁶⁴.
        index: 0 ≤ index < 2⁶⁴.
        mask: (..., Σ sizes) bool, true = allowed; all are where it is None.

    Returns:
        (..., dims) int64.

    Raises:
        ValueError: a shape, stride or seed that does not fit, a sample with a dimension whose
            actions are all forbidden.
        TypeError: a dtype that does not fit.

    >>> multi_softmax_sample(np.array([[0.0, 100.0, 100.0, 0.0]]), (2, 2), seed=0)
    array([[1, 0]])
    """
    name = "multi_softmax_sample"
    return _core.multi_softmax_sample(
        logits,
        as_sizes(name, "sizes", sizes),
        mask,
        as_seed(name, seed),
        as_seed(name, index, "index"),
    )
