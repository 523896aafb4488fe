"""Twin of `pgfast.policy`: network ∘ softmax on samples (B, ...)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pgfast._typing import FloatArray, FloatDType, IntArray
from pgfast.conjugate_gradient import CGResult
from pgfast.reference import distributions as softmax
from pgfast.reference.conjugate_gradient import conjugate_gradient
from pgfast.reference.networks import Mlp, StateActionLinear


class _Policy:
    """Forward, dL/dz from the distribution, backward."""

    network: Mlp | StateActionLinear
    theta: FloatArray
    seed: int
    draws = 0

    def logits(self, observations: FloatArray) -> FloatArray:
        return self.network.forward(self.theta, observations)

    def sample(self, observations: FloatArray) -> IntArray:
        actions = softmax.softmax_sample(
            self.logits(observations), seed=self.seed, index=self.draws
        )
        self.draws += 1
        return actions

    def mode(self, observations: FloatArray) -> IntArray:
        return self.logits(observations).argmax(axis=-1)

    def log_prob(self, observations: FloatArray, actions: IntArray) -> FloatArray:
        return softmax.softmax_log_prob(self.logits(observations), actions)

    def entropy(self, observations: FloatArray) -> FloatArray:
        return softmax.softmax_entropy(self.logits(observations))

    def kl(self, observations: FloatArray, other: _Policy) -> FloatArray:
        return softmax.softmax_kl(self.logits(observations), other.logits(observations))

    def score(
        self, observations: FloatArray, actions: IntArray, weights: FloatArray | None = None
    ) -> FloatArray:
        dz = softmax.softmax_score(self.logits(observations), actions)
        if weights is not None:
            dz = weights[:, None] * dz
        return self.network.backward(self.theta, observations, dz)

    def scores(self, observations: FloatArray, actions: IntArray) -> FloatArray:
        return np.stack(
            [
                self.score(observations[b : b + 1], actions[b : b + 1])
                for b in range(len(observations))
            ]
        )

    def fisher_vector_product(
        self, observations: FloatArray, v: FloatArray, damping: float = 0.0
    ) -> FloatArray:
        dz = self.network.jvp(self.theta, observations, v)
        dz = softmax.softmax_fisher(self.logits(observations), dz)
        product = self.network.backward(self.theta, observations, dz)
        return product / len(observations) + damping * v

    def natural_gradient(
        self,
        observations: FloatArray,
        gradient: FloatArray,
        *,
        damping: float = 1e-3,
        tolerance: float = 1e-6,
        max_iterations: int | None = None,
    ) -> CGResult:
        return conjugate_gradient(
            lambda v: self.fisher_vector_product(observations, v),
            gradient,
            tolerance=tolerance,
            max_iterations=max_iterations,
            damping=damping,
        )


class SoftmaxPolicy(_Policy):
    """Softmax over a multilayer perceptron; θ begins at 0."""

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
        self.network = Mlp([observation_size, *hidden, actions], activation)
        self.theta = np.zeros(self.network.num_parameters, dtype)
        self.seed = seed


class StateActionSoftmaxPolicy(_Policy):
    """Softmax over linear state-action features; an observation is (A, J)."""

    def __init__(
        self, actions: int, features: int, *, dtype: FloatDType = np.float32, seed: int = 0
    ) -> None:
        self.network = StateActionLinear(features)
        self.theta = np.zeros(features, dtype)
        self.seed = seed
