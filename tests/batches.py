"""Policies of every kind, and batches of random experience for them: no environment is asked."""

import dataclasses

import numpy as np

import pgfast as pg

D = 3
"""Observation size of all of them."""

KINDS = [
    "linear",
    "tanh",
    "relu",
    "features",
    "normalized",
    "both",
    "multi",
    "multi deep",
    "gaussian",
    "gaussian fixed",
    "gaussian network",
    "gaussian features",
]
MASKABLE = ["linear", "tanh", "both", "multi", "multi deep"]


def a_policy(kind="linear", dtype=np.float64, seed=0, **settings):
    """A policy with a random θ; where it normalizes, it has seen observations."""
    settings = {"dtype": dtype, "seed": seed, **settings}
    if "deep" in kind or kind in ("tanh", "relu", "both", "gaussian network"):
        settings.setdefault("hidden", (6,))
    if kind == "relu":
        settings.setdefault("activation", "relu")
    if kind in ("features", "both", "gaussian features"):
        settings.setdefault("features", pg.PolynomialFeatures(D, 2))
    if kind in ("normalized", "both", "multi deep", "gaussian features"):
        settings.setdefault("normalize_observations", True)
    if "multi" in kind:
        policy = pg.MultiSoftmaxPolicy(D, [2, 3], **settings)
    elif "gaussian" in kind:
        std = {"gaussian fixed": "fixed", "gaussian network": "network"}.get(kind, "learned")
        policy = pg.GaussianPolicy(D, 2, std=std, initial_std=0.8, **settings)
    else:
        policy = pg.SoftmaxPolicy(D, 3, **settings)
    rng = np.random.default_rng(seed)
    policy.theta += (0.3 * rng.normal(size=policy.theta.shape)).astype(dtype)
    policy.observe(1.0 + 2.0 * rng.normal(size=(100, D)))
    return policy


def some_masks(policy, shape, seed=0):
    """Random masks; each dimension of a row keeps one action at least."""
    sizes = policy.actions if isinstance(policy.actions, tuple) else (policy.actions,)
    rng = np.random.default_rng(seed)
    masks = rng.random((*shape, sum(sizes))) < 0.6
    first = 0
    for size in sizes:
        kept = first + rng.integers(0, size, shape)
        np.put_along_axis(masks, kept[..., None], True, axis=-1)
        first += size
    return masks


def a_batch(policy, T=12, N=5, seed=0, *, whole=False, masked=False, ends=0.15):
    """T steps of N columns, cut by terminal states, truncations and both at once.

    With `whole`, each column is one episode of its own length, as `collect(episodes=N)` gives.
    """
    rng = np.random.default_rng(seed)
    dtype = policy.dtype
    observations = (1.0 + 2.0 * rng.normal(size=(T, N, D))).astype(dtype)
    masks = some_masks(policy, (T, N), seed) if masked else None
    actions = policy.copy().sample(observations, masks=masks)
    terminated = rng.random((T, N)) < ends
    truncated = rng.random((T, N)) < ends
    terminated[T // 2, 0] = truncated[T // 2, 0] = True
    valid = None
    if whole:
        lengths = rng.integers(1, T + 1, N)
        lengths[0] = T
        at = np.arange(T)[:, None]
        valid = at < lengths
        last = at == lengths - 1
        terminated = last & (rng.random(N) < 0.6)
        truncated = last & ~(terminated & (rng.random(N) < 0.7))
    log_probs = policy.log_prob(observations, actions, masks=masks)
    batch = pg.Rollout(
        observations=observations,
        actions=actions,
        log_probs=log_probs,
        rewards=rng.normal(size=(T, N)).astype(dtype),
        terminated=terminated,
        truncated=truncated,
        valid=valid,
        last_observations=None if whole else rng.normal(size=(N, D)).astype(dtype),
        final_observations=rng.normal(size=(int(truncated.sum()), D)).astype(dtype),
        masks=masks,
    )
    if valid is None:
        return batch
    return with_rubbish(batch, 0)


def with_rubbish(batch, value):
    """The batch with that value in the rows that did not happen: nothing may read them."""
    happened = batch.valid

    def filled(array):
        array = array.copy()
        array[~happened] = value
        return array

    return dataclasses.replace(
        batch,
        observations=filled(batch.observations),
        log_probs=filled(batch.log_probs),
        rewards=filled(batch.rewards),
    )


def step_of(algorithm, policy, batch, prior=None, progress=0.0):
    """(θ′ − θ, stats) of one update; `policy` stays as it is."""
    new = policy.copy()
    stats = algorithm.learner(new, prior).update(batch, progress)
    return new.theta - policy.theta, stats
