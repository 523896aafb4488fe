"""Twin of the networks: forward, backward (Jᵀu) and jvp (Jv) on samples (B, D)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from pgfast._typing import FloatArray


class Mlp:
    """Affine layers with tanh or relu between them; θ holds W then b, layer by layer."""

    def __init__(self, sizes: Sequence[int], activation: str = "tanh") -> None:
        self.sizes = list(sizes)
        self.activation = activation
        self.num_parameters = sum((i + 1) * o for i, o in itertools.pairwise(sizes))

    def layers(self, theta: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
        """Views (W, b) of each layer."""
        views, start = [], 0
        for i, o in zip(self.sizes[:-1], self.sizes[1:], strict=True):
            weights = theta[start : start + i * o].reshape(i, o)
            views.append((weights, theta[start + i * o : start + (i + 1) * o]))
            start += (i + 1) * o
        return views

    def activate(self, x: FloatArray) -> FloatArray:
        """tanh or relu."""
        return np.tanh(x) if self.activation == "tanh" else np.maximum(x, 0)

    def slope(self, h: FloatArray) -> FloatArray:
        """The activation's derivative, from its value."""
        return 1 - h * h if self.activation == "tanh" else (~(h <= 0)).astype(h.dtype)

    def hidden(self, theta: FloatArray, x: FloatArray) -> list[FloatArray]:
        """Each layer's input."""
        inputs = [x]
        for weights, bias in self.layers(theta)[:-1]:
            inputs.append(self.activate(inputs[-1] @ weights + bias))
        return inputs

    def forward(self, theta: FloatArray, x: FloatArray) -> FloatArray:
        """z (B, A)."""
        weights, bias = self.layers(theta)[-1]
        return self.hidden(theta, x)[-1] @ weights + bias

    def backward(self, theta: FloatArray, x: FloatArray, dz: FloatArray) -> FloatArray:
        """Σ_b J_bᵀ dz_b (P,)."""
        inputs, parts, delta = self.hidden(theta, x), [], dz
        for h, (weights, _) in zip(reversed(inputs), reversed(self.layers(theta)), strict=True):
            parts.append(np.concatenate([(h.T @ delta).ravel(), delta.sum(axis=0)]))
            delta = (delta @ weights.T) * self.slope(h)
        return np.concatenate(parts[::-1])

    def jvp(self, theta: FloatArray, x: FloatArray, v: FloatArray) -> FloatArray:
        """J_b v (B, A)."""
        inputs, tangent = self.hidden(theta, x), np.zeros_like(x)
        both = zip(self.layers(theta), self.layers(v), strict=True)
        for layer, ((weights, _), (d_weights, d_bias)) in enumerate(both):
            tangent = inputs[layer] @ d_weights + d_bias + tangent @ weights
            if layer + 1 < len(inputs):
                tangent = tangent * self.slope(inputs[layer + 1])
        return tangent


class StateActionLinear:
    """zₐ = θᵀx(s, a) on samples (B, A, J)."""

    def __init__(self, features: int) -> None:
        self.num_parameters = features

    def forward(self, theta: FloatArray, x: FloatArray) -> FloatArray:
        """z (B, A)."""
        return x @ theta

    def backward(self, theta: FloatArray, x: FloatArray, dz: FloatArray) -> FloatArray:
        """Σ_b Σₐ dz_ba x(s_b, a) (J,)."""
        return np.einsum("baj,ba->j", x, dz)

    def jvp(self, theta: FloatArray, x: FloatArray, v: FloatArray) -> FloatArray:
        """x v (B, A)."""
        return x @ v
