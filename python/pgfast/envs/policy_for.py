"""`policy_for`: a policy that fits an environment."""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import VectorEnv

from pgfast.envs.envpool import is_envpool
from pgfast.envs.observations import observation_map
from pgfast.features import OneHotFeatures
from pgfast.gaussian_policy import GaussianPolicy
from pgfast.multi_softmax_policy import MultiSoftmaxPolicy
from pgfast.network_policy import NetworkPolicy
from pgfast.softmax_policy import SoftmaxPolicy


def policy_for(
    env: VectorEnv[Any, Any, Any],
    *,
    discretize: int | None = None,
    flatten: bool = False,
    **settings: Any,
) -> NetworkPolicy:
    """Make a policy that fits an environment.

    Discrete actions get a `SoftmaxPolicy`, several of them (MultiDiscrete, MultiBinary) a
    `MultiSoftmaxPolicy`, a Box a `GaussianPolicy`, or with `discretize` a `MultiSoftmaxPolicy` over
    bins of it. Discrete observations are seen one-hot.

    Parameters:
        env: a vector environment.
        discretize: bins of each dimension of a Box of actions, ≥ 2.
        flatten: take observations that are no vectors as `gymnasium.spaces.flatten` makes them.
        settings: keyword arguments of the policy; dtype defaults to that of a native environment.

    Returns:
        The policy.

    Raises:
        TypeError: no vector environment; spaces that no policy fits, or an unknown keyword.
        ValueError: `discretize` without a Box of actions, or below 2.

    >>> from pgfast import make
    >>> policy_for(make("CartPole-v1")).theta.shape
    (10,)
    >>> type(policy_for(make("Pendulum-v1"))).__name__
    'GaussianPolicy'
    """
    if not isinstance(env, VectorEnv) and not is_envpool(env):
        raise TypeError(
            f"policy_for: env is a {type(env).__name__}, expected a vector environment, such as "
            "make gives"
        )
    observation, action = env.single_observation_space, env.single_action_space
    settings.setdefault("dtype", getattr(env, "dtype", np.float32))
    if isinstance(observation, gym.spaces.Discrete):
        size = 1
        settings.setdefault("features", OneHotFeatures(int(observation.n)))
    else:
        size = observation_map("policy_for", observation, flatten=flatten).size
    if isinstance(action, gym.spaces.Box) and np.dtype(action.dtype).kind == "f":
        dimensions = math.prod(action.shape)
        if discretize is None:
            return GaussianPolicy(size, dimensions, **settings)
        if discretize < 2:
            raise ValueError(f"policy_for: discretize is {discretize}, expected at least 2")
        return MultiSoftmaxPolicy(size, [discretize] * dimensions, **settings)
    if discretize is not None:
        raise ValueError(
            f"policy_for: discretize is {discretize}, expected None with actions {action}"
        )
    if isinstance(action, gym.spaces.Discrete):
        return SoftmaxPolicy(size, int(action.n), **settings)
    if isinstance(action, gym.spaces.MultiDiscrete):
        return MultiSoftmaxPolicy(size, action.nvec.ravel().tolist(), **settings)
    if isinstance(action, gym.spaces.MultiBinary):
        return MultiSoftmaxPolicy(size, [2] * math.prod(action.shape), **settings)
    raise TypeError(
        f"policy_for: env has actions {action}, expected Discrete, MultiDiscrete, MultiBinary or a "
        "Box of floats"
    )
