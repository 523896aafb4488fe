"""Softmax policies, for discrete actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pgfast import _core
from pgfast._typing import FloatArray, FloatDType, as_count, as_float_dtype, as_seed
from pgfast.features import Features
from pgfast.network_policy import NetworkPolicy
from pgfast.policy import Policy


class SoftmaxPolicy(NetworkPolicy):
    """A softmax over the outputs of a network, for discrete actions.

    z = f(s; θ), π(a|s) = exp(zₐ) / Σ_b exp(z_b). f is linear without hidden layers, z = φ(s)ᵀW + b.

    θ holds, layer by layer, W (fan_in, fan_out) row-major, then b (fan_out,). A linear policy
    begins at θ = 0, the uniform one. Hidden layers begin orthogonal with gain √2, the last one with
    gain 0.01, biases at 0 (Saxe et al. 2014).

    Parameters:
        observation_size: D.
        actions: A, their number.
        hidden: sizes of the hidden layers.
        activation: "tanh" or "relu".
        features: φ, what the network sees of an observation; None: the observation.
        normalize_observations: keep running statistics of them, and see them in their units.
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
        features: Features | None = None,
        normalize_observations: bool = False,
        dtype: FloatDType = np.float32,
        seed: int = 0,
    ) -> None:
        self.actions = as_count("SoftmaxPolicy", "actions", actions)
        self._set_up(
            observation_size,
            self.actions,
            hidden=hidden,
            activation=activation,
            features=features,
            normalize_observations=normalize_observations,
            dtype=dtype,
            seed=seed,
        )
        self._make_kernel()

    def _make_kernel(self) -> None:
        self._kernel = _core.SoftmaxMlp(self._sizes, self.activation, *self._network_arguments())

    def logits(self, observations: FloatArray) -> FloatArray:
        """Network output z, the log-probabilities up to a constant.

        π(a|s) = exp(zₐ) / Σ_b exp(z_b).

        Parameters:
            observations: (..., D) in the dtype of θ.

        Returns:
            (..., A).
        """
        return self._kernel.parameters(self.theta, observations)

    def config(self) -> dict[str, Any]:
        """Give the arguments that make a policy of the same kind."""
        return {**super().config(), "actions": self.actions}

    @classmethod
    def _num_parameters(cls, config: dict[str, Any]) -> int:
        return cls._network_size(config, config["actions"])


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

    _kernel: _core.SoftmaxStateAction

    def __init__(
        self, actions: int, features: int, *, dtype: FloatDType = np.float32, seed: int = 0
    ) -> None:
        name = "StateActionSoftmaxPolicy"
        self.actions = as_count(name, "actions", actions)
        self.features = as_count(name, "features", features)
        self.seed = as_seed(name, seed)
        self.draws = 0
        self._kernel = _core.SoftmaxStateAction(self.actions, self.features)
        self._begin_as(np.zeros(self.features, as_float_dtype(name, dtype)))

    def logits(self, observations: FloatArray) -> FloatArray:
        """Logits zₐ = θᵀx(s, a).

        Parameters:
            observations: (..., A, J) in the dtype of θ.

        Returns:
            (..., A).
        """
        return self._kernel.parameters(self.theta, observations)

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
