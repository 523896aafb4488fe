"""First-order optimizers on a flat parameter vector, in place.

`ascend` climbs the gradient, as policy gradients do; `descend` goes the other way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from pgfast import _core
from pgfast._typing import FloatArray, as_number


class Optimizer(Protocol):
    """What algorithms ask of an optimizer."""

    def ascend(self, theta: FloatArray, gradient: FloatArray) -> None:
        """Change `theta` in place to increase what `gradient` is the gradient of."""

    def descend(self, theta: FloatArray, gradient: FloatArray) -> None:
        """Change `theta` in place to decrease it."""


class SGD:
    """Plain gradient steps.

    θ ← θ ± α g.

    Parameters:
        learning_rate: α > 0.

    Raises:
        ValueError: α ≤ 0 or not finite; in a step, a shape that does not fit or a read-only θ.
        TypeError: in a step, a dtype that does not fit.

    >>> theta = np.zeros(2); SGD(0.5).ascend(theta, np.array([1.0, -2.0])); theta
    array([ 0.5, -1. ])
    """

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = _positive("SGD", "learning_rate", learning_rate)

    def ascend(self, theta: FloatArray, gradient: FloatArray) -> None:
        """θ ← θ + α g, in place."""
        _core.sgd_step(theta, gradient, self.learning_rate)

    def descend(self, theta: FloatArray, gradient: FloatArray) -> None:
        """θ ← θ − α g, in place."""
        _core.sgd_step(theta, gradient, -self.learning_rate)


class Adam:
    """Adam.

    m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,
    θ ← θ ± α (m / (1 − β₁ᵏ)) / (√(v / (1 − β₂ᵏ)) + ε) at step k.

    The first step has length α in every coordinate whose gradient is large beside ε.

    Source: Kingma & Ba 2015, algorithm 1.

    Parameters:
        learning_rate: α > 0.
        betas: (β₁, β₂), each in [0, 1).
        epsilon: ε ≥ 0.

    Raises:
        ValueError: a number out of its range; in a step, a shape that does not fit or a
            read-only θ.
        TypeError: in a step, a dtype that does not fit.

    >>> theta = np.zeros(2); Adam(0.5).ascend(theta, np.array([1.0, -2.0])); theta.round(6)
    array([ 0.5, -0.5])
    """

    def __init__(
        self,
        learning_rate: float,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
    ) -> None:
        self.learning_rate = _positive("Adam", "learning_rate", learning_rate)
        expected = "two numbers in [0, 1)"
        if not isinstance(betas, Sequence):
            raise TypeError(f"Adam: betas is a {type(betas).__name__}, expected {expected}")
        if len(betas) != 2 or not all(
            0 <= as_number("Adam", "betas", b, expected) < 1 for b in betas
        ):
            raise ValueError(f"Adam: betas is {betas}, expected {expected}")
        if not 0 <= as_number("Adam", "epsilon", epsilon, "a finite number >= 0") < np.inf:
            raise ValueError(f"Adam: epsilon is {epsilon}, expected a finite number >= 0")
        self.betas = betas
        self.epsilon = epsilon
        self.count = 0
        self.m: FloatArray | None = None
        self.v: FloatArray | None = None

    def arguments(self, theta: FloatArray) -> tuple[Any, ...]:
        """Give what the core takes to make many steps by itself; count them in `count`."""
        if self.m is None or self.v is None:
            self.m, self.v = np.zeros_like(theta), np.zeros_like(theta)
        return theta, self.m, self.v, self.count, self.learning_rate, *self.betas, self.epsilon

    def ascend(self, theta: FloatArray, gradient: FloatArray) -> None:
        """One step that climbs, in place."""
        self._step(theta, gradient, self.learning_rate)

    def descend(self, theta: FloatArray, gradient: FloatArray) -> None:
        """One step that descends, in place."""
        self._step(theta, gradient, -self.learning_rate)

    def _step(self, theta: FloatArray, gradient: FloatArray, step_size: float) -> None:
        m = np.zeros_like(theta) if self.m is None else self.m
        v = np.zeros_like(theta) if self.v is None else self.v
        _core.adam_step(theta, gradient, m, v, self.count + 1, step_size, *self.betas, self.epsilon)
        self.m, self.v, self.count = m, v, self.count + 1


def _positive(function: str, name: str, value: float) -> float:
    if not 0 < as_number(function, name, value, "a finite number > 0") < np.inf:
        raise ValueError(f"{function}: {name} is {value}, expected a finite number > 0")
    return float(value)
