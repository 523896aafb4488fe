"""Policy gradients on the CPU: every method, proved right, near the limit of the hardware.

NumPy arrays in, NumPy arrays out. `import pgfast` loads NumPy alone; what needs Gymnasium, rich or
safetensors is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pgfast.build import __version__, build_info  # first: checks the CPU before _core is loaded

# isort: split
from pgfast import reference
from pgfast.algorithms import NPG, PolicyGradient, Reinforce
from pgfast.baselines import (
    constant_baseline,
    leave_one_out_baseline,
    linear_baseline,
    optimal_baseline,
    score_norms,
    time_baseline,
)
from pgfast.conjugate_gradient import CGResult, conjugate_gradient
from pgfast.diagnostics import (
    compare_baselines,
    effective_sample_size,
    episode_gradients,
    explained_variance,
    gradient_variance,
    signal_to_noise_ratio,
)
from pgfast.distributions import (
    softmax_entropy,
    softmax_kl,
    softmax_log_prob,
    softmax_sample,
    softmax_score,
)
from pgfast.envs.registration import register_when_gymnasium_is_loaded
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
from pgfast.running_moments import RunningMoments
from pgfast.softmax_policy import SoftmaxPolicy, StateActionSoftmaxPolicy
from pgfast.value_function import ValueFit, ValueFunction
from pgfast.vtrace import vtrace

if TYPE_CHECKING:
    from pgfast.checkpoint import load
    from pgfast.envs.collect import collect
    from pgfast.envs.make import make
    from pgfast.evaluation import evaluate
    from pgfast.training import Run, Trainer, policy_for, train

# Names whose modules import more than NumPy.
_LAZY = {
    "load": "pgfast.checkpoint",
    "make": "pgfast.envs.make",
    "Run": "pgfast.training",
    "Trainer": "pgfast.training",
    "collect": "pgfast.envs.collect",
    "evaluate": "pgfast.evaluation",
    "policy_for": "pgfast.training",
    "train": "pgfast.training",
}

__all__ = [
    "NPG",
    "SGD",
    "Adam",
    "CGResult",
    "ObservationNormalizer",
    "PolicyGradient",
    "Reinforce",
    "RewardNormalizer",
    "Rollout",
    "Run",
    "RunningMoments",
    "SoftmaxPolicy",
    "StateActionSoftmaxPolicy",
    "Trainer",
    "ValueFit",
    "ValueFunction",
    "__version__",
    "build_info",
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
    "get_num_threads",
    "gradient_variance",
    "lambda_return",
    "leave_one_out_baseline",
    "linear_baseline",
    "load",
    "make",
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
    "time_baseline",
    "train",
    "uniform",
    "vtrace",
]


register_when_gymnasium_is_loaded()


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'pgfast' has no attribute {name!r}")
    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
