"""Behaviour cloning: a policy made likely to do what was shown to it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from pgfast import _core
from pgfast._typing import BoolArray, FloatArray, as_count, as_number
from pgfast.optimizers import Adam
from pgfast.policy import Policy

_FIRST_STREAM = 2**31
"""Of the orders of samples: those of other trainings with the policy's seed come before."""


def behaviour_cloning(
    policy: Policy,
    observations: FloatArray,
    actions: npt.NDArray[Any],
    *,
    weights: FloatArray | None = None,
    masks: BoolArray | None = None,
    epochs: int = 20,
    batch_size: int = 256,
    learning_rate: float = 1e-3,
    entropy: float = 0.0,
) -> npt.NDArray[np.float64]:
    """Weighted maximum likelihood by minibatches of Adam steps; θ changes in place.

    Maximises 1/B Σ_b w_b log π(a_b|s_b) + c_H · mean entropy. The gradient is the score with the
    weights of the samples: the policy gradient, with what was shown in place of advantages.

    Parameters:
        policy: is changed.
        observations: (..., D) in the dtype of θ.
        actions: (...) as the policy's class says.
        weights: w (...) in the dtype of θ; None means 1.
        masks: (..., A) which actions are allowed; None: all.
        epochs: passes over the samples, ≥ 1.
        batch_size: samples of a minibatch, ≥ 1.
        learning_rate: Adam's, > 0.
        entropy: c_H ≥ 0.

    Returns:
        The weighted mean log-likelihood during each epoch, (epochs,).

    Raises:
        ValueError: a shape or number that does not fit; numbers that make the likelihood NaN.
        TypeError: a dtype that does not fit.

    >>> from pgfast import SoftmaxPolicy
    >>> policy, s = SoftmaxPolicy(1, 2), np.array([[-1.0], [1.0]], np.float32)
    >>> bool(np.diff(behaviour_cloning(policy, s, np.array([0, 1]), learning_rate=0.1)).min() > 0)
    True
    >>> policy.mode(s)
    array([0, 1])
    """
    name = "behaviour_cloning"
    if not isinstance(policy, Policy):
        raise TypeError(f"{name}: policy is a {type(policy).__name__}, expected a policy")
    epochs, batch_size = as_count(name, "epochs", epochs), as_count(name, "batch_size", batch_size)
    expected = "a finite number >= 0"
    if not 0 <= as_number(name, "entropy", entropy, expected) < math.inf:
        raise ValueError(f"{name}: entropy is {entropy}, expected {expected}")
    if weights is None:
        shape = np.shape(actions)[: np.ndim(observations) - 1]
        weights = np.ones(shape, policy.dtype)
    optimizer = Adam(learning_rate)
    likelihoods, before = np.empty(epochs), policy.theta.copy()
    for epoch in range(epochs):
        stats = _core.climb_minibatches(
            policy._kernel,
            adam=optimizer.arguments(policy.theta),
            observations=observations,
            actions=actions,
            masks=masks,
            log_probs=None,
            advantages=weights,
            valid=None,
            surrogate=("log_prob", 0.0, entropy, 0.0, 0.0),
            reference=None,
            value=None,
            epochs=1,
            batch_size=batch_size,
            max_gradient_norm=math.inf,
            target_kl=math.inf,
            seed=policy.seed,
            stream=_FIRST_STREAM + epoch,
        )
        optimizer.count += int(stats["minibatches"])
        likelihoods[epoch] = stats["surrogate"]
        if not np.isfinite([stats["surrogate"], stats["gradient_norm"]]).all():
            policy.theta = before
            raise ValueError(
                f"{name}: the weighted log-likelihood is {stats['surrogate']} in epoch {epoch}, "
                "expected finite observations and weights; theta is what it was before"
            )
    return likelihoods
