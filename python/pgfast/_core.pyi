"""The C++ core: checked views in, fresh arrays out. Documented where the package wraps it."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from pgfast._typing import BoolArray, FloatArray, IntArray
from pgfast.build import BuildInfo
from pgfast.conjugate_gradient import CGStatus

class Purpose:
    general: ClassVar[Purpose]
    parameters: ClassVar[Purpose]

def build_info() -> BuildInfo: ...
def set_num_threads(n: int) -> None: ...
def get_num_threads() -> int: ...
def philox(counter: Sequence[int], key: Sequence[int]) -> npt.NDArray[np.uint32]: ...
def uniform_float32(
    shape: Sequence[int], seed: int, stream: int, purpose: Purpose
) -> FloatArray: ...
def uniform_float64(
    shape: Sequence[int], seed: int, stream: int, purpose: Purpose
) -> FloatArray: ...
def normal_float32(
    shape: Sequence[int], seed: int, stream: int, purpose: Purpose
) -> FloatArray: ...
def normal_float64(
    shape: Sequence[int], seed: int, stream: int, purpose: Purpose
) -> FloatArray: ...
def reward_to_go(
    rewards: FloatArray,
    terminated: BoolArray,
    truncated: BoolArray,
    gamma: float,
    last_values: FloatArray | None,
    final_values: FloatArray | None,
) -> FloatArray: ...
def episode_return(
    rewards: FloatArray,
    terminated: BoolArray,
    truncated: BoolArray,
    gamma: float,
    valid: BoolArray | None,
) -> FloatArray: ...
def gae(
    rewards: FloatArray,
    values: FloatArray,
    terminated: BoolArray,
    truncated: BoolArray,
    gamma: float,
    lam: float,
    final_values: FloatArray | None,
) -> FloatArray: ...
def constant_baseline(returns: FloatArray, valid: BoolArray | None) -> FloatArray: ...
def time_baseline(returns: FloatArray, valid: BoolArray | None) -> FloatArray: ...
def leave_one_out_baseline(returns: FloatArray, valid: BoolArray | None) -> FloatArray: ...
def softmax_log_prob(
    logits: FloatArray, actions: IntArray, mask: BoolArray | None
) -> FloatArray: ...
def softmax_score(logits: FloatArray, actions: IntArray, mask: BoolArray | None) -> FloatArray: ...
def softmax_entropy(logits: FloatArray, mask: BoolArray | None) -> FloatArray: ...
def softmax_kl(
    logits: FloatArray, other_logits: FloatArray, mask: BoolArray | None
) -> FloatArray: ...
def softmax_sample(
    logits: FloatArray, mask: BoolArray | None, seed: int, index: int
) -> IntArray: ...
def gaussian_log_prob(mean: FloatArray, log_std: FloatArray, actions: FloatArray) -> FloatArray: ...
def gaussian_score(
    mean: FloatArray, log_std: FloatArray, actions: FloatArray
) -> tuple[FloatArray, FloatArray]: ...
def gaussian_entropy(mean: FloatArray, log_std: FloatArray) -> FloatArray: ...
def gaussian_kl(
    mean: FloatArray, log_std: FloatArray, other_mean: FloatArray, other_log_std: FloatArray
) -> FloatArray: ...
def gaussian_sample(mean: FloatArray, log_std: FloatArray, seed: int, index: int) -> FloatArray: ...
def multi_softmax_log_prob(
    logits: FloatArray, actions: IntArray, sizes: Sequence[int], mask: BoolArray | None
) -> FloatArray: ...
def multi_softmax_score(
    logits: FloatArray, actions: IntArray, sizes: Sequence[int], mask: BoolArray | None
) -> FloatArray: ...
def multi_softmax_entropy(
    logits: FloatArray, sizes: Sequence[int], mask: BoolArray | None
) -> FloatArray: ...
def multi_softmax_kl(
    logits: FloatArray, other_logits: FloatArray, sizes: Sequence[int], mask: BoolArray | None
) -> FloatArray: ...
def multi_softmax_sample(
    logits: FloatArray, sizes: Sequence[int], mask: BoolArray | None, seed: int, index: int
) -> IntArray: ...
def conjugate_gradient(
    matvec: Callable[[FloatArray], FloatArray],
    b: FloatArray,
    tolerance: float,
    max_iterations: int | None,
    damping: float,
) -> tuple[FloatArray, int, float, CGStatus]: ...
def sgd_step(theta: FloatArray, gradient: FloatArray, step_size: float) -> None: ...
def adam_step(
    theta: FloatArray,
    gradient: FloatArray,
    m: FloatArray,
    v: FloatArray,
    count: int,
    step_size: float,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> None: ...

class _PolicyKernel:
    @property
    def num_parameters(self) -> int: ...
    def logits(self, theta: FloatArray, observations: FloatArray) -> FloatArray: ...
    def sample(
        self,
        theta: FloatArray,
        observations: FloatArray,
        seed: int,
        first_stream: int,
        index: int,
    ) -> IntArray: ...
    def mode(self, theta: FloatArray, observations: FloatArray) -> IntArray: ...
    def log_prob(
        self, theta: FloatArray, observations: FloatArray, actions: IntArray
    ) -> FloatArray: ...
    def entropy(self, theta: FloatArray, observations: FloatArray) -> FloatArray: ...
    def kl(
        self, theta: FloatArray, other: Any, other_theta: FloatArray, observations: FloatArray
    ) -> FloatArray: ...
    def score(
        self,
        theta: FloatArray,
        observations: FloatArray,
        actions: IntArray,
        weights: FloatArray | None,
    ) -> FloatArray: ...
    def scores(
        self, theta: FloatArray, observations: FloatArray, actions: IntArray
    ) -> FloatArray: ...
    def fisher_vector_product(
        self, theta: FloatArray, observations: FloatArray, v: FloatArray, damping: float
    ) -> FloatArray: ...
    def natural_gradient(
        self,
        theta: FloatArray,
        observations: FloatArray,
        gradient: FloatArray,
        damping: float,
        tolerance: float,
        max_iterations: int | None,
    ) -> tuple[FloatArray, int, float, CGStatus]: ...

class SoftmaxMlp(_PolicyKernel):
    def __init__(self, sizes: Sequence[int], activation: str) -> None: ...

class SoftmaxStateAction(_PolicyKernel):
    def __init__(self, actions: int, features: int) -> None: ...

class Autoreset:
    next_step: ClassVar[Autoreset]
    same_step: ClassVar[Autoreset]
    disabled: ClassVar[Autoreset]

class _DiscreteEnv:
    def seed(self, seeds: Sequence[int | None]) -> None: ...
    def reset(
        self, seeds: Sequence[int | None], mask: BoolArray | None, states: FloatArray | None
    ) -> FloatArray: ...
    def step(
        self, actions: npt.ArrayLike, mode: Autoreset
    ) -> tuple[FloatArray, npt.NDArray[np.float64], BoolArray, BoolArray, FloatArray | None]: ...
    def observe(self) -> FloatArray: ...
    def finished(self) -> BoolArray: ...
    def get_state(self) -> dict[str, npt.NDArray[Any]]: ...
    def set_state(self, parts: dict[str, npt.NDArray[Any]]) -> None: ...

class DiscreteEnvFloat32(_DiscreteEnv): ...
class DiscreteEnvFloat64(_DiscreteEnv): ...

def collect_steps(
    env: _DiscreteEnv,
    policy: SoftmaxMlp,
    theta: FloatArray,
    steps: int,
    seed: int,
    first_index: int,
) -> tuple[Any, ...]: ...
def collect_episodes(
    env: _DiscreteEnv,
    policy: SoftmaxMlp,
    theta: FloatArray,
    episodes: int,
    greedy: bool,
    seed: int,
    first_index: int,
) -> tuple[Any, ...]: ...
def cartpole_float32(
    num_envs: int, max_episode_steps: int, sutton_barto_reward: bool
) -> DiscreteEnvFloat32: ...
def cartpole_float64(
    num_envs: int, max_episode_steps: int, sutton_barto_reward: bool
) -> DiscreteEnvFloat64: ...
