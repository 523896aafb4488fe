"""In JAX: functions of arrays, jitted; the answer is waited for."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp


@jax.jit
def gae(
    rewards: Any, values: Any, next_values: Any, terminated: Any, truncated: Any, decay: Any
) -> Any:
    """GAE by a scan over time; decay is (γ, λ).

    `next_values` (T, N) holds V of each step's next observation, or of its final one, as rollouts
    in JAX keep them: there is no array of variable length.
    """
    gamma, lam = decay
    deltas = rewards + gamma * jnp.where(terminated, 0, next_values) - values

    def back(trace: Any, row: Any) -> Any:
        delta, over = row
        trace = delta + gamma * lam * jnp.where(over, 0, trace)
        return trace, trace

    rows = deltas, terminated | truncated
    return jax.lax.scan(back, jnp.zeros_like(rewards[0]), rows, reverse=True)[1]


def logits(theta: Any, observations: Any) -> Any:
    """Of a linear policy, (B, A)."""
    D = observations.shape[1]
    A = theta.size // (D + 1)
    return observations @ theta[: D * A].reshape(D, A) + theta[D * A :]


@jax.jit
@jax.grad
def score(theta: Any, observations: Any, actions: Any, weights: Any) -> Any:
    """Σ_b w_b ∇ log π(a_b|s_b), by automatic differentiation of Σ_b w_b log π(a_b|s_b)."""
    log_probs = jax.nn.log_softmax(logits(theta, observations))
    return (weights * jnp.take_along_axis(log_probs, actions[:, None], 1)[:, 0]).sum()


@partial(jax.jit, static_argnames=("iterations",))
def natural_gradient(
    theta: Any, observations: Any, gradient: Any, damping: Any, iterations: int
) -> Any:
    """`iterations` steps of conjugate gradients on the Fisher matrix, never built.

    A loop of its own: jax.scipy.sparse.linalg.cg gives NaN where its tolerance is 0 (JAX 0.10.2).
    """
    p = jax.nn.softmax(logits(theta, observations))

    def product(v: Any) -> Any:
        dz = logits(v, observations)
        dz = p * (dz - (p * dz).sum(axis=1, keepdims=True))
        back = jnp.concatenate([(observations.T @ dz).ravel(), dz.sum(axis=0)])
        return back / len(observations) + damping * v

    def step(_: Any, state: Any) -> Any:
        x, residual, direction, square = state
        image = product(direction)
        length = square / (direction @ image)
        residual = residual - length * image
        new_square = residual @ residual
        turned = residual + new_square / square * direction
        return x + length * direction, residual, turned, new_square

    start = jnp.zeros_like(gradient), gradient, gradient, gradient @ gradient
    return jax.lax.fori_loop(0, iterations, step, start)[0]


def mlp(theta: Any, x: Any, sizes: tuple[int, ...]) -> Any:
    """tanh layers of these sizes, the last one linear, with pgfast's order of θ."""
    start = 0
    for layer, (i, o) in enumerate(itertools.pairwise(sizes)):
        weights = theta[start : start + i * o].reshape(i, o)
        start += (i + 1) * o
        x = x @ weights + theta[start - o : start]
        x = x if layer == len(sizes) - 2 else jnp.tanh(x)
    return x


def adam_state(parameters: Any) -> Any:
    """(parameters, first moments, second moments, steps so far)."""
    first, second = (jax.tree.map(jnp.zeros_like, parameters) for _ in range(2))
    return parameters, first, second, jnp.zeros((), jnp.int32)


@partial(jax.jit, static_argnames=("sizes", "clip", "entropy", "alpha"), donate_argnums=0)
def ppo_step(
    state: Any, samples: Any, *, sizes: tuple[int, ...], clip: float, entropy: float, alpha: float
) -> Any:
    """One minibatch: clipped surrogate and squared error, their gradient, Adam."""
    observations, actions, log_probs, advantages, targets = samples

    def loss(thetas: Any) -> Any:
        theta, phi = thetas
        A = (theta.size - mlp_size(sizes)) // (sizes[-1] + 1)
        chosen = jax.nn.log_softmax(mlp(theta, observations, (*sizes, A)))
        taken = jnp.take_along_axis(chosen, actions[:, None], 1)[:, 0]
        ratio = jnp.exp(taken - log_probs)
        clipped = jnp.clip(ratio, 1 - clip, 1 + clip) * advantages
        surrogate = jnp.minimum(ratio * advantages, clipped)
        surrogate -= entropy * (jnp.exp(chosen) * chosen).sum(axis=1)
        error = mlp(phi, observations, (*sizes, 1))[:, 0] - targets
        return (error**2).mean() / 2 - surrogate.mean()

    thetas, first, second, count = state
    count += 1
    gradients = jax.grad(loss)(thetas)
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
    scales = 1 - 0.9**count, 1 - 0.999**count
    thetas = jax.tree.map(
        lambda x, m, v: x - alpha * (m / scales[0]) / (jnp.sqrt(v / scales[1]) + 1e-8),
        thetas,
        first,
        second,
    )
    return thetas, first, second, count


def mlp_size(sizes: tuple[int, ...]) -> int:
    """Parameters of the layers between these sizes."""
    return sum((i + 1) * o for i, o in itertools.pairwise(sizes))
