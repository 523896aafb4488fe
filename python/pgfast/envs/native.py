"""The list of native environments: one entry each, and the only place that knows them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pgfast._typing import unknown


@dataclass(frozen=True)
class NativeEnv:
    """A native environment, as Python sees it."""

    id: str
    kernel: str
    """The name of its constructors in the core, less the dtype."""
    observation_high: tuple[float, ...]
    """Bounds of the observations; the lower ones are their negatives."""
    actions: int
    state: tuple[str, ...]
    """The parts of the state in Gymnasium's order."""
    max_episode_steps: int
    reward_threshold: float | None
    """The mean return from which it counts as solved."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments of the environment itself, with their defaults."""


NATIVE_ENVS: dict[str, NativeEnv] = {
    env.id: env
    for env in (
        NativeEnv(
            id="CartPole-v1",
            kernel="cartpole",
            observation_high=(4.8, float("inf"), 24 * 3.141592653589793 / 180, float("inf")),
            actions=2,
            state=("x", "x_dot", "theta", "theta_dot"),
            max_episode_steps=500,
            reward_threshold=475.0,
            parameters={"sutton_barto_reward": False},
        ),
    )
}


def native_env(function: str, id: str) -> NativeEnv:
    """Find a native environment by its id, with or without the prefix "pgfast/"."""
    if not isinstance(id, str):
        raise TypeError(f"{function}: id is a {type(id).__name__}, expected a str")
    name = id.removeprefix("pgfast/")
    if name not in NATIVE_ENVS:
        raise unknown(function, "id", id, NATIVE_ENVS)
    return NATIVE_ENVS[name]
