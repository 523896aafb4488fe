"""PPO's minibatches: forward, loss, backward and Adam of a policy and a value function."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

import pgfast as pg
from pgfast import _core, reference
from pgfast.benchmark.work import Limit, Member, Work
from pgfast.reference import algorithms as twins

CLIP, ENTROPY, ALPHA = 0.2, 0.01, 1e-3


def minibatches(
    times: int = 32, B: int = 256, D: int = 4, A: int = 2, hidden: tuple[int, ...] = (64, 64)
) -> Work:
    """As many as an update makes, one after the other: 32 are two epochs of 16.

    The clipped surrogate with entropy bonus, and the squared error of the values. Counted as
    operations: a product forward and two back with every weight matrix, but for the first layers,
    whose inputs need no gradient.
    """
    rng = np.random.default_rng(0)
    observations = rng.normal(size=(B, D)).astype(np.float32)
    actions = rng.integers(0, A, B)
    log_probs = (np.log(0.5) + 0.3 * rng.normal(size=B)).astype(np.float32)
    advantages, targets = rng.normal(size=(2, B)).astype(np.float32)
    data = observations, actions, log_probs, advantages, targets

    def networks() -> tuple[Any, Any]:
        """A policy that is not the uniform one, and a value function."""
        policy = pg.SoftmaxPolicy(D, A, hidden=hidden)
        size = policy.theta.shape
        policy.theta += (0.05 * np.random.default_rng(1).normal(size=size)).astype(np.float32)
        return policy, pg.ValueFunction(D, hidden=hidden)

    def pgfast() -> Member:
        policy, value = networks()
        adam, value_adam = pg.Adam(ALPHA), pg.Adam(ALPHA)

        def run() -> Any:
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
                times,
                B,
                np.inf,
                np.inf,
                0,
                0,
            )
            adam.count += times
            value_adam.count += times
            return policy.theta, value.theta

        return Member(run)

    def twin() -> Member:
        policy, value = networks()
        actor = reference.SoftmaxPolicy(D, A, hidden=hidden)
        actor.theta = policy.theta.copy()
        critic = reference.ValueFunction(D, hidden=hidden, dtype=np.float32)
        critic.theta = value.theta.copy()
        adam, value_adam = twins.Adam(actor, ALPHA), twins.Adam(critic, ALPHA)

        def run() -> Any:
            for _ in range(times):
                twins.climb_minibatches(
                    actor,
                    adam,
                    observations,
                    actions,
                    log_probs,
                    advantages,
                    weighting="clipped",
                    clip=CLIP,
                    entropy=ENTROPY,
                    value=critic,
                    value_adam=value_adam,
                    targets=targets,
                )
            return actor.theta, critic.theta

        return Member(run)

    def pytorch() -> Member:
        from torch import from_numpy
        from torch.optim import Adam

        from pgfast.benchmark.peers import torch

        policy, value = networks()
        actor = torch.network(policy.theta, [D, *hidden, A])
        critic = torch.network(value.theta, [D, *hidden, 1])
        # Its fastest Adam on the CPU.
        adam = Adam([*actor.parameters(), *critic.parameters()], lr=ALPHA, fused=True)
        tensors = [from_numpy(x) for x in data]

        def run() -> Any:
            for _ in range(times):
                torch.ppo_step(actor, critic, adam, tensors, CLIP, ENTROPY)
            return actor, critic

        return Member(run, lambda models: [torch.flat(m.parameters()) for m in models])

    def jax() -> Member:
        from jax import block_until_ready, device_put

        from pgfast.benchmark.peers import jax

        policy, value = networks()
        sizes = (D, *hidden)
        arrays = device_put((observations, actions.astype(np.int32), *data[2:]))
        state = jax.adam_state(device_put((policy.theta, value.theta)))

        def run() -> Any:
            nonlocal state
            for _ in range(times):
                state = jax.ppo_step(
                    state, arrays, sizes=sizes, clip=CLIP, entropy=ENTROPY, alpha=ALPHA
                )
            return block_until_ready(state)[0]

        return Member(run)

    expected = twin().run()

    def check(thetas: Any) -> None:
        # Adam's steps are about α times the sign of the gradient, but where that is nearly 0.
        for theta, other in zip(thetas, expected, strict=True):
            assert (np.abs(np.asarray(theta) - other) > 0.1 * ALPHA).mean() < 0.01

    flops = 0.0
    for outputs in (A, 1):
        sizes = [D, *hidden, outputs]
        products = [i * o for i, o in itertools.pairwise(sizes)]
        flops += 2.0 * times * B * (3 * sum(products) - products[0])
    networks_of = f"two {'x'.join(map(str, hidden))} tanh networks"
    return Work(
        f"PPO minibatches, {times} of B={B}, {networks_of}, float32",
        "sample",
        times * B,
        {"pgfast": pgfast, "reference": twin, "torch": pytorch, "jax": jax},
        check,
        Limit("multiply-add", flops),
    )
