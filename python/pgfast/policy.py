"""Policies: a network's output z are the parameters of a distribution over actions.

θ is one flat vector `theta`; change it in place or assign to it. Observations have any leading
dimensions, (B, ...) or (T, N, ...), at least one; actions and weights have the leading ones.
"""

from __future__ import annotations

import itertools
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from typing_extensions import Self

from pgfast import _core
from pgfast._typing import (
    FloatArray,
    FloatDType,
    IntArray,
    as_count,
    as_float_dtype,
    as_seed,
)
from pgfast.conjugate_gradient import CGResult
from pgfast.random import normal


class Policy(ABC):
    """What all policies share."""

    _kernel: _core.SoftmaxMlp | _core.SoftmaxStateAction
    _theta: FloatArray
    seed: int
    draws: int
    """How many times the policy has been sampled: the index of its next draw."""

    kinds: ClassVar[dict[str, type[Policy]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        Policy.kinds[cls.__name__] = cls

    @property
    def theta(self) -> FloatArray:
        """The parameters θ (P,)."""
        return self._theta

    @theta.setter
    def theta(self, value: FloatArray) -> None:
        if value is self._theta:  # policy.theta += step
            return
        array = np.asarray(value)
        if array.shape != self._theta.shape:
            raise ValueError(f"theta: has shape {array.shape}, expected {self._theta.shape}")
        if array.dtype != self._theta.dtype:
            raise TypeError(f"theta: has dtype {array.dtype}, expected {self._theta.dtype}")
        self._theta[...] = array

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64: of θ and of every array that goes with it."""
        return self._theta.dtype

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """Give the arguments that make a policy of the same kind, as plain values."""

    @classmethod
    @abstractmethod
    def _num_parameters(cls, config: dict[str, Any]) -> int:
        """P of the policy that `config` describes, without making it."""

    @classmethod
    def restore(cls, config: dict[str, Any], theta: FloatArray, draws: int) -> Self:
        """Make a policy from its config, with that θ and count of draws.

        Raises:
            ValueError: a θ of another shape, or settings that make no policy.
            TypeError: a θ of another dtype, or settings that make no policy.
        """
        size = cls._num_parameters(config)  # before anything of that size is allocated
        if theta.shape != (size,):
            raise ValueError(f"theta has shape {theta.shape}, expected ({size},)")
        policy = cls(**config)
        policy.theta = theta
        policy.draws = draws
        return policy

    def copy(self) -> Self:
        """Make a policy of its own with the same θ, seed and count of draws."""
        return self.restore(self.config(), self.theta, self.draws)

    def logits(self, observations: FloatArray) -> FloatArray:
        """Network output z, the log-probabilities up to a constant.

        π(a|s) = exp(zₐ) / Σ_b exp(z_b).

        Parameters:
            observations: (..., D) in the dtype of θ.

        Returns:
            (..., A).
        """
        return self._kernel.logits(self.theta, observations)

    def sample(self, observations: FloatArray) -> IntArray:
        """Sample actions a ~ π(·|s).

        Row b of the k-th call takes draw k of stream b of the policy's seed: the same seed gives
        the same actions, on any number of threads, and a row's action does not depend on the
        others.

        Parameters:
            observations: (..., D) in the dtype of θ.

        Returns:
            (...) int64.
        """
        actions = self._kernel.sample(self.theta, observations, self.seed, 0, self.draws)
        self.draws += 1
        return actions

    def mode(self, observations: FloatArray) -> IntArray:
        """Give the most probable actions, the first of equals.

        argmaxₐ π(a|s): the greedy policy.

        Parameters:
            observations: (..., D) in the dtype of θ.

        Returns:
            (...) int64.
        """
        return self._kernel.mode(self.theta, observations)

    def log_prob(self, observations: FloatArray, actions: IntArray) -> FloatArray:
        """Log-probability of actions, log π(a|s).

        Parameters:
            observations: (..., D) in the dtype of θ.
            actions: (...) int64 in [0, A).

        Returns:
            (...).
        """
        return self._kernel.log_prob(self.theta, observations, actions)

    def entropy(self, observations: FloatArray) -> FloatArray:
        """Entropy in nats, H = −Σₐ π(a|s) log π(a|s).

        Parameters:
            observations: (..., D) in the dtype of θ.

        Returns:
            (...).
        """
        return self._kernel.entropy(self.theta, observations)

    def kl(self, observations: FloatArray, other: Policy) -> FloatArray:
        """Kullback–Leibler divergence in nats, KL(π ‖ π′) = Σₐ π(a|s) log(π(a|s) / π′(a|s)).

        Parameters:
            observations: (..., D) in the dtype of θ.
            other: π′, a policy of the same kind and dtype.

        Returns:
            (...), one number for each observation.
        """
        if type(other) is not type(self):
            raise TypeError(
                f"kl: other is a {type(other).__name__}, expected a {type(self).__name__}"
            )
        return self._kernel.kl(self.theta, other._kernel, other.theta, observations)

    def score(
        self, observations: FloatArray, actions: IntArray, weights: FloatArray | None = None
    ) -> FloatArray:
        """Weighted sum of scores, Σ_b w_b ∇θ log π(a_b|s_b).

        Samples of weight zero add nothing, whatever they hold; that is how padding is passed over.

        Parameters:
            observations: (..., D) in the dtype of θ.
            actions: (...) int64 in [0, A).
            weights: w (...) in the dtype of θ; None means 1.

        Returns:
            (P,).
        """
        return self._kernel.score(self.theta, observations, actions, weights)

    def scores(self, observations: FloatArray, actions: IntArray) -> FloatArray:
        """Score of each sample, ∇θ log π(a_b|s_b).

        Parameters:
            observations: (..., D) in the dtype of θ.
            actions: (...) int64 in [0, A).

        Returns:
            (..., P).
        """
        return self._kernel.scores(self.theta, observations, actions)

    def fisher_vector_product(
        self, observations: FloatArray, v: FloatArray, damping: float = 0.0
    ) -> FloatArray:
        """Product with the Fisher matrix, averaged over the observations.

        F v + damping · v with F = mean_b J_bᵀ M_b J_b = mean_b Σₐ π(a|s_b) ∇log π ∇log πᵀ, where
        J = ∂z/∂θ and M = diag(π) − ππᵀ; F itself is never made. F is the Hessian of the mean
        KL(π_θ ‖ π_θ′) in θ′ at θ.

        Source: Kakade 2001; Schulman et al. 2015, appendix C.

        Parameters:
            observations: (..., D) in the dtype of θ.
            v: (P,) in the dtype of θ.
            damping: ≥ 0.

        Returns:
            (P,).
        """
        return self._kernel.fisher_vector_product(self.theta, observations, v, damping)

    def natural_gradient(
        self,
        observations: FloatArray,
        gradient: FloatArray,
        *,
        damping: float = 1e-3,
        tolerance: float = 1e-6,
        max_iterations: int | None = None,
    ) -> CGResult:
        """Solve (F + damping I) x = gradient by conjugate gradients.

        Parameters:
            observations: (..., D) over which F is averaged, in the dtype of θ.
            gradient: (P,) in the dtype of θ.
            damping: ≥ 0; a softmax Fisher matrix is singular without it.
            tolerance: relative, ≥ 0.
            max_iterations: at least 1; None means P.

        Returns:
            CGResult(x, iterations, residual, status).
        """
        return CGResult(
            *self._kernel.natural_gradient(
                self.theta, observations, gradient, damping, tolerance, max_iterations
            )
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the policy to a new safetensors file.

        Raises:
            FileExistsError: the file exists; nothing is written over.
        """
        from pgfast.checkpoint import save_policy

        save_policy(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a policy that `save` wrote. Nothing of the file is executed.

        Raises:
            ValueError: the file is not a policy of this kind, is cut short, or holds a θ of another
                shape.
        """
        from pgfast.checkpoint import load_policy

        policy = load_policy(path)
        if not isinstance(policy, cls):
            raise ValueError(f"load: {path} holds a {type(policy).__name__}, not a {cls.__name__}")
        return policy


class SoftmaxPolicy(Policy):
    """A softmax over the outputs of a network, for discrete actions.

    z = f(s; θ), π(a|s) = exp(zₐ) / Σ_b exp(z_b). f is linear without hidden layers, z = sᵀW + b.

    θ holds, layer by layer, W (fan_in, fan_out) row-major, then b (fan_out,). A linear policy
    begins at θ = 0, the uniform one. Hidden layers begin orthogonal with gain √2, the last one with
    gain 0.01, biases at 0 (Saxe et al. 2014).

    Parameters:
        observation_size: D.
        actions: A, their number.
        hidden: sizes of the hidden layers.
        activation: "tanh" or "relu".
        dtype: float32 or float64.
        seed: of the initial θ and of the samples.

    Raises:
        ValueError: a size below 1, an unknown activation, a negative seed.
        TypeError: a dtype that is neither.

    >>> policy = SoftmaxPolicy(4, 2)
    >>> policy.theta.shape, policy.entropy(np.zeros((3, 4), np.float32)).round(4)
    ((10,), array([0.6931, 0.6931, 0.6931], dtype=float32))
    """

    _kernel: _core.SoftmaxMlp

    def __init__(
        self,
        observation_size: int,
        actions: int,
        *,
        hidden: Sequence[int] = (),
        activation: str = "tanh",
        dtype: FloatDType = np.float32,
        seed: int = 0,
    ) -> None:
        name = "SoftmaxPolicy"
        self.observation_size = as_count(name, "observation_size", observation_size)
        self.actions = as_count(name, "actions", actions)
        self.hidden = tuple(as_count(name, "hidden", size) for size in hidden)
        if activation not in ("tanh", "relu"):
            raise ValueError(f"{name}: activation is {activation!r}, expected 'tanh' or 'relu'")
        self.activation = activation
        self.seed = as_seed(name, seed)
        self.draws = 0
        sizes = [self.observation_size, *self.hidden, self.actions]
        self._kernel = _core.SoftmaxMlp(sizes, activation)
        self._theta = _initial_parameters(sizes, as_float_dtype(name, dtype), self.seed)

    def config(self) -> dict[str, Any]:
        """Give the arguments that make a policy of the same kind."""
        return {
            "observation_size": self.observation_size,
            "actions": self.actions,
            "hidden": list(self.hidden),
            "activation": self.activation,
            "dtype": self.dtype.name,
            "seed": self.seed,
        }

    @classmethod
    def _num_parameters(cls, config: dict[str, Any]) -> int:
        sizes = [config["observation_size"], *config["hidden"], config["actions"]]
        return sum((fan_in + 1) * fan_out for fan_in, fan_out in itertools.pairwise(sizes))


class StateActionSoftmaxPolicy(Policy):
    """The textbook's linear softmax over state-action features.

    π(a|s) = exp(θᵀx(s, a)) / Σ_b exp(θᵀx(s, b)); its score is x(s, a) − Σ_b π(b|s) x(s, b). An
    observation is the features of all its actions, (A, J).

    Source: Sutton & Barto 2018, eqs. 13.2, 13.3 and 13.9.

    Parameters:
        actions: A, their number.
        features: J, of each action. θ is (J,) and begins at 0, the uniform policy.
        dtype: float32 or float64.
        seed: of the samples.

    Raises:
        ValueError: a size below 1, a negative seed.
        TypeError: a dtype that is neither.

    >>> policy = StateActionSoftmaxPolicy(2, 3, dtype=np.float64)
    >>> policy.score(np.eye(2, 3)[None], np.array([0]))
    array([ 0.5, -0.5,  0. ])
    """

    def __init__(
        self, actions: int, features: int, *, dtype: FloatDType = np.float32, seed: int = 0
    ) -> None:
        name = "StateActionSoftmaxPolicy"
        self.actions = as_count(name, "actions", actions)
        self.features = as_count(name, "features", features)
        self.seed = as_seed(name, seed)
        self.draws = 0
        self._kernel = _core.SoftmaxStateAction(self.actions, self.features)
        self._theta = np.zeros(self.features, as_float_dtype(name, dtype))

    def config(self) -> dict[str, Any]:
        """Give the arguments that make a policy of the same kind."""
        return {
            "actions": self.actions,
            "features": self.features,
            "dtype": self.dtype.name,
            "seed": self.seed,
        }

    @classmethod
    def _num_parameters(cls, config: dict[str, Any]) -> int:
        return int(config["features"])


def _initial_parameters(sizes: Sequence[int], dtype: np.dtype[Any], seed: int) -> FloatArray:
    """θ of a new network: orthogonal layers, the last one small; all zero where it is linear."""
    parts: list[npt.NDArray[np.float64]] = []
    for layer, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
        last = layer == len(sizes) - 2
        if last and layer == 0:
            weights = np.zeros((fan_in, fan_out))
        else:
            weights = (0.01 if last else 2**0.5) * _orthogonal(fan_in, fan_out, seed, layer)
        parts += [weights.ravel(), np.zeros(fan_out)]
    return np.concatenate(parts).astype(dtype)


def _orthogonal(rows: int, columns: int, seed: int, stream: int) -> npt.NDArray[np.float64]:
    """Draw a matrix with orthonormal rows or columns, whichever are fewer, uniformly."""
    tall = max(rows, columns), min(rows, columns)
    q, r = np.linalg.qr(normal(tall, seed=seed, stream=stream, dtype=np.float64))
    q = q * np.sign(np.diag(r))
    return q if rows >= columns else q.T
