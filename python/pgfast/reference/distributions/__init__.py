"""Twins of `pgfast.distributions`."""

from __future__ import annotations

from pgfast.reference.distributions.gaussian import (
    gaussian_entropy,
    gaussian_fisher,
    gaussian_kl,
    gaussian_log_prob,
    gaussian_sample,
    gaussian_score,
)
from pgfast.reference.distributions.multi_softmax import (
    multi_softmax_entropy,
    multi_softmax_fisher,
    multi_softmax_kl,
    multi_softmax_log_prob,
    multi_softmax_sample,
    multi_softmax_score,
)
from pgfast.reference.distributions.softmax import (
    softmax_entropy,
    softmax_fisher,
    softmax_kl,
    softmax_log_prob,
    softmax_sample,
    softmax_score,
)

__all__ = [
    "gaussian_entropy",
    "gaussian_fisher",
    "gaussian_kl",
    "gaussian_log_prob",
    "gaussian_sample",
    "gaussian_score",
    "multi_softmax_entropy",
    "multi_softmax_fisher",
    "multi_softmax_kl",
    "multi_softmax_log_prob",
    "multi_softmax_sample",
    "multi_softmax_score",
    "softmax_entropy",
    "softmax_fisher",
    "softmax_kl",
    "softmax_log_prob",
    "softmax_sample",
    "softmax_score",
]
