"""Twin of `pgfast.distributions.multi_softmax`: one softmax after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pgfast._typing import BoolArray, FloatArray, IntArray
from pgfast.reference.distributions import softmax


def _dimensions(
    sizes: Sequence[int], mask: BoolArray | None
) -> Iterator[tuple[int, slice, BoolArray | None]]:
    """(j, its columns of the logits, its columns of the mask) for each dimension."""
    for j, size in enumerate(sizes):
        columns = slice(sum(sizes[:j]), sum(sizes[:j]) + size)
        yield j, columns, None if mask is None else mask[..., columns]


def multi_softmax_log_prob(
    logits: FloatArray, actions: IntArray, sizes: Sequence[int], *, mask: BoolArray | None = None
) -> FloatArray:
    """Σⱼ log πⱼ(aⱼ)."""
    total = np.zeros(logits.shape[:-1], logits.dtype)
    for j, columns, own in _dimensions(sizes, mask):
        total += softmax.softmax_log_prob(logits[..., columns], actions[..., j], mask=own)
    return total


def multi_softmax_score(
    logits: FloatArray, actions: IntArray, sizes: Sequence[int], *, mask: BoolArray | None = None
) -> FloatArray:
    """Each dimension's score, side by side."""
    parts = [
        softmax.softmax_score(logits[..., columns], actions[..., j], mask=own)
        for j, columns, own in _dimensions(sizes, mask)
    ]
    return np.concatenate(parts, axis=-1)


def multi_softmax_entropy(
    logits: FloatArray, sizes: Sequence[int], *, mask: BoolArray | None = None
) -> FloatArray:
    """Σⱼ Hⱼ."""
    total = np.zeros(logits.shape[:-1], logits.dtype)
    for _, columns, own in _dimensions(sizes, mask):
        total += softmax.softmax_entropy(logits[..., columns], mask=own)
    return total


def multi_softmax_kl(
    logits: FloatArray,
    other_logits: FloatArray,
    sizes: Sequence[int],
    *,
    mask: BoolArray | None = None,
) -> FloatArray:
    """Σⱼ KL(πⱼ ‖ π′ⱼ)."""
    total = np.zeros(logits.shape[:-1], logits.dtype)
    for _, columns, own in _dimensions(sizes, mask):
        total += softmax.softmax_kl(logits[..., columns], other_logits[..., columns], mask=own)
    return total


def multi_softmax_fisher(
    logits: FloatArray, u: FloatArray, sizes: Sequence[int], *, mask: BoolArray | None = None
) -> FloatArray:
    """Each dimension's (diag(πⱼ) − πⱼπⱼᵀ) u, side by side."""
    parts = [
        softmax.softmax_fisher(logits[..., columns], u[..., columns], mask=own)
        for _, columns, own in _dimensions(sizes, mask)
    ]
    return np.concatenate(parts, axis=-1)


def multi_softmax_sample(
    logits: FloatArray,
    sizes: Sequence[int],
    *,
    seed: int,
    index: int = 0,
    first_stream: int = 0,
    mask: BoolArray | None = None,
) -> IntArray:
    """Dimension j takes draw index · dims + j of the row's stream."""
    parts = [
        softmax.softmax_sample(
            logits[..., columns],
            seed=seed,
            index=index * len(sizes) + j,
            first_stream=first_stream,
            mask=own,
        )
        for j, columns, own in _dimensions(sizes, mask)
    ]
    return np.stack(parts, axis=-1)
