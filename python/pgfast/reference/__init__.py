"""Slow, obvious NumPy twins of the kernels: oracle, baseline of the benchmarks, specification.

Same names and arguments as the functions of `pgfast`. Nothing here calls the core.
"""

from __future__ import annotations

from pgfast.reference.baselines import (
    constant_baseline,
    leave_one_out_baseline,
    linear_baseline,
    optimal_baseline,
    time_baseline,
)
from pgfast.reference.cartpole import cartpole_step
from pgfast.reference.conjugate_gradient import conjugate_gradient
from pgfast.reference.distributions import (
    softmax_entropy,
    softmax_kl,
    softmax_log_prob,
    softmax_sample,
    softmax_score,
)
from pgfast.reference.optimizers import adam_step, sgd_step
from pgfast.reference.policy import SoftmaxPolicy, StateActionSoftmaxPolicy
from pgfast.reference.random import normal, philox, uniform
from pgfast.reference.returns import (
    episode_return,
    gae,
    lambda_return,
    n_step_return,
    reward_to_go,
)
from pgfast.reference.value_function import ValueFunction
from pgfast.reference.vtrace import vtrace

__all__ = [
    "SoftmaxPolicy",
    "StateActionSoftmaxPolicy",
    "ValueFunction",
    "adam_step",
    "cartpole_step",
    "conjugate_gradient",
    "constant_baseline",
    "episode_return",
    "gae",
    "lambda_return",
    "leave_one_out_baseline",
    "linear_baseline",
    "n_step_return",
    "normal",
    "optimal_baseline",
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
    "vtrace",
]
