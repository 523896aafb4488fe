"""Slow, obvious NumPy twins of the kernels: oracle, baseline of the benchmarks, specification.

Same names and arguments as the functions of `pgfast`. Nothing here calls the core.
"""

from __future__ import annotations

from pgfast.reference.acrobot import acrobot_step
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
from pgfast.reference.features import (
    fourier_features,
    one_hot_features,
    polynomial_features,
    rbf_features,
    tile_features,
)
from pgfast.reference.lqr import lqr_step
from pgfast.reference.moments import explained_variance, normalize_advantages
from pgfast.reference.mountain_car import mountain_car_continuous_step, mountain_car_step
from pgfast.reference.moving_particle import moving_particle_step
from pgfast.reference.optimizers import adam_step, sgd_step
from pgfast.reference.pendulum import pendulum_step
from pgfast.reference.policy import SoftmaxPolicy, StateActionSoftmaxPolicy
from pgfast.reference.random import normal, philox, uniform
from pgfast.reference.returns import (
    episode_return,
    gae,
    lambda_return,
    n_step_return,
    reward_to_go,
)
from pgfast.reference.rock_paper_scissors import rock_paper_scissors_round
from pgfast.reference.tabular import (
    tabular_fisher,
    tabular_gradient,
    tabular_optimal_values,
    tabular_values,
    tabular_visitation,
)
from pgfast.reference.value_function import ValueFunction
from pgfast.reference.vtrace import vtrace

__all__ = [
    "SoftmaxPolicy",
    "StateActionSoftmaxPolicy",
    "ValueFunction",
    "acrobot_step",
    "adam_step",
    "cartpole_step",
    "conjugate_gradient",
    "constant_baseline",
    "episode_return",
    "explained_variance",
    "fourier_features",
    "gae",
    "gaussian_entropy",
    "gaussian_kl",
    "gaussian_log_prob",
    "gaussian_sample",
    "gaussian_score",
    "lambda_return",
    "leave_one_out_baseline",
    "linear_baseline",
    "lqr_step",
    "mountain_car_continuous_step",
    "mountain_car_step",
    "moving_particle_step",
    "multi_softmax_entropy",
    "multi_softmax_kl",
    "multi_softmax_log_prob",
    "multi_softmax_sample",
    "multi_softmax_score",
    "n_step_return",
    "normal",
    "normalize_advantages",
    "one_hot_features",
    "optimal_baseline",
    "pendulum_step",
    "philox",
    "polynomial_features",
    "rbf_features",
    "reward_to_go",
    "rock_paper_scissors_round",
    "sgd_step",
    "softmax_entropy",
    "softmax_kl",
    "softmax_log_prob",
    "softmax_sample",
    "softmax_score",
    "tabular_fisher",
    "tabular_gradient",
    "tabular_optimal_values",
    "tabular_values",
    "tabular_visitation",
    "tile_features",
    "time_baseline",
    "uniform",
    "vtrace",
]
