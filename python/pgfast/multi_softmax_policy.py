"""Policies with several discrete actions at once, also for continuous ones cut into bins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pgfast import _core
from pgfast._typing import FloatArray, FloatDType, as_sizes
from pgfast.features import Features
from pgfast.network_policy import NetworkPolicy


class MultiSoftmaxPolicy(NetworkPolicy):
    """A product of softmax distributions over the outputs of a network.

    π(a|s) = Πⱼ exp(z_{j,aⱼ}) / Σ_b exp(z_{j,b}): dimension j has its own logits, and given the
    state the dimensions are independent. For MultiDiscrete actions; in an environment with Box
    actions, bin k of the n of dimension j stands for low + (high − low) k / (n − 1).

    θ as in `SoftmaxPolicy`, the outputs of all dimensions side by side.

    Parameters:
        observation_size: D.
        actions: the number of actions of each dimension.
        hidden, activation, features, normalize_observations, dtype, seed: as in `SoftmaxPolicy`.

    Actions are (..., number of dimensions) int64, masks (..., sum of `actions`) bool.

    Raises:
        ValueError: a size below 1, an unknown activation, a negative seed.
        TypeError: a dtype that is neither.

    >>> policy = MultiSoftmaxPolicy(4, [2, 3])
    >>> policy.theta.shape, policy.entropy(np.zeros((1, 4), np.float32)).round(4)
    ((25,), array([1.7918], dtype=float32))
    """

    _kernel: _core.MultiSoftmaxMlp

    def __init__(
        self,
        observation_size: int,
        actions: Sequence[int],
        *,
        hidden: Sequence[int] = (),
        activation: str = "tanh",
        features: Features | None = None,
        normalize_observations: bool = False,
        dtype: FloatDType = np.float32,
        seed: int = 0,
    ) -> None:
        self.actions = as_sizes("MultiSoftmaxPolicy", "actions", actions)
        if not self.actions:
            raise ValueError("MultiSoftmaxPolicy: actions is empty, expected one number at least")
        self._set_up(
            observation_size,
            sum(self.actions),
            hidden=hidden,
            activation=activation,
            features=features,
            normalize_observations=normalize_observations,
            dtype=dtype,
            seed=seed,
        )
        self._make_kernel()

    def _make_kernel(self) -> None:
        self._kernel = _core.MultiSoftmaxMlp(
            self._sizes, self.activation, list(self.actions), *self._network_arguments()
        )

    def logits(self, observations: FloatArray) -> FloatArray:
        """Network output z, the logits of one dimension after the other.

        Parameters:
            observations: (..., D) in the dtype of θ.

        Returns:
            (..., sum of `actions`).
        """
        return self._kernel.parameters(self.theta, observations)

    def config(self) -> dict[str, Any]:
        """Give the arguments that make a policy of the same kind."""
        return {**super().config(), "actions": list(self.actions)}

    @classmethod
    def _num_parameters(cls, config: dict[str, Any]) -> int:
        return cls._network_size(config, sum(config["actions"]))
