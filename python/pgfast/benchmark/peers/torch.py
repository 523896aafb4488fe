"""In PyTorch, eager, on one thread."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

torch.set_num_threads(1)


def network(theta: Any, sizes: Sequence[int]) -> torch.nn.Sequential:
    """tanh layers of these sizes, with the weights of pgfast's θ."""
    layers: list[torch.nn.Module] = []
    start = 0
    for i, o in itertools.pairwise(sizes):
        layer = torch.nn.Linear(i, o)
        weights, bias = np.split(theta[start : start + (i + 1) * o], [i * o])
        layer.weight.data = torch.from_numpy(weights.reshape(i, o).T.copy())
        layer.bias.data = torch.from_numpy(bias.copy())
        layers += [layer, torch.nn.Tanh()]
        start += (i + 1) * o
    return torch.nn.Sequential(*layers[:-1])


def flat(parameters: Any) -> Any:
    """θ of parameters, or of their gradients."""
    parts = [p.detach().numpy() for p in parameters]
    return np.concatenate([(p.T if p.ndim == 2 else p).ravel() for p in parts])


def score(model: torch.nn.Sequential, observations: Any, actions: Any, weights: Any) -> Any:
    """Σ_b w_b ∇ log π(a_b|s_b): gradients of the model's parameters."""
    log_probs = torch.log_softmax(model(observations), dim=-1)
    taken = log_probs.gather(1, actions[:, None])[:, 0]
    return torch.autograd.grad((weights * taken).sum(), list(model.parameters()))


def ppo_step(
    actor: torch.nn.Sequential,
    critic: torch.nn.Sequential,
    adam: torch.optim.Optimizer,
    samples: Sequence[Any],
    clip: float,
    entropy: float,
) -> None:
    """One minibatch: forward, clipped surrogate and squared error, backward, Adam."""
    observations, actions, log_probs, advantages, targets = samples
    chosen = torch.log_softmax(actor(observations), dim=-1)
    ratio = (chosen.gather(1, actions[:, None])[:, 0] - log_probs).exp()
    clipped = ratio.clamp(1 - clip, 1 + clip) * advantages
    surrogate = torch.minimum(ratio * advantages, clipped)
    surrogate = surrogate - entropy * (chosen.exp() * chosen).sum(dim=-1)
    error = critic(observations)[:, 0] - targets
    adam.zero_grad()
    (error.square().mean() / 2 - surrogate.mean()).backward()
    adam.step()
