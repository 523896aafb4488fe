"""`make`: a native environment by its id."""

from __future__ import annotations

from typing import Any

import numpy as np

from pgfast._typing import FloatDType
from pgfast.envs.native import native_env
from pgfast.envs.vector_env import NativeVectorEnv


def make(
    id: str,
    num_envs: int = 1,
    *,
    seed: int | None = None,
    dtype: FloatDType = np.float32,
    autoreset_mode: Any = "NextStep",
    max_episode_steps: int | None = None,
    **parameters: Any,
) -> NativeVectorEnv:
    """Make a batch of native environments: a `gymnasium.vector.VectorEnv` over C++.

    Same as `gymnasium.make_vec("pgfast/<id>", num_envs, ...)`, and seeded at once.

    Parameters:
        id: "CartPole-v1"; `pgfast envs` lists them.
        num_envs: N ≥ 1.
        seed: of the environments; environment i has `seed + i`. None takes one from the system.
        dtype: of states, observations and arithmetic: float32 for speed, float64 for equality with
            Gymnasium.
        autoreset_mode: a `gymnasium.vector.AutoresetMode` or its value: "NextStep", "SameStep",
            "Disabled".
        max_episode_steps: steps before an episode is truncated; None means the environment's own.
        parameters: the environment's own keyword arguments, as in Gymnasium.

    Returns:
        The environment; call `reset`, or hand it to `collect`.

    Raises:
        ValueError: an unknown id, or a number that does not fit.
        TypeError: an unknown keyword, or a dtype that does not fit.

    >>> env = make("CartPole-v1", num_envs=3, seed=0)
    >>> env.reset()[0].shape
    (3, 4)
    """
    spec = native_env("make", id)
    return NativeVectorEnv(
        num_envs=num_envs,
        native_id=spec.id,
        seed=seed,
        dtype=dtype,
        autoreset_mode=autoreset_mode,
        max_episode_steps=max_episode_steps,
        **parameters,
    )
