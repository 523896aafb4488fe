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
    features: ClassVar[Purpose]

def build_info() -> BuildInfo: ...
def set_num_threads(n: int) -> None: ...
def most_helpers_asked() -> int: ...  # by a call, since this was called last
def memory_use() -> tuple[int, int]: ...
def get_num_threads() -> int: ...
def fma_peak(repeats: int) -> float: ...
def copy_bandwidth(bytes: int, repeats: int) -> float: ...
def plain_cartpole(repeats: int) -> float: ...
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
def lambda_return(
    rewards: FloatArray,
    values: FloatArray,
    terminated: BoolArray,
    truncated: BoolArray,
    gamma: float,
    lam: float,
    final_values: FloatArray | None,
) -> FloatArray: ...
def finished_returns(
    rewards: FloatArray,
    terminated: BoolArray,
    truncated: BoolArray,
    running: npt.NDArray[np.float64],
) -> tuple[float, int]: ...
def n_step_return(
    rewards: FloatArray,
    values: FloatArray,
    terminated: BoolArray,
    truncated: BoolArray,
    gamma: float,
    n: int,
    final_values: FloatArray | None,
) -> FloatArray: ...
def vtrace(
    rewards: FloatArray,
    values: FloatArray,
    log_ratios: FloatArray,
    terminated: BoolArray,
    truncated: BoolArray,
    gamma: float,
    lam: float,
    rho_clip: float,
    c_clip: float,
    final_values: FloatArray | None,
) -> tuple[FloatArray, FloatArray]: ...
def explained_variance(
    values: FloatArray, targets: FloatArray, valid: BoolArray | None
) -> float: ...
def normalize_advantages(advantages: FloatArray, valid: BoolArray | None) -> FloatArray: ...
def constant_baseline(returns: FloatArray, valid: BoolArray | None) -> FloatArray: ...
def time_baseline(returns: FloatArray, valid: BoolArray | None) -> FloatArray: ...
def leave_one_out_baseline(returns: FloatArray, valid: BoolArray | None) -> FloatArray: ...
def linear_baseline(
    returns: FloatArray, valid: BoolArray | None, observations: FloatArray, ridge: float
) -> FloatArray: ...
def optimal_baseline(
    returns: FloatArray, valid: BoolArray | None, score_norms: FloatArray, per_time: bool
) -> FloatArray: ...
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

class Features:
    @property
    def input_size(self) -> int: ...
    @property
    def output_size(self) -> int: ...
    def apply(self, observations: FloatArray) -> FloatArray: ...

class OneHot(Features):
    def __init__(self, states: int) -> None: ...

class Polynomial(Features):
    def __init__(self, observation_size: int, degree: int) -> None: ...

class Fourier(Features):
    def __init__(self, low: FloatArray, high: FloatArray, order: int) -> None: ...

class RadialBasis(Features):
    def __init__(
        self, low: FloatArray, high: FloatArray, centres: FloatArray, width: float
    ) -> None: ...

class TileCoding(Features):
    def __init__(
        self, low: FloatArray, high: FloatArray, tiles: Sequence[int], tilings: int
    ) -> None: ...

class ValueNetwork:
    def __init__(
        self,
        sizes: Sequence[int],
        activation: str,
        features: Features | None,
        normalization: tuple[Any, ...] | None,
    ) -> None: ...
    def values(
        self, theta: FloatArray, observations: FloatArray, last_observations: FloatArray | None
    ) -> FloatArray: ...
    def predict(self, theta: FloatArray, observations: FloatArray) -> FloatArray: ...
    def gradient(
        self,
        theta: FloatArray,
        observations: FloatArray,
        targets: FloatArray,
        valid: BoolArray | None,
    ) -> FloatArray: ...
    def fit_ridge(
        self,
        theta: FloatArray,
        observations: FloatArray,
        targets: FloatArray,
        valid: BoolArray | None,
        ridge: float,
    ) -> tuple[float, float, float]: ...
    def fit_minibatches(
        self,
        theta: FloatArray,
        observations: FloatArray,
        targets: FloatArray,
        valid: BoolArray | None,
        epochs: int,
        batch_size: int,
        learning_rate: float,
        seed: int,
        stream: int,
    ) -> tuple[float, float, float]: ...

class _PolicyKernel:
    @property
    def num_parameters(self) -> int: ...
    def parameters(self, theta: FloatArray, observations: FloatArray) -> FloatArray: ...
    def sample(
        self,
        theta: FloatArray,
        observations: FloatArray,
        masks: BoolArray | None,
        seed: int,
        first_stream: int,
        index: int,
    ) -> npt.NDArray[Any]: ...
    def mode(
        self, theta: FloatArray, observations: FloatArray, masks: BoolArray | None
    ) -> npt.NDArray[Any]: ...
    def log_prob(
        self,
        theta: FloatArray,
        observations: FloatArray,
        actions: npt.NDArray[Any],
        masks: BoolArray | None,
    ) -> FloatArray: ...
    def entropy(
        self, theta: FloatArray, observations: FloatArray, masks: BoolArray | None
    ) -> FloatArray: ...
    def kl(
        self,
        theta: FloatArray,
        other: Any,
        other_theta: FloatArray,
        observations: FloatArray,
        masks: BoolArray | None,
    ) -> FloatArray: ...
    def score(
        self,
        theta: FloatArray,
        observations: FloatArray,
        actions: npt.NDArray[Any],
        weights: FloatArray | None,
        masks: BoolArray | None,
    ) -> FloatArray: ...
    def scores(
        self,
        theta: FloatArray,
        observations: FloatArray,
        actions: npt.NDArray[Any],
        masks: BoolArray | None,
    ) -> FloatArray: ...
    def fisher_vector_product(
        self,
        theta: FloatArray,
        observations: FloatArray,
        v: FloatArray,
        damping: float,
        masks: BoolArray | None,
    ) -> FloatArray: ...
    def natural_gradient(
        self,
        theta: FloatArray,
        observations: FloatArray,
        gradient: FloatArray,
        damping: float,
        tolerance: float,
        max_iterations: int | None,
        masks: BoolArray | None,
    ) -> tuple[FloatArray, int, float, CGStatus]: ...

class SoftmaxMlp(_PolicyKernel):
    def __init__(
        self,
        sizes: Sequence[int],
        activation: str,
        features: Features | None,
        normalization: tuple[Any, ...] | None,
    ) -> None: ...

class MultiSoftmaxMlp(_PolicyKernel):
    def __init__(
        self,
        sizes: Sequence[int],
        activation: str,
        actions: Sequence[int],
        features: Features | None,
        normalization: tuple[Any, ...] | None,
    ) -> None: ...

class GaussianMlp(_PolicyKernel):
    def __init__(
        self,
        sizes: Sequence[int],
        activation: str,
        actions: int,
        tail: int,
        fixed_log_std: Sequence[float],
        log_std_floor: float,
        features: Features | None,
        normalization: tuple[Any, ...] | None,
    ) -> None: ...
    def floored(self, theta: FloatArray, observations: FloatArray) -> int: ...

class SoftmaxStateAction(_PolicyKernel):
    def __init__(self, actions: int, features: int) -> None: ...

def climb_minibatches(
    policy: _PolicyKernel,
    adam: tuple[Any, ...],
    observations: FloatArray,
    actions: npt.NDArray[Any],
    masks: BoolArray | None,
    log_probs: FloatArray | None,
    advantages: FloatArray,
    valid: BoolArray | None,
    surrogate: tuple[str, float, float, float, float],
    reference: tuple[Any, ...] | None,
    value: tuple[Any, ...] | None,
    epochs: int,
    batch_size: int,
    max_gradient_norm: float,
    target_kl: float,
    seed: int,
    stream: int,
) -> dict[str, float]: ...
def trust_region_step(
    policy: _PolicyKernel,
    theta: FloatArray,
    observations: FloatArray,
    actions: npt.NDArray[Any],
    masks: BoolArray | None,
    log_probs: FloatArray | None,
    advantages: FloatArray,
    kl_radius: float,
    damping: float,
    tolerance: float,
    max_iterations: int,
    max_backtracks: int,
    shrink: float,
    accept: float,
) -> dict[str, float]: ...

class Autoreset:
    next_step: ClassVar[Autoreset]
    same_step: ClassVar[Autoreset]
    disabled: ClassVar[Autoreset]

class _Env:
    def seed(self, seeds: Sequence[int | None]) -> None: ...
    def reset(
        self, seeds: Sequence[int | None], mask: BoolArray | None, states: FloatArray | None
    ) -> FloatArray: ...
    def step(
        self, actions: npt.ArrayLike, mode: Autoreset
    ) -> tuple[FloatArray, npt.NDArray[np.float64], BoolArray, BoolArray, FloatArray | None]: ...
    def observe(self) -> FloatArray: ...
    def finished(self) -> BoolArray: ...
    def states(self) -> FloatArray: ...
    def get_state(self) -> dict[str, npt.NDArray[Any]]: ...
    def set_state(self, parts: dict[str, npt.NDArray[Any]]) -> None: ...

class DiscreteEnvFloat32(_Env): ...
class DiscreteEnvFloat64(_Env): ...
class BoxEnvFloat32(_Env): ...
class BoxEnvFloat64(_Env): ...

def collect_steps(
    env: _Env,
    policy: _PolicyKernel,
    theta: FloatArray,
    steps: int,
    seed: int,
    first_index: int,
) -> tuple[Any, ...]: ...
def collect_episodes(
    env: _Env,
    policy: _PolicyKernel,
    theta: FloatArray,
    episodes: int,
    greedy: bool,
    states: FloatArray | None,
    seed: int,
    first_index: int,
) -> tuple[Any, ...]: ...
def episode_returns(
    env: _Env,
    policy: _PolicyKernel,
    theta: FloatArray,
    episodes: int,
    greedy: bool,
    seed: int,
    first_index: int,
) -> tuple[npt.NDArray[np.float64], IntArray]: ...
def cartpole_float32(
    num_envs: int, max_episode_steps: int, sutton_barto_reward: bool
) -> DiscreteEnvFloat32: ...
def cartpole_float64(
    num_envs: int, max_episode_steps: int, sutton_barto_reward: bool
) -> DiscreteEnvFloat64: ...
def pendulum_float32(num_envs: int, max_episode_steps: int, g: float) -> BoxEnvFloat32: ...
def pendulum_float64(num_envs: int, max_episode_steps: int, g: float) -> BoxEnvFloat64: ...
def mountain_car_float32(
    num_envs: int, max_episode_steps: int, goal_velocity: float
) -> DiscreteEnvFloat32: ...
def mountain_car_float64(
    num_envs: int, max_episode_steps: int, goal_velocity: float
) -> DiscreteEnvFloat64: ...
def mountain_car_continuous_float32(
    num_envs: int, max_episode_steps: int, goal_velocity: float
) -> BoxEnvFloat32: ...
def mountain_car_continuous_float64(
    num_envs: int, max_episode_steps: int, goal_velocity: float
) -> BoxEnvFloat64: ...
def acrobot_float32(num_envs: int, max_episode_steps: int) -> DiscreteEnvFloat32: ...
def acrobot_float64(num_envs: int, max_episode_steps: int) -> DiscreteEnvFloat64: ...
def moving_particle_float32(num_envs: int, max_episode_steps: int) -> DiscreteEnvFloat32: ...
def moving_particle_float64(num_envs: int, max_episode_steps: int) -> DiscreteEnvFloat64: ...
def moving_particle_continuous_float32(num_envs: int, max_episode_steps: int) -> BoxEnvFloat32: ...
def moving_particle_continuous_float64(num_envs: int, max_episode_steps: int) -> BoxEnvFloat64: ...
def lqr_float32(
    num_envs: int,
    max_episode_steps: int,
    A: FloatArray,
    B: FloatArray,
    Q: FloatArray,
    R: FloatArray,
    noise: FloatArray | None,
    mean: FloatArray,
    spread: FloatArray,
) -> BoxEnvFloat32: ...
def lqr_float64(
    num_envs: int,
    max_episode_steps: int,
    A: FloatArray,
    B: FloatArray,
    Q: FloatArray,
    R: FloatArray,
    noise: FloatArray | None,
    mean: FloatArray,
    spread: FloatArray,
) -> BoxEnvFloat64: ...
def tabular_float32(
    num_envs: int,
    max_episode_steps: int,
    actions: int,
    first: IntArray,
    next: IntArray,
    probability: FloatArray,
    reward: FloatArray,
    terminated: BoolArray,
    start: FloatArray,
) -> DiscreteEnvFloat32: ...
def tabular_float64(
    num_envs: int,
    max_episode_steps: int,
    actions: int,
    first: IntArray,
    next: IntArray,
    probability: FloatArray,
    reward: FloatArray,
    terminated: BoolArray,
    start: FloatArray,
) -> DiscreteEnvFloat64: ...
def bandit_float32(
    num_envs: int,
    max_episode_steps: int,
    weights: FloatArray,
    sigma: float,
    low: float,
    high: float,
) -> DiscreteEnvFloat32: ...
def bandit_float64(
    num_envs: int,
    max_episode_steps: int,
    weights: FloatArray,
    sigma: float,
    low: float,
    high: float,
) -> DiscreteEnvFloat64: ...
def rock_paper_scissors_float32(
    num_envs: int, max_episode_steps: int, memory: int
) -> DiscreteEnvFloat32: ...
def rock_paper_scissors_float64(
    num_envs: int, max_episode_steps: int, memory: int
) -> DiscreteEnvFloat64: ...
def weighted_gram(rows: FloatArray, weights: FloatArray) -> FloatArray: ...
def semidefinite_solve(matrix: FloatArray, b: FloatArray) -> tuple[FloatArray, int]: ...

class TabularMDP:
    def __init__(self, P: FloatArray, R: FloatArray, p0: FloatArray, gamma: float) -> None: ...
    def is_end(self) -> BoolArray: ...
    def evaluate(self, policy: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, float]: ...
    def gradient(self, policy: FloatArray) -> FloatArray: ...
    def natural_gradient(self, policy: FloatArray) -> tuple[FloatArray, int]: ...
    def optimal(self) -> tuple[IntArray, FloatArray]: ...
