"""One minibatch of PPO: forward, loss, backward and Adam of a policy and a value function."""

import itertools

import numpy as np
import pytest

import pgfast
from pgfast import _core, reference
from pgfast.reference import algorithms as twins

try:
    import torch
except ImportError:
    torch = None

B, D, A, HIDDEN, CLIP, ENTROPY, ALPHA = 256, 4, 2, (64, 64), 0.2, 0.01, 1e-3


def flops():
    """Floating-point operations of a product forward and two back with every weight matrix."""
    return sum(
        6 * B * i * o for outputs in (A, 1) for i, o in itertools.pairwise([D, *HIDDEN, outputs])
    )


@pytest.fixture
def samples(rng):
    observations = rng.normal(size=(B, D)).astype(np.float32)
    actions = rng.integers(0, A, B)
    log_probs = (np.log(0.5) + 0.3 * rng.normal(size=B)).astype(np.float32)
    advantages, targets = rng.normal(size=(2, B)).astype(np.float32)
    return observations, actions, log_probs, advantages, targets


def networks():
    """A policy that is not the uniform one, and a value function."""
    policy = pgfast.SoftmaxPolicy(D, A, hidden=HIDDEN)
    size = policy.theta.shape
    policy.theta += (0.05 * np.random.default_rng(1).normal(size=size)).astype(np.float32)
    return policy, pgfast.ValueFunction(D, hidden=HIDDEN)


def pgfast_step(observations, actions, log_probs, advantages, targets):
    policy, value = networks()
    adam, value_adam = pgfast.Adam(ALPHA), pgfast.Adam(ALPHA)

    def run():
        _core.climb_minibatches(
            policy._kernel,
            adam.arguments(policy.theta),
            observations,
            actions,
            None,
            log_probs,
            advantages,
            None,
            ("clipped", CLIP, ENTROPY, 0.0, 0.0),
            None,
            (value._kernel, value_adam.arguments(value.theta), targets, None, 0.0),
            1,
            B,
            np.inf,
            np.inf,
            0,
            0,
        )
        adam.count += 1
        value_adam.count += 1
        return policy.theta, value.theta

    return run


def reference_step(observations, actions, log_probs, advantages, targets):
    policy, value = networks()
    twin = reference.SoftmaxPolicy(D, A, hidden=HIDDEN)
    twin.theta = policy.theta.copy()
    twin_value = reference.ValueFunction(D, hidden=HIDDEN, dtype=np.float32)
    twin_value.theta = value.theta.copy()
    adam, value_adam = twins.Adam(twin, ALPHA), twins.Adam(twin_value, ALPHA)

    def run():
        twins.climb_minibatches(
            twin,
            adam,
            observations,
            actions,
            log_probs,
            advantages,
            weighting="clipped",
            clip=CLIP,
            entropy=ENTROPY,
            value=twin_value,
            value_adam=value_adam,
            targets=targets,
        )
        return twin.theta, twin_value.theta

    return run


def torch_network(theta, outputs):
    """The same layers with the same weights."""
    layers, start = [], 0
    for i, o in itertools.pairwise([D, *HIDDEN, outputs]):
        layer = torch.nn.Linear(i, o)
        weights, bias = np.split(theta[start : start + (i + 1) * o], [i * o])
        layer.weight.data = torch.from_numpy(weights.reshape(i, o).T.copy())
        layer.bias.data = torch.from_numpy(bias.copy())
        layers += [layer, torch.nn.Tanh()]
        start += (i + 1) * o
    return torch.nn.Sequential(*layers[:-1])


def torch_theta(network):
    parts = [p.detach().numpy() for p in network.parameters()]
    return np.concatenate([(p.T if p.ndim == 2 else p).ravel() for p in parts])


def torch_step(*samples):
    observations, actions, log_probs, advantages, targets = map(torch.from_numpy, samples)
    policy, value = networks()
    actor, critic = torch_network(policy.theta, A), torch_network(value.theta, 1)
    adam = torch.optim.Adam([*actor.parameters(), *critic.parameters()], lr=ALPHA)
    torch.set_num_threads(1)

    def run():
        chosen = torch.log_softmax(actor(observations), dim=-1)
        ratio = (chosen.gather(1, actions[:, None])[:, 0] - log_probs).exp()
        clipped = ratio.clamp(1 - CLIP, 1 + CLIP) * advantages
        entropy = -(chosen.exp() * chosen).sum(dim=-1)
        surrogate = torch.minimum(ratio * advantages, clipped) + ENTROPY * entropy
        error = critic(observations)[:, 0] - targets
        adam.zero_grad()
        (error.square().mean() / 2 - surrogate.mean()).backward()
        adam.step()
        return torch_theta(actor), torch_theta(critic)

    return run


MEMBERS = {"reference": (reference_step, 1), "pgfast-1": (pgfast_step, 1), "torch": (torch_step, 1)}


@pytest.mark.parametrize("member", [*MEMBERS, "pgfast-2"])
@pytest.mark.benchmark(group="PPO minibatch, B=256, two 64x64 tanh networks, float32")
def bench_minibatch(measure, samples, member):
    if member == "torch" and torch is None:
        pytest.skip("PyTorch is not installed")
    make, threads = MEMBERS.get(member, (pgfast_step, 2))
    expected = reference_step(*samples)()

    def check(thetas):
        # Adam's first step is α times the sign of the gradient, but where that is nearly 0.
        for theta, other in zip(thetas, expected, strict=True):
            assert (np.abs(theta - other) > 0.1 * ALPHA).mean() < 0.01

    measure(make(*samples), work=flops(), unit="flop", check=check, threads=threads)
