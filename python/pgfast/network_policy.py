"""What policies with a network share: its layers, the features before them, θ's beginning."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pgfast import _core
from pgfast._typing import (
    BoolArray,
    FloatArray,
    FloatDType,
    as_count,
    as_float_dtype,
    as_seed,
    as_sizes,
)
from pgfast.features import Features
from pgfast.normalization import ObservationNormalizer, RewardNormalizer
from pgfast.policy import Policy

Normalization = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float]
"""(mean, scale, clip), as the core takes it."""


class NetworkPolicy(Policy):
    """A network f over observations, or over features of them.

    Observations go through `normalizer`, where there is one, then through `features`, then through
    the layers: z = f(φ(n(s)); θ).
    """

    observation_size: int
    hidden: tuple[int, ...]
    activation: str
    features: Features | None
    normalizer: ObservationNormalizer | None
    """Running statistics of the observations; `observe` feeds them, nothing else does."""
    reward_normalizer: RewardNormalizer | None
    """What training saw rewards with, where it normalized them: kept to go on from, saved too."""

    def _set_up(
        self,
        observation_size: int,
        outputs: int,
        *,
        hidden: Sequence[int],
        activation: str,
        features: Features | dict[str, Any] | None,
        normalize_observations: bool,
        dtype: FloatDType,
        seed: int,
    ) -> None:
        """Check and keep what all of them take, and make θ."""
        name = type(self).__name__
        self.observation_size = as_count(name, "observation_size", observation_size)
        self.hidden = as_sizes(name, "hidden", hidden)
        if activation not in ("tanh", "relu"):
            raise ValueError(f"{name}: activation is {activation!r}, expected 'tanh' or 'relu'")
        self.activation = activation
        self.features = check_features(name, features, self.observation_size)
        self.normalizer = (
            ObservationNormalizer(self.observation_size) if normalize_observations else None
        )
        self.reward_normalizer = None
        self.seed = as_seed(name, seed)
        self.draws = 0
        self._sizes = [network_inputs(self.observation_size, self.features), *self.hidden, outputs]
        self._begin_as(initial_parameters(self._sizes, as_float_dtype(name, dtype), self.seed))

    @abstractmethod
    def _make_kernel(self) -> None:
        """Make the kernel anew: it is immutable, and holds what the normalizer is now."""

    def _network_arguments(self) -> tuple[_core.Features | None, Normalization | None]:
        return feature_kernel(self.features), normalization_of(self.normalizer)

    def observe(self, observations: FloatArray, valid: BoolArray | None = None) -> None:
        """Take observations into the running statistics; without a normalizer, do nothing.

        From then on the policy sees them otherwise: call it after the update that learns from them.

        Parameters:
            observations: (..., D).
            valid: (...) those that count; None all.
        """
        if self.normalizer is not None:
            self.normalizer.update(observations, valid)
            self._make_kernel()

    def after_update(
        self, observations: FloatArray, valid: BoolArray | None = None
    ) -> dict[str, float]:
        """Take the batch's observations into the running statistics."""
        self.observe(observations, valid)
        return {}

    def config(self) -> dict[str, Any]:
        """Give the arguments that make a policy of the same kind, as plain values."""
        return {
            "observation_size": self.observation_size,
            "hidden": list(self.hidden),
            "activation": self.activation,
            "features": None if self.features is None else self.features.config(),
            "normalize_observations": self.normalizer is not None,
            "dtype": self.dtype.name,
            "seed": self.seed,
        }

    @classmethod
    def _network_size(cls, config: dict[str, Any], outputs: int) -> int:
        """P of the network that `config` describes."""
        features = config.get("features")
        inputs = network_inputs(
            config["observation_size"], None if features is None else Features.restore(features)
        )
        sizes = [inputs, *config["hidden"], outputs]
        return sum((fan_in + 1) * fan_out for fan_in, fan_out in itertools.pairwise(sizes))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Give θ, and the normalizers' statistics where there are any."""
        arrays: dict[str, npt.NDArray[Any]] = {"theta": self.theta}
        if self.normalizer is not None:
            arrays |= {f"{_OBSERVATIONS}{k}": v for k, v in self.normalizer.state().items()}
        if self.reward_normalizer is not None:
            settings = [self.reward_normalizer.gamma, self.reward_normalizer.clip]
            arrays |= {
                f"{_REWARDS}{k}": v for k, v in self.reward_normalizer.moments.state().items()
            }
            arrays[f"{_REWARDS}settings"] = np.array(settings)
        return arrays

    def _restore_arrays(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        rewards = _with_prefix(_REWARDS, arrays)
        if rewards:
            gamma, clip = _settings_of(rewards)
            self.reward_normalizer = RewardNormalizer(gamma=gamma, clip=clip)
        if set(arrays) != set(self.arrays()):
            raise ValueError(
                f"restore: arrays holds {sorted(arrays)}, expected {sorted(self.arrays())}"
            )
        self.theta = arrays["theta"]
        if self.reward_normalizer is not None:
            self.reward_normalizer.moments.restore(rewards)
        if self.normalizer is not None:
            self.normalizer.restore(_with_prefix(_OBSERVATIONS, arrays))
            self._make_kernel()


_OBSERVATIONS, _REWARDS = "normalizer.", "reward_normalizer."


def _with_prefix(prefix: str, arrays: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """The arrays whose name begins so, without it."""
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def _settings_of(rewards: dict[str, npt.NDArray[Any]]) -> tuple[float, float]:
    """γ and clip of a reward normalizer."""
    settings = rewards.pop("settings", np.zeros(0))
    if settings.shape != (2,):
        raise ValueError(f"restore: reward settings have shape {settings.shape}, expected (2,)")
    return float(settings[0]), float(settings[1])


def check_features(
    name: str, features: Features | dict[str, Any] | None, observation_size: int
) -> Features | None:
    """Features of observations of that size, also from their config."""
    if isinstance(features, dict):
        features = Features.restore(features)
    if features is not None and not isinstance(features, Features):
        raise TypeError(f"{name}: features is a {type(features).__name__}, expected Features")
    if features is not None and features.observation_size != observation_size:
        raise ValueError(
            f"{name}: features takes observations of size {features.observation_size}, "
            f"expected {observation_size}"
        )
    return features


def network_inputs(observation_size: int, features: Features | None) -> int:
    """How many numbers the first layer sees."""
    return observation_size if features is None else features.num_features


def feature_kernel(features: Features | None) -> _core.Features | None:
    """The features, as the core takes them."""
    return None if features is None else features._kernel


def normalization_of(normalizer: ObservationNormalizer | None) -> Normalization | None:
    """The statistics as they are now, as the core takes them."""
    return None if normalizer is None else (normalizer.mean, normalizer.scale, normalizer.clip)


def initial_parameters(
    sizes: Sequence[int],
    dtype: np.dtype[Any],
    seed: int,
    *,
    last_gain: float = 0.01,
    first_stream: int = 0,
) -> FloatArray:
    """θ of a new network: hidden layers orthogonal with gain √2, the last with `last_gain`.

    All zero where it is linear. Layer l draws from stream first_stream + l.
    """
    parts: list[npt.NDArray[np.float64]] = []
    for layer, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
        last = layer == len(sizes) - 2
        if last and layer == 0:
            weights = np.zeros((fan_in, fan_out))
        else:
            gain = last_gain if last else 2**0.5
            weights = gain * _orthogonal(fan_in, fan_out, seed, first_stream + layer)
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
