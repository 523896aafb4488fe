"""Policy gradients on the CPU: every method, proved right, near the limit of the hardware.

NumPy arrays in, NumPy arrays out. `import pgfast` loads NumPy alone; what needs Gymnasium, rich or
safetensors is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pgfast.build import __version__, build_info  # first: checks the CPU before _core is loaded

# isort: split
# These three have the name of their module: they must stand here before anything imports it.
from pgfast.conjugate_gradient import CGResult, conjugate_gradient
from pgfast.envs.registration import register_when_gymnasium_is_loaded
from pgfast.explained_variance import explained_variance
from pgfast.vtrace import vtrace

if TYPE_CHECKING:
    from pgfast import reference
    from pgfast.algorithms import (
        A2C,
        GRPO,
        NPG,
        PPO,
        TRPO,
        CompatibleActorCritic,
        Critic,
        PolicyGradient,
        Reinforce,
    )
    from pgfast.algorithms.behaviour_cloning import behaviour_cloning
    from pgfast.baselines import (
        constant_baseline,
        leave_one_out_baseline,
        linear_baseline,
        optimal_baseline,
        score_norms,
        time_baseline,
    )
    from pgfast.checkpoint import load
    from pgfast.diagnostics import (
        compare_baselines,
        effective_sample_size,
        episode_gradients,
        gradient_variance,
        signal_to_noise_ratio,
    )
    from pgfast.distributions import (
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
    from pgfast.envs.check import check_vector_env
    from pgfast.envs.collect import collect
    from pgfast.envs.lqr import LQROptimum, lqr_optimum
    from pgfast.envs.make import make
    from pgfast.envs.policy_for import policy_for
    from pgfast.evaluation import evaluate
    from pgfast.features import (
        FourierFeatures,
        OneHotFeatures,
        PolynomialFeatures,
        RBFFeatures,
        TileFeatures,
        state_action_features,
    )
    from pgfast.gaussian_policy import GaussianPolicy
    from pgfast.multi_softmax_policy import MultiSoftmaxPolicy
    from pgfast.normalization import (
        ObservationNormalizer,
        RewardNormalizer,
        normalize_advantages,
    )
    from pgfast.optimizers import SGD, Adam
    from pgfast.parallel import get_num_threads, set_num_threads
    from pgfast.random import normal, uniform
    from pgfast.returns import episode_return, gae, lambda_return, n_step_return, reward_to_go
    from pgfast.rollout import Rollout
    from pgfast.run import Run
    from pgfast.running_moments import RunningMoments
    from pgfast.softmax_policy import SoftmaxPolicy, StateActionSoftmaxPolicy
    from pgfast.tabular import TabularMDP
    from pgfast.training import Trainer, train
    from pgfast.value_function import ValueFit, ValueFunction

# Where the other names come from, when they are first used.
_MODULES = {
    "pgfast.algorithms": (
        "A2C",
        "GRPO",
        "NPG",
        "PPO",
        "TRPO",
        "CompatibleActorCritic",
        "Critic",
        "PolicyGradient",
        "Reinforce",
    ),
    "pgfast.algorithms.behaviour_cloning": ("behaviour_cloning",),
    "pgfast.baselines": (
        "constant_baseline",
        "leave_one_out_baseline",
        "linear_baseline",
        "optimal_baseline",
        "score_norms",
        "time_baseline",
    ),
    "pgfast.checkpoint": ("load",),
    "pgfast.diagnostics": (
        "compare_baselines",
        "effective_sample_size",
        "episode_gradients",
        "gradient_variance",
        "signal_to_noise_ratio",
    ),
    "pgfast.distributions": (
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
    ),
    "pgfast.envs.check": ("check_vector_env",),
    "pgfast.envs.collect": ("collect",),
    "pgfast.envs.lqr": ("LQROptimum", "lqr_optimum"),
    "pgfast.envs.make": ("make",),
    "pgfast.envs.policy_for": ("policy_for",),
    "pgfast.evaluation": ("evaluate",),
    "pgfast.features": (
        "FourierFeatures",
        "OneHotFeatures",
        "PolynomialFeatures",
        "RBFFeatures",
        "TileFeatures",
        "state_action_features",
    ),
    "pgfast.gaussian_policy": ("GaussianPolicy",),
    "pgfast.multi_softmax_policy": ("MultiSoftmaxPolicy",),
    "pgfast.normalization": ("ObservationNormalizer", "RewardNormalizer", "normalize_advantages"),
    "pgfast.optimizers": ("SGD", "Adam"),
    "pgfast.parallel": ("get_num_threads", "set_num_threads"),
    "pgfast.random": ("normal", "uniform"),
    "pgfast.reference": ("reference",),
    "pgfast.returns": ("episode_return", "gae", "lambda_return", "n_step_return", "reward_to_go"),
    "pgfast.rollout": ("Rollout",),
    "pgfast.run": ("Run",),
    "pgfast.running_moments": ("RunningMoments",),
    "pgfast.softmax_policy": ("SoftmaxPolicy", "StateActionSoftmaxPolicy"),
    "pgfast.tabular": ("TabularMDP",),
    "pgfast.training": ("Trainer", "train"),
    "pgfast.value_function": ("ValueFit", "ValueFunction"),
}
_LAZY = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "A2C",
    "GRPO",
    "NPG",
    "PPO",
    "SGD",
    "TRPO",
    "Adam",
    "CGResult",
    "CompatibleActorCritic",
    "Critic",
    "FourierFeatures",
    "GaussianPolicy",
    "LQROptimum",
    "MultiSoftmaxPolicy",
    "ObservationNormalizer",
    "OneHotFeatures",
    "PolicyGradient",
    "PolynomialFeatures",
    "RBFFeatures",
    "Reinforce",
    "RewardNormalizer",
    "Rollout",
    "Run",
    "RunningMoments",
    "SoftmaxPolicy",
    "StateActionSoftmaxPolicy",
    "TabularMDP",
    "TileFeatures",
    "Trainer",
    "ValueFit",
    "ValueFunction",
    "__version__",
    "behaviour_cloning",
    "build_info",
    "check_vector_env",
    "collect",
    "compare_baselines",
    "conjugate_gradient",
    "constant_baseline",
    "effective_sample_size",
    "episode_gradients",
    "episode_return",
    "evaluate",
    "explained_variance",
    "gae",
    "gaussian_entropy",
    "gaussian_kl",
    "gaussian_log_prob",
    "gaussian_sample",
    "gaussian_score",
    "get_num_threads",
    "gradient_variance",
    "lambda_return",
    "leave_one_out_baseline",
    "linear_baseline",
    "load",
    "lqr_optimum",
    "make",
    "multi_softmax_entropy",
    "multi_softmax_kl",
    "multi_softmax_log_prob",
    "multi_softmax_sample",
    "multi_softmax_score",
    "n_step_return",
    "normal",
    "normalize_advantages",
    "optimal_baseline",
    "policy_for",
    "reference",
    "reward_to_go",
    "score_norms",
    "set_num_threads",
    "signal_to_noise_ratio",
    "softmax_entropy",
    "softmax_kl",
    "softmax_log_prob",
    "softmax_sample",
    "softmax_score",
    "state_action_features",
    "time_baseline",
    "train",
    "uniform",
    "vtrace",
]


register_when_gymnasium_is_loaded()


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'pgfast' has no attribute {name!r}")
    module = import_module(_LAZY[name])
    value = module if name == "reference" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
