"""Twin of `pgfast.value_function` on samples (B, D)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pgfast._typing import FloatArray, FloatDType
from pgfast.reference.baselines import ridge_regression
from pgfast.reference.networks import Mlp
from pgfast.reference.optimizers import adam_step
from pgfast.reference.random import SHUFFLE, draws


class ValueFunction:
    """A network with one output, fitted by least squares."""

    def __init__(
        self,
        observation_size: int,
        *,
        hidden: Sequence[int] = (),
        activation: str = "tanh",
        dtype: FloatDType = np.float64,
        seed: int = 0,
    ) -> None:
        self.network = Mlp([observation_size, *hidden, 1], activation)
        self.linear = not hidden
        self.theta: FloatArray = np.zeros(self.network.num_parameters, dtype)
        self.seed = seed
        self.fits = 0

    def predict(self, observations: FloatArray) -> FloatArray:
        return self.network.forward(self.theta, observations)[:, 0]

    def gradient(self, observations: FloatArray, targets: FloatArray) -> FloatArray:
        residual = self.predict(observations) - targets
        return self.network.backward(self.theta, observations, 2 * residual[:, None] / len(targets))

    def fit(
        self,
        observations: FloatArray,
        targets: FloatArray,
        *,
        ridge: float = 1e-5,
        epochs: int = 10,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
    ) -> None:
        """Ridge regression, or Adam on minibatches in units of the targets' deviation."""
        if self.linear:
            weights, intercept = ridge_regression(observations, targets, ridge)
            self.theta[:] = np.append(weights, intercept)
            return
        self.theta[-1] += (targets - self.predict(observations)).mean()
        deviation = targets.std()
        unit = 2.0 ** np.round(np.log2(deviation)) if deviation > 0 else 1.0
        last = slice(-self.network.sizes[-2] - 1, None)
        self.theta[last] /= unit
        order, n = list(range(len(targets))), len(targets)
        m, v, step = np.zeros_like(self.theta), np.zeros_like(self.theta), 0
        for epoch in range(epochs):
            shuffle(order, self.seed, self.fits, epoch * n)
            for first in range(0, n, batch_size):
                batch = order[first : first + batch_size]
                gradient, step = self.gradient(observations[batch], targets[batch] / unit), step + 1
                self.theta[:], m, v = adam_step(
                    self.theta, gradient, m, v, step, -learning_rate, 0.9, 0.999, 1e-8
                )
        self.theta[last] *= unit
        self.fits += 1


def shuffle(items: list[int], seed: int, stream: int, first_index: int) -> None:
    """Fisher–Yates: item i changes places with item ⌊u (i + 1)⌋, i from the last one down."""
    u = draws(seed, SHUFFLE, stream, first_index + np.arange(len(items)), np.float64)
    for i in reversed(range(1, len(items))):
        j = int(u[i] * (i + 1))
        items[i], items[j] = items[j], items[i]
