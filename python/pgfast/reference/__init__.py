"""Slow, obvious NumPy twins of the kernels: oracle, baseline of the benchmarks, specification.

Same names and arguments as the functions of `pgfast`. Nothing here calls the core.
"""

from __future__ import annotations

from pgfast.reference.baselines import constant_baseline, leave_one_out_baseline, time_baseline
from pgfast.reference.cartpole import cartpole_step
from pgfast.reference.conjugate_gradient import conjugate_gradient
from pgfast.reference.distributions import (
    gaussian_entropy,
    gaussian_kl,
    gaussian_log_prob,
    gaussian_sample,
    gaussian_score,
    multi_softmax_entropy,
    multi_softmax_kl,
    multi_softmax_log_prob,
    multi_softmax_sample,
    multi_softmax_score,
    softmax_entropy,
    softmax_kl,
    softmax_log_prob,
    softmax_sample,
    softmax_score,
)
from pgfast.reference.optimizers import adam_step, sgd_step
from pgfast.reference.policy import SoftmaxPolicy, StateActionSoftmaxPolicy
from pgfast.reference.random import normal, philox, uniform
from pgfast.reference.returns import episode_return, gae, reward_to_go

__all__ = [
    "SoftmaxPolicy",
    "StateActionSoftmaxPolicy",
    "adam_step",
    "cartpole_step",
    "conjugate_gradient",
    "constant_baseline",
    "episode_return",
    "gae",
    "gaussian_entropy",
    "gaussian_kl",
    "gaussian_log_prob",
    "gaussian_sample",
    "gaussian_score",
    "leave_one_out_baseline",
    "multi_softmax_entropy",
    "multi_softmax_kl",
    "multi_softmax_log_prob",
    "multi_softmax_sample",
    "multi_softmax_score",
    "normal",
    "philox",
    "reward_to_go",
    "sgd_step",
    "softmax_entropy",
    "softmax_kl",
    "softmax_log_prob",
    "softmax_sample",
    "softmax_score",
    "time_baseline",
    "uniform",
]
