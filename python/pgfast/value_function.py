"""Value functions: V(s; θ), a network with one output, fitted to returns by least squares."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pgfast import _core
from pgfast._typing import (
    BoolArray,
    FloatArray,
    FloatDType,
    as_count,
    as_float_dtype,
    as_number,
    as_seed,
    as_sizes,
)
from pgfast.features import Features
from pgfast.network_policy import (
    check_features,
    feature_kernel,
    initial_parameters,
    network_inputs,
    normalization_of,
)
from pgfast.normalization import ObservationNormalizer
from pgfast.parameters import Parameters

if TYPE_CHECKING:
    from typing_extensions import Self

_FIRST_STREAM = 2**16
"""Of the initial θ: a policy of the same seed takes the streams before."""


@dataclass(frozen=True)
class ValueFit:
    """How well a value function predicts what it has been fitted to."""

    loss: float
    """Mean squared error, mean (V − y)²."""
    explained_variance: float
    """1 − Var(y − V) / Var(y): 1 is perfect, 0 no better than a constant; 0 where y is one."""
    damping: float
    """What a singular linear system took on the diagonal of its correlation matrix; else 0."""


class ValueFunction(Parameters):
    """A state's value by a network: V = f(s; θ).

    Without hidden layers f is linear, V = wᵀs + b, and `fit` solves for w and b; with them it takes
    Adam steps on minibatches.

    θ holds, layer by layer, W (fan_in, fan_out) row-major, then b (fan_out,). A linear one begins
    at θ = 0. Hidden layers begin orthogonal with gain √2, the last one with gain 1, biases at 0.

    Parameters:
        observation_size: D.
        hidden: sizes of the hidden layers.
        activation: "tanh" or "relu".
        features: φ, what the network sees of an observation; None: the observation.
        normalizer: in whose units observations are seen, a policy's, say; see `refresh`.
        dtype: float32 or float64.
        seed: of the initial θ and of the order of samples in minibatches.

    Raises:
        ValueError: a size below 1, an unknown activation, a negative seed.
        TypeError: a dtype that is neither.

    >>> value, s = ValueFunction(1, dtype=np.float64), np.array([[0.0], [1.0], [2.0]])
    >>> value.fit(s, np.array([1.0, 3.0, 5.0]), ridge=0.0).explained_variance
    1.0
    >>> value.theta.round(6), value.predict(np.array([[10.0]])).round(6)
    (array([2., 1.]), array([21.]))
    """

    fits: int
    """How many times it was fitted: the next fit's stream of random numbers."""

    def __init__(
        self,
        observation_size: int,
        *,
        hidden: Sequence[int] = (),
        activation: str = "tanh",
        features: Features | dict[str, Any] | None = None,
        normalizer: ObservationNormalizer | None = None,
        dtype: FloatDType = np.float32,
        seed: int = 0,
    ) -> None:
        name = "ValueFunction"
        self.observation_size = as_count(name, "observation_size", observation_size)
        self.hidden = as_sizes(name, "hidden", hidden)
        if activation not in ("tanh", "relu"):
            raise ValueError(f"{name}: activation is {activation!r}, expected 'tanh' or 'relu'")
        self.activation = activation
        self.features = check_features(name, features, self.observation_size)
        self.normalizer = normalizer
        self.seed = as_seed(name, seed)
        self.fits = 0
        self._sizes = [network_inputs(self.observation_size, self.features), *self.hidden, 1]
        self._begin_as(
            initial_parameters(
                self._sizes,
                as_float_dtype(name, dtype),
                self.seed,
                last_gain=1.0,
                first_stream=_FIRST_STREAM,
            )
        )
        self.refresh()

    def refresh(self) -> None:
        """See observations as the normalizer is now: call it where that has learned."""
        self._kernel = _core.ValueNetwork(
            self._sizes,
            self.activation,
            feature_kernel(self.features),
            normalization_of(self.normalizer),
        )

    def predict(self, observations: FloatArray) -> FloatArray:
        """Values V(s).

        Parameters:
            observations: (..., D) in the dtype of θ.

        Returns:
            (...).
        """
        return self._kernel.predict(self.theta, observations)

    def of_rollout(
        self, observations: FloatArray, last_observations: FloatArray | None = None
    ) -> FloatArray:
        """Values V(s) before and after every step, as the estimators of returns take them.

        Parameters:
            observations: (T, N, D) in the dtype of θ.
            last_observations: (N, D), those after the last step; None: the last row is 0.

        Returns:
            (T + 1, N).
        """
        return self._kernel.values(self.theta, observations, last_observations)

    def gradient(
        self,
        observations: FloatArray,
        targets: FloatArray,
        *,
        valid: BoolArray | None = None,
    ) -> FloatArray:
        """Gradient of the mean squared error, ∇θ mean_b (V(s_b) − y_b)².

        Parameters:
            observations: (..., D) in the dtype of θ.
            targets: y (...) in the dtype of θ.
            valid: (...) bool, the samples that count; the others are not read. None means all.

        Returns:
            (P,).
        """
        return self._kernel.gradient(self.theta, observations, targets, valid)

    def fit(
        self,
        observations: FloatArray,
        targets: FloatArray,
        *,
        valid: BoolArray | None = None,
        ridge: float = 1e-5,
        epochs: int = 10,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
    ) -> ValueFit:
        """Fit V to targets by least squares, in place.

        Linear: θ minimises Σ_b (V(s_b) − y_b)² + ridge |w|² whatever it was before; b is not
        penalised. Regressors that are combinations of others make the system singular: then just as
        much is added to the diagonal of their correlation matrix as it takes, and `damping` tells.

        With hidden layers: in each epoch the samples are put in a new order and cut into
        minibatches, and each gives a step of Adam down the gradient of its mean squared error. This
        is done in units of the targets' standard deviation (rounded to a power of two), by
        which the last layer is divided before and multiplied after; and it begins with a bias that
        makes the mean of V that of y. So the scale of rewards does not matter. Adam begins anew in
        every fit.

        Where the outcome is not finite, as with targets that are not, θ stays as it was, and the
        loss tells. The order of samples is a function of the seed and of `fits`; θ has the same
        bits on any number of threads.

        Parameters:
            observations: (..., D) in the dtype of θ.
            targets: y (...) in the dtype of θ.
            valid: (...) bool, the samples that count; the others are not read. None means all.
            ridge: ≥ 0; not read with hidden layers.
            epochs: at least 1; not read without hidden layers, nor are the following.
            batch_size: samples of a minibatch, at least 1.
            learning_rate: > 0.

        Returns:
            ValueFit(loss, explained_variance, damping), of the fitted V.

        Raises:
            ValueError: a shape, stride or number that does not fit; no valid sample.
            TypeError: a dtype that does not fit.
        """
        expected = "a finite number > 0"
        if not 0 < as_number("fit", "learning_rate", learning_rate, expected) < np.inf:
            raise ValueError(f"fit: learning_rate is {learning_rate}, expected {expected}")
        epochs = as_count("fit", "epochs", epochs)
        batch_size = as_count("fit", "batch_size", batch_size)
        data = self.theta, observations, targets, valid
        if not self.hidden:
            result = self._kernel.fit_ridge(*data, ridge)
        else:
            result = self._kernel.fit_minibatches(
                *data, epochs, batch_size, learning_rate, self.seed, self.fits % 2**32
            )
        self.fits += 1
        return ValueFit(*result)

    def config(self) -> dict[str, Any]:
        """Give the arguments that make a value function of the same kind, as plain values."""
        return {
            "observation_size": self.observation_size,
            "hidden": list(self.hidden),
            "activation": self.activation,
            "features": None if self.features is None else self.features.config(),
            "dtype": self.dtype.name,
            "seed": self.seed,
        }

    @classmethod
    def restore(cls, config: dict[str, Any], theta: FloatArray, fits: int) -> Self:
        """Make a value function from its config, with that θ and count of fits.

        Raises:
            ValueError: a θ of another shape, or settings that make no value function.
            TypeError: a θ of another dtype, or settings that make no value function.
        """
        features = config.get("features")
        inputs = network_inputs(
            config["observation_size"], None if features is None else Features.restore(features)
        )
        sizes = [inputs, *config["hidden"], 1]
        size = sum((fan_in + 1) * fan_out for fan_in, fan_out in itertools.pairwise(sizes))
        if theta.shape != (size,):  # before anything of that size is allocated
            raise ValueError(f"theta has shape {theta.shape}, expected ({size},)")
        value = cls(**config)
        value.theta = theta
        value.fits = fits
        return value

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as what `restore` takes, and the normalizer."""
        return type(self)._restore, (self.config(), self.theta, self.fits, self.normalizer)

    def copy(self) -> Self:
        """Make a value function of its own with the same θ, seed, count of fits and normalizer."""
        return self._restore(self.config(), self.theta, self.fits, self.normalizer)

    @classmethod
    def _restore(
        cls,
        config: dict[str, Any],
        theta: FloatArray,
        fits: int,
        normalizer: ObservationNormalizer | None,
    ) -> Self:
        value = cls.restore(config, theta, fits)
        value.normalizer = normalizer
        value.refresh()
        return value

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the value function to a new safetensors file.

        Raises:
            FileExistsError: the file exists; nothing is written over.
            ValueError: it has a normalizer, which such a file does not hold.
        """
        from pgfast.checkpoint import save_value_function

        if self.normalizer is not None:
            raise ValueError(
                "save: the value function has a normalizer, expected None: a file holds theta alone"
            )

        save_value_function(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ValueFunction:
        """Read a value function that `save` wrote. Nothing of the file is executed.

        Raises:
            ValueError: the file holds no value function, is cut short, or holds a θ of another
                shape.
        """
        from pgfast.checkpoint import load_value_function

        return load_value_function(path)
