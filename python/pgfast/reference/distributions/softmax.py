"""Twin of `pgfast.distributions.softmax`: logits (..., A), perhaps masked."""

from __future__ import annotations

import math

import numpy as np

from pgfast._typing import BoolArray, FloatArray, IntArray
from pgfast.reference.random import ACTION, draws


def _log_softmax(logits: FloatArray, mask: BoolArray | None = None) -> FloatArray:
    if mask is not None:
        logits = np.where(mask, logits, logits.dtype.type(-np.inf))
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def softmax_log_prob(
    logits: FloatArray, actions: IntArray, *, mask: BoolArray | None = None
) -> FloatArray:
    """log π(a)."""
    return np.take_along_axis(_log_softmax(logits, mask), actions[..., None], axis=-1)[..., 0]


def softmax_score(
    logits: FloatArray, actions: IntArray, *, mask: BoolArray | None = None
) -> FloatArray:
    """1[a = b] − π(b), 0 where b is forbidden."""
    one_hot = np.arange(logits.shape[-1]) == actions[..., None]
    log_p = _log_softmax(logits, mask)
    return np.where(log_p == -np.inf, 0, one_hot - np.exp(log_p))


def softmax_entropy(logits: FloatArray, *, mask: BoolArray | None = None) -> FloatArray:
    """−Σ π log π."""
    log_p = _log_softmax(logits, mask)
    p = np.exp(log_p)
    return -np.where(p > 0, p * np.where(p > 0, log_p, 0), 0).sum(axis=-1)


def softmax_kl(
    logits: FloatArray, other_logits: FloatArray, *, mask: BoolArray | None = None
) -> FloatArray:
    """Σ π (log π − log π′)."""
    log_p, log_q = _log_softmax(logits, mask), _log_softmax(other_logits, mask)
    p = np.exp(log_p)
    possible = p > 0
    difference = np.subtract(log_p, log_q, out=np.zeros_like(log_p), where=possible)
    return (p * difference).sum(axis=-1)


def softmax_fisher(
    logits: FloatArray, u: FloatArray, *, mask: BoolArray | None = None
) -> FloatArray:
    """(diag(π) − ππᵀ) u."""
    p = np.exp(_log_softmax(logits, mask))
    return p * (u - (p * u).sum(axis=-1, keepdims=True))


def softmax_sample(
    logits: FloatArray,
    *,
    seed: int,
    index: int = 0,
    first_stream: int = 0,
    mask: BoolArray | None = None,
) -> IntArray:
    """The first action whose cumulated probability exceeds the row's uniform draw."""
    p = np.exp(_log_softmax(logits, mask))
    streams = first_stream + np.arange(math.prod(logits.shape[:-1])).reshape(logits.shape[:-1])
    u = draws(seed, ACTION, streams, index, logits.dtype)
    exceeds = (np.cumsum(p, axis=-1) > u[..., None]) & (p > 0)
    last = p.shape[-1] - 1 - (p > 0)[..., ::-1].argmax(axis=-1)
    return np.where(exceeds.any(axis=-1), exceeds.argmax(axis=-1), last)
