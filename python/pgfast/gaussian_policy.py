"""Gaussian policies, for continuous actions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from pgfast import _core
from pgfast._typing import BoolArray, FloatArray, FloatDType, as_count, as_number, unknown
from pgfast.features import Features
from pgfast.network_policy import NetworkPolicy

Std = Literal["learned", "fixed", "network"]


class GaussianPolicy(NetworkPolicy):
    """A diagonal Gaussian over continuous actions, its mean the output of a network.

    a ~ N(μ(s), diag σ²), μ = f(s; θ). σ is

        "learned"  the same in all states, log σ the last A entries of θ
        "fixed"    `initial_std`, always
        "network"  exp of further outputs of the network

    and never below `min_std`: where log σ falls below log `min_std`, σ stays there and log σ has no
    gradient; `floored` tells how often that is so.

    The mean begins near 0 and σ at `initial_std`. θ as in `SoftmaxPolicy`, then log σ where it is
    learned. In an environment with Box actions what is sampled is clipped for the environment,
    not for the log-probability.

    Parameters:
        observation_size: D.
        action_size: A.
        std: where σ comes from.
        initial_std: σ at the beginning, > 0.
        min_std: > 0, not above `initial_std`.
        hidden, activation, features, normalize_observations, dtype, seed: as in `SoftmaxPolicy`.

    Actions are (..., A) in the dtype of θ.

    Raises:
        ValueError: a size below 1, a σ that is not positive, an unknown `std` or activation.
        TypeError: a dtype that is neither.

    >>> policy = GaussianPolicy(3, 1)
    >>> policy.theta.shape, policy.entropy(np.zeros((1, 3), np.float32)).round(4)
    ((5,), array([1.4189], dtype=float32))
    """

    _kernel: _core.GaussianMlp

    def __init__(
        self,
        observation_size: int,
        action_size: int,
        *,
        std: Std = "learned",
        initial_std: float = 1.0,
        min_std: float = 1e-3,
        hidden: Sequence[int] = (),
        activation: str = "tanh",
        features: Features | None = None,
        normalize_observations: bool = False,
        dtype: FloatDType = np.float32,
        seed: int = 0,
    ) -> None:
        name = "GaussianPolicy"
        self.action_size = as_count(name, "action_size", action_size)
        if std not in ("learned", "fixed", "network"):
            raise unknown(name, "std", std, ("learned", "fixed", "network"))
        self.std_kind = std
        self.initial_std = _std(name, "initial_std", initial_std)
        self.min_std = _std(name, "min_std", min_std)
        if self.min_std > self.initial_std:
            raise ValueError(
                f"{name}: min_std is {min_std}, expected at most initial_std = {initial_std}"
            )
        self._set_up(
            observation_size,
            self._outputs(std, self.action_size),
            hidden=hidden,
            activation=activation,
            features=features,
            normalize_observations=normalize_observations,
            dtype=dtype,
            seed=seed,
        )
        log_std = np.full(self.action_size, math.log(self.initial_std), self.dtype)
        if std == "learned":
            self._begin_as(np.concatenate([self._theta, log_std]))
        elif std == "network":
            self._theta[-self.action_size :] = log_std  # the biases of those outputs
        self._make_kernel()

    def _make_kernel(self) -> None:
        fixed = [math.log(self.initial_std)] * self.action_size if self.std_kind == "fixed" else []
        self._kernel = _core.GaussianMlp(
            self._sizes,
            self.activation,
            self.action_size,
            self.action_size if self.std_kind == "learned" else 0,
            fixed,
            math.log(self.min_std),
            *self._network_arguments(),
        )

    def mean(self, observations: FloatArray) -> FloatArray:
        """Mean μ(s).

        Parameters:
            observations: (..., D) in the dtype of θ.

        Returns:
            (..., A).
        """
        return np.ascontiguousarray(
            self._kernel.parameters(self.theta, observations)[..., : self.action_size]
        )

    def std(self, observations: FloatArray) -> FloatArray:
        """Standard deviation σ(s), the floor included.

        Parameters:
            observations: (..., D) in the dtype of θ.

        Returns:
            (..., A).
        """
        z = self._kernel.parameters(self.theta, observations)
        if self.std_kind == "fixed":
            return np.full_like(z, self.initial_std)
        return np.maximum(np.exp(z[..., self.action_size :]), z.dtype.type(self.min_std))

    def floored(self, observations: FloatArray) -> float:
        """Share of the σ of these observations that the floor holds up, in [0, 1]."""
        samples = np.asarray(observations).size // self.observation_size
        return self._kernel.floored(self.theta, observations) / (samples * self.action_size)

    def after_update(
        self, observations: FloatArray, valid: BoolArray | None = None
    ) -> dict[str, float]:
        """Put a learned log σ below its floor back onto it, where it can rise again.

        Gives the mean of log σ, and the share of σ that the floor holds up.
        """
        stats = super().after_update(observations, valid)
        if self.std_kind == "network":
            return {**stats, "floored": self.floored(_only(observations, valid))}
        if self.std_kind == "fixed":
            return stats
        log_std, floor = self._theta[-self.action_size :], math.log(self.min_std)
        np.maximum(log_std, self.dtype.type(floor), out=log_std)
        held = float((log_std <= self.dtype.type(floor)).mean())
        return {**stats, "log_std": float(log_std.mean(dtype=np.float64)), "floored": held}

    def config(self) -> dict[str, Any]:
        """Give the arguments that make a policy of the same kind."""
        return {
            **super().config(),
            "action_size": self.action_size,
            "std": self.std_kind,
            "initial_std": self.initial_std,
            "min_std": self.min_std,
        }

    @classmethod
    def _num_parameters(cls, config: dict[str, Any]) -> int:
        size = config["action_size"]
        tail = size if config["std"] == "learned" else 0
        return cls._network_size(config, cls._outputs(config["std"], size)) + int(tail)

    @staticmethod
    def _outputs(std: Std, action_size: int) -> int:
        return 2 * action_size if std == "network" else action_size


def _only(observations: FloatArray, valid: BoolArray | None) -> FloatArray:
    return observations if valid is None else observations[valid]


def _std(function: str, name: str, value: float) -> float:
    expected = "a finite number > 0"
    if not 0 < as_number(function, name, value, expected) < math.inf:
        raise ValueError(f"{function}: {name} is {value}, expected {expected}")
    return float(value)
