"""The distributions as plain functions of arrays, for those who bring their own network.

`softmax` for one discrete action, `multi_softmax` for several at once, `gaussian` for continuous
ones: each has log_prob, score, entropy, kl and sample, over any leading dimensions, (B,) or (T, N).
"""

from __future__ import annotations

from pgfast.distributions.gaussian import (
    gaussian_entropy,
    gaussian_kl,
    gaussian_log_prob,
    gaussian_sample,
    gaussian_score,
)
from pgfast.distributions.multi_softmax import (
    multi_softmax_entropy,
    multi_softmax_kl,
    multi_softmax_log_prob,
    multi_softmax_sample,
    multi_softmax_score,
)
from pgfast.distributions.softmax import (
    softmax_entropy,
    softmax_kl,
    softmax_log_prob,
    softmax_sample,
    softmax_score,
)

__all__ = [
    "gaussian_entropy",
    "gaussian_kl",
    "gaussian_log_prob",
    "gaussian_sample",
    "gaussian_score",
    "multi_softmax_entropy",
    "multi_softmax_kl",
    "multi_softmax_log_prob",
    "multi_softmax_sample",
    "multi_softmax_score",
    "softmax_entropy",
    "softmax_kl",
    "softmax_log_prob",
    "softmax_sample",
    "softmax_score",
]
