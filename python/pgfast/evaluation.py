"""`evaluate`: the returns of a policy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.vector import VectorEnv

from pgfast._typing import as_count, as_seed
from pgfast.envs.collect import collector
from pgfast.envs.make import make_any
from pgfast.policy import Policy

EVALUATION_EPISODES = 100


def evaluate(
    policy: Policy,
    env: str | VectorEnv[Any, Any, Any],
    *,
    episodes: int = EVALUATION_EPISODES,
    greedy: bool = True,
    seed: int = 0,
) -> npt.NDArray[np.float64]:
    """Undiscounted returns of whole episodes.

    Parameters:
        policy: is not changed; `greedy=False` draws from its samples, though.
        env: an id, or a vector environment, which is reset.
        episodes: how many, ≥ 1.
        greedy: take the most probable actions; else sample them.
        seed: of an environment made from an id; training with the same seed begins elsewhere.

    Returns:
        (episodes,) float64.

    Raises:
        ValueError: an unknown id (with the nearest names), or a number that does not fit.
        TypeError: a policy that does not fit.

    >>> from pgfast import SoftmaxPolicy
    >>> bool((evaluate(SoftmaxPolicy(4, 2), "CartPole-v1", episodes=10) < 20).all())
    True
    """
    check_env("evaluate", env)
    check_policy_type("evaluate", policy)
    episodes = as_count("evaluate", "episodes", episodes)
    if isinstance(env, str):
        num_envs = min(episodes, EVALUATION_EPISODES)
        env = evaluation_env("evaluate", env, num_envs, seed, policy.dtype)
    batch = collector(env, policy).collect_episodes(policy, episodes, greedy)
    returns: npt.NDArray[np.float64] = batch.rewards.sum(axis=0, dtype=np.float64)
    return returns


def evaluation_env(
    function: str, id: str, num_envs: int, seed: int, dtype: Any
) -> VectorEnv[Any, Any, Any]:
    """Make an environment to evaluate in, its seeds far from those of a training with `seed`."""
    far = (as_seed(function, seed) + 2**63) % 2**64
    return make_any(function, id, num_envs, far, dtype)


def check_env(function: str, env: object) -> None:
    """Raise where `env` is neither an id nor a vector environment."""
    if not isinstance(env, (str, VectorEnv)):
        raise TypeError(
            f"{function}: env is a {type(env).__name__}, expected an id or a gymnasium VectorEnv"
        )


def check_policy_type(function: str, policy: object) -> None:
    """Raise where `policy` is no policy."""
    if not isinstance(policy, Policy):
        raise TypeError(f"{function}: policy is a {type(policy).__name__}, expected a policy")
