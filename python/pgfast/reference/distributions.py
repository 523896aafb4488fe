"""Twin of `pgfast.distributions`: the softmax distribution on logits (..., A)."""

from __future__ import annotations

import math

import numpy as np

from pgfast._typing import FloatArray, IntArray
from pgfast.reference.random import ACTION, draws


def _log_softmax(logits: FloatArray) -> FloatArray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def softmax_log_prob(logits: FloatArray, actions: IntArray) -> FloatArray:
    """log π(a)."""
    return np.take_along_axis(_log_softmax(logits), actions[..., None], axis=-1)[..., 0]


def softmax_score(logits: FloatArray, actions: IntArray) -> FloatArray:
    """1[a = b] − π(b)."""
    one_hot = np.arange(logits.shape[-1]) == actions[..., None]
    return one_hot - np.exp(_log_softmax(logits))


def softmax_entropy(logits: FloatArray) -> FloatArray:
    """−Σ π log π."""
    log_p = _log_softmax(logits)
    p = np.exp(log_p)
    return -np.where(p > 0, p * np.where(p > 0, log_p, 0), 0).sum(axis=-1)


def softmax_kl(logits: FloatArray, other_logits: FloatArray) -> FloatArray:
    """Σ π (log π − log π′)."""
    log_p, log_q = _log_softmax(logits), _log_softmax(other_logits)
    p = np.exp(log_p)
    return np.where(p > 0, p * np.where(p > 0, log_p - log_q, 0), 0).sum(axis=-1)


def softmax_fisher(logits: FloatArray, u: FloatArray) -> FloatArray:
    """(diag(π) − ππᵀ) u."""
    p = np.exp(_log_softmax(logits))
    return p * (u - (p * u).sum(axis=-1, keepdims=True))


def softmax_sample(
    logits: FloatArray, *, seed: int, index: int = 0, first_stream: int = 0
) -> IntArray:
    """The first action whose cumulated probability exceeds the row's uniform draw."""
    p = np.exp(_log_softmax(logits))
    streams = first_stream + np.arange(math.prod(logits.shape[:-1])).reshape(logits.shape[:-1])
    u = draws(seed, ACTION, streams, index, logits.dtype)
    exceeds = np.cumsum(p, axis=-1) > u[..., None]
    exceeds[..., -1] = True
    return exceeds.argmax(axis=-1)
