"""Kernels: generalized advantages, the score, the Fisher solve."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

import pgfast as pg
from pgfast import reference
from pgfast.benchmark.work import Limit, Member, Work

GAMMA, LAM = 0.99, 0.95
DAMPING, ITERATIONS = 1e-3, 10


def gae(T: int = 128, N: int = 4096) -> Work:
    """Advantages of a rollout in which episodes end and are cut off."""
    rng = np.random.default_rng(0)
    r = rng.normal(size=(T, N)).astype(np.float32)
    v = rng.normal(size=(T + 1, N)).astype(np.float32)
    end, cut = rng.random((T, N)) < 0.01, rng.random((T, N)) < 0.002
    final = rng.normal(size=np.count_nonzero(cut)).astype(np.float32)
    kwargs: dict[str, Any] = {"gamma": GAMMA, "lam": LAM, "final_values": final}
    expected = reference.gae(r, v, end, cut, **kwargs)

    def numba() -> Member:
        from pgfast.benchmark.peers import numba

        return Member(partial(numba.gae, r, v, end, cut, final, np.float32(GAMMA), np.float32(LAM)))

    def jax() -> Member:
        from jax import block_until_ready, device_put

        from pgfast.benchmark.peers import jax

        following = v[1:].copy()
        following[cut] = final
        arrays = device_put((r, v[:-1], following, end, cut, (np.float32(GAMMA), np.float32(LAM))))
        return Member(lambda: block_until_ready(jax.gae(*arrays)))

    return Work(
        f"gae, T={T} N={N} float32",
        "element",
        T * N,
        {
            "pgfast": lambda: Member(partial(pg.gae, r, v, end, cut, **kwargs)),
            "reference": lambda: Member(partial(reference.gae, r, v, end, cut, **kwargs)),
            "numba": numba,
            "jax": jax,
        },
        lambda a: np.testing.assert_allclose(a, expected, rtol=1e-4, atol=1e-4),
        Limit("copy", r.nbytes * 2 + v.nbytes + end.nbytes + cut.nbytes),
    )


def samples(B: int, D: int, A: int) -> tuple[Any, Any, npt.NDArray[np.float32]]:
    """Observations, actions and weights."""
    rng = np.random.default_rng(0)
    observations = rng.normal(size=(B, D)).astype(np.float32)
    return observations, rng.integers(0, A, B), rng.normal(size=B).astype(np.float32)


def theta(size: int) -> npt.NDArray[np.float32]:
    """Parameters that are not those of the uniform policy."""
    return (0.1 * np.random.default_rng(1).normal(size=size)).astype(np.float32)


def policy(module: Any, D: int, A: int, hidden: tuple[int, ...] = ()) -> Any:
    """A softmax policy of pgfast or of its twin."""
    made = module.SoftmaxPolicy(D, A, hidden=hidden)
    made.theta = theta(made.theta.size)
    return made


def score(B: int = 65_536, D: int = 64, A: int = 8, hidden: tuple[int, ...] = ()) -> Work:
    """Σ_b w_b ∇ log π(a_b|s_b): a pass forward and one back (two, but for the first layer)."""
    s, a, w = samples(B, D, A)
    sizes = [D, *hidden, A]
    products = [i * o for i, o in itertools.pairwise(sizes)]
    flops = 2.0 * B * (3 * sum(products) - products[0])
    twin = policy(reference, D, A, hidden)
    expected = twin.score(s, a, w)

    def numpy() -> Member:
        from pgfast.benchmark.peers import numpy

        return Member(partial(numpy.score, twin.theta, s, a, w))

    def jax() -> Member:
        from jax import block_until_ready, device_put

        from pgfast.benchmark.peers import jax

        arrays = device_put((twin.theta, s, a.astype(np.int32), w))
        return Member(lambda: block_until_ready(jax.score(*arrays)))

    def pytorch() -> Member:
        from torch import from_numpy

        from pgfast.benchmark.peers import torch

        model = torch.network(twin.theta, sizes)
        tensors = [from_numpy(x) for x in (s, a, w)]
        return Member(lambda: torch.score(model, *tensors), torch.flat)

    linear = {"numpy": numpy, "jax": jax} if not hidden else {}
    network = f"{'x'.join(map(str, hidden))} tanh" if hidden else "linear"
    return Work(
        f"score, {network} softmax, B={B} D={D} A={A} float32",
        "sample",
        B,
        {
            "pgfast": lambda: Member(partial(policy(pg, D, A, hidden).score, s, a, w)),
            "reference": lambda: Member(lambda: twin.score(s, a, w)),
            **linear,
            "torch": pytorch,
        },
        lambda g: np.testing.assert_allclose(g, expected, rtol=1e-2, atol=0.2),
        Limit("multiply-add", flops),
    )


def fisher_solve(B: int = 65_536, D: int = 64, A: int = 8) -> Work:
    """Ten steps of conjugate gradients: the logits once, then a pass forward and one back a step.

    As many products are made as there are steps: x begins at 0, where the residual is the gradient.
    """
    s, a, w = samples(B, D, A)
    twin = policy(reference, D, A)
    gradient = twin.score(s, a, w) / np.float32(B)
    kwargs = {"damping": DAMPING, "tolerance": 0.0, "max_iterations": ITERATIONS}
    expected = twin.natural_gradient(s, gradient, **kwargs).x

    def scipy() -> Member:
        from scipy.sparse.linalg import cg  # noqa: F401  installed?

        from pgfast.benchmark.peers import numpy

        arguments = twin.theta, s, gradient, DAMPING, ITERATIONS
        return Member(partial(numpy.natural_gradient, *arguments))

    def jax() -> Member:
        from jax import block_until_ready, device_put

        from pgfast.benchmark.peers import jax

        arrays = device_put((twin.theta, s, gradient, np.float32(DAMPING)))
        return Member(
            lambda: block_until_ready(jax.natural_gradient(*arrays, iterations=ITERATIONS))
        )

    def pgfast(module: Any) -> Member:
        ours = policy(module, D, A)
        return Member(lambda: ours.natural_gradient(s, gradient, **kwargs), lambda answer: answer.x)

    return Work(
        f"Fisher solve, {ITERATIONS} CG steps, linear softmax, B={B} D={D} A={A} float32",
        "solve",
        1,
        {
            "pgfast": partial(pgfast, pg),
            "reference": partial(pgfast, reference),
            "scipy": scipy,
            "jax": jax,
        },
        lambda x: np.testing.assert_allclose(x, expected, rtol=1e-2, atol=1e-3),
        Limit("multiply-add", 2.0 * B * D * A * (1 + 2 * ITERATIONS)),
    )
