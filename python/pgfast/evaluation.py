"""`evaluate`: the returns of a policy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pgfast._typing import as_count, as_seed
from pgfast.envs.collect import collector
from pgfast.envs.source import AnyVectorEnv, EnvLike, Source, close, source
from pgfast.policy import Policy

EVALUATION_EPISODES = 100
PYTHON_ENVS = 16
"""How many environments written in Python are made to evaluate in, one round after another."""


def evaluate(
    policy: Policy,
    env: EnvLike,
    *,
    episodes: int = EVALUATION_EPISODES,
    greedy: bool = True,
    seed: int = 0,
    workers: int | None = None,
) -> npt.NDArray[np.float64]:
    """Undiscounted returns of whole episodes.

    Parameters:
        policy: is not changed; `greedy=False` draws from its samples, though.
        env: what `collect` takes; an `Env` or `VectorEnv` is reset.
        episodes: how many, ≥ 1.
        greedy: take the most probable actions; else sample them.
        seed: of an environment made from an id or a function; training with the same seed begins
            elsewhere.
        workers: how many environments written in Python step at once, each in a process of its own;
            None means one after another in this process.

    Returns:
        (episodes,) float64.

    Raises:
        ValueError: an unknown id (with the nearest names), or a number that does not fit.
        TypeError: a policy that does not fit.
        EnvError: the environment raised.
        RuntimeError: a native environment without a step limit, and an episode that has not ended
            after 2²⁰ steps.

    >>> from pgfast import SoftmaxPolicy
    >>> bool((evaluate(SoftmaxPolicy(4, 2), "CartPole-v1", episodes=10) < 20).all())
    True
    """
    origin = source("evaluate", env)
    check_policy_type("evaluate", policy)
    episodes = as_count("evaluate", "episodes", episodes)
    workers = None if workers is None else as_count("evaluate", "workers", workers)
    opened = evaluation_env(origin, policy, episodes, as_seed("evaluate", seed), workers)
    try:
        return collector(opened, policy).returns(episodes, greedy)[0]
    finally:
        if origin.makes:
            close(opened)


def evaluation_env(
    origin: Source, policy: Policy, episodes: int, seed: int, workers: int | None
) -> AnyVectorEnv:
    """Make environments to evaluate in, their seeds far from those of a training with `seed`."""
    side_by_side = EVALUATION_EPISODES if origin.is_native else workers or PYTHON_ENVS
    return origin.open(
        num_envs=min(episodes, side_by_side),
        seed=(seed + 2**63) % 2**64,
        dtype=policy.dtype,
        workers=workers,
    )


def check_policy_type(function: str, policy: object) -> None:
    """Raise where `policy` is no policy."""
    if not isinstance(policy, Policy):
        raise TypeError(f"{function}: policy is a {type(policy).__name__}, expected a policy")
