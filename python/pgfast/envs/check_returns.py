"""What a vector environment is and returns: spaces, types, shapes, members, masks of infos."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from pgfast.envs.walk import Returned

Found = Callable[[str, str], None]
"""Takes the kind of a fault and its sentence."""


def check_spaces(env: VectorEnv[Any, Any, Any], found: Found) -> None:
    """Check num_envs, the autoreset mode and the spaces, before anything is called."""
    count = getattr(env, "num_envs", None)
    if not isinstance(count, (int, np.integer)) or isinstance(count, bool) or count < 1:
        found("num_envs", f"num_envs is {count!r}, expected an int of at least 1")
        return
    metadata = getattr(env, "metadata", None)
    mode = metadata.get("autoreset_mode") if isinstance(metadata, dict) else None
    if not isinstance(mode, AutoresetMode):
        found(
            "autoreset_mode",
            f"metadata['autoreset_mode'] is {mode!r}, expected a gymnasium.vector.AutoresetMode",
        )
    for name in ("observation", "action"):
        single = getattr(env, f"single_{name}_space", None)
        batched = getattr(env, f"{name}_space", None)
        if not isinstance(single, gym.Space):
            found(f"single_{name}_space", f"single_{name}_space is {single!r}, expected a Space")
            continue
        expected = batch_space(single, int(count))
        fits = batched == expected
        if name == "observation" and getattr(env.unwrapped, "observation_mode", "same") != "same":
            # Environments of different bounds side by side, as Gymnasium's own allow.
            fits = isinstance(batched, type(expected)) and (
                (batched.dtype, batched.shape) == (expected.dtype, expected.shape)
            )
        if not fits:
            found(
                f"{name}_space",
                f"{name}_space is {batched}, expected {count} times single_{name}_space: "
                f"{expected}",
            )


def check_returned(env: VectorEnv[Any, Any, Any], returned: Returned, found: Found) -> None:
    """Check types, shapes and membership of what one call returned."""
    call, values = returned.call, returned.values
    _check_observations(env, call, values["observations"], found)
    if returned.is_step:
        _check_rewards(env, call, values["rewards"], found)
        for name in ("terminated", "truncated"):
            _check_array(f"{name} of {call}", values[name], np.bool_, (env.num_envs,), name, found)
    infos = values["infos"]
    if not isinstance(infos, dict):
        found("infos", f"infos of {call} are a {type(infos).__name__}, expected a dict")
        return
    for key in infos:
        if isinstance(key, str) and not key.startswith("_"):
            mask = infos.get(f"_{key}")
            name = f"infos['_{key}'] of {call}, the mask of infos[{key!r}],"
            _check_array(name, mask, np.bool_, (env.num_envs,), "infos-mask", found)


def _check_observations(
    env: VectorEnv[Any, Any, Any], call: str, observations: Any, found: Found
) -> None:
    for name, space, value in _leaves(env.observation_space, observations, "observations"):
        if not isinstance(value, np.ndarray):
            kind = type(value).__name__
            found("observations-type", f"{name} of {call} are a {kind}, expected an array")
            return
        _check_array(f"{name} of {call}", value, space.dtype, space.shape, "observations", found)
        if value.dtype.kind == "f" and np.isnan(value).any():
            found("observations-nan", f"{name} of {call} hold NaN")
            return
        if value.dtype == space.dtype and value.shape == space.shape and not space.contains(value):
            found("observations-outside", f"{name} of {call} are outside of {space}")
    space = env.observation_space
    if not isinstance(space, (gym.spaces.Dict, gym.spaces.Tuple)) or space.contains(observations):
        return
    found("observations-outside", f"observations of {call} are not in {space}")


def _leaves(
    space: gym.Space[Any], value: Any, name: str
) -> Iterator[tuple[str, gym.Space[Any], Any]]:
    """The parts of a batch whose spaces are those of single arrays."""
    if isinstance(space, gym.spaces.Dict) and isinstance(value, dict):
        for key, part in space.items():
            yield from _leaves(part, value.get(key), f"{name}[{key!r}]")
    elif isinstance(space, gym.spaces.Tuple) and isinstance(value, tuple):
        for i, part in enumerate(space[: len(value)]):
            yield from _leaves(part, value[i], f"{name}[{i}]")
    elif isinstance(space, (gym.spaces.Box, gym.spaces.MultiDiscrete, gym.spaces.MultiBinary)):
        yield name, space, value


def _check_rewards(env: VectorEnv[Any, Any, Any], call: str, rewards: Any, found: Found) -> None:
    if isinstance(rewards, np.ndarray) and rewards.dtype == np.float32:
        found("rewards-dtype", f"rewards of {call} have dtype float32, expected float64")
    else:
        _check_array(f"rewards of {call}", rewards, np.float64, (env.num_envs,), "rewards", found)
    if isinstance(rewards, np.ndarray) and rewards.dtype.kind == "f" and np.isnan(rewards).any():
        found("rewards-nan", f"rewards of {call} hold NaN")


def _check_array(
    name: str, value: Any, dtype: Any, shape: tuple[int, ...] | None, kind: str, found: Found
) -> None:
    """Check that a value is an array of that dtype and shape."""
    if not isinstance(value, np.ndarray):
        found(f"{kind}-type", f"{name} is a {type(value).__name__}, expected an array")
    elif value.dtype != np.dtype(dtype):
        found(f"{kind}-dtype", f"{name} has dtype {value.dtype}, expected {np.dtype(dtype)}")
    elif value.shape != shape:
        found(f"{kind}-shape", f"{name} has shape {value.shape}, expected {shape}")
