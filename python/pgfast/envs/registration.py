"""Registers the native environments with Gymnasium as `pgfast/<id>`.

Gymnasium finds `register` through the entry point group `gymnasium.envs`.
"""

from __future__ import annotations

from pgfast.envs.native import NATIVE_ENVS


def register() -> None:
    """Register every native environment that is not yet registered."""
    from gymnasium.envs.registration import register as register_env
    from gymnasium.envs.registration import registry

    for env in NATIVE_ENVS.values():
        name = f"pgfast/{env.id}"
        if name not in registry:
            register_env(
                id=name,
                entry_point="pgfast.envs.single_env:NativeSingleEnv",
                vector_entry_point="pgfast.envs.vector_env:NativeVectorEnv",
                max_episode_steps=env.max_episode_steps,
                reward_threshold=env.reward_threshold,
                kwargs={"native_id": env.id},
            )
