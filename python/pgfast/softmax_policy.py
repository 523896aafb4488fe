"""Softmax policies, for discrete actions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pgfast import _core
from pgfast._typing import FloatArray, FloatDType, as_count, as_float_dtype, as_seed, as_sizes
from pgfast.policy import Policy


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
        self.hidden = as_sizes(name, "hidden", hidden)
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
    """Draw a matrix with orthonormal rows or columns, whichever are fewer, uniformly.

    Gram and Schmidt's way, each vector twice: LAPACK's would depend on its number of threads.
    """
    tall = max(rows, columns), min(rows, columns)
    drawn = _core.normal_float64(tall, seed, stream, _core.Purpose.parameters)
    basis = np.empty(tall)
    for j, vector in enumerate(drawn.T):
        for _ in range(2):
            before = basis[:, :j]
            vector = vector - np.einsum("ik,k->i", before, np.einsum("ik,i->k", before, vector))
        basis[:, j] = vector / np.sqrt((vector * vector).sum())
    return basis if rows >= columns else basis.T
