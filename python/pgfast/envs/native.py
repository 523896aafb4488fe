"""The list of native environments: one entry each, and the only place that knows them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pgfast._typing import unknown


INF = float("inf")
PI = 3.141592653589793


@dataclass(frozen=True)
class Box:
    """Numbers in [low, high]."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def symmetric(cls, *high: float) -> Box:
        """Numbers in [-high, high]."""
        return cls(tuple(-x for x in high), high)

    def __str__(self) -> str:
        return f"Box({len(self.high)})"


@dataclass(frozen=True)
class Discrete:
    """One of 0, 1, ..., n - 1."""

    n: int

    def __str__(self) -> str:
        return f"Discrete({self.n})"


@dataclass(frozen=True)
class NativeEnv:
    """A native environment, as Python sees it."""

    id: str
    kernel: str
    """The name of its constructors in the core, less the dtype."""
    observation: Box | Discrete
    action: Box | Discrete
    state: tuple[str, ...]
    """The parts of the state in Gymnasium's order."""
    max_episode_steps: int | None
    """None: no limit."""
    reward_threshold: float | None = None
    """The mean return from which it counts as solved."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments of the environment itself, with their defaults."""


NATIVE_ENVS: dict[str, NativeEnv] = {
    env.id: env
    for env in (
        NativeEnv(
            id="CartPole-v1",
            kernel="cartpole",
            observation=Box.symmetric(4.8, INF, 24 * PI / 180, INF),
            action=Discrete(2),
            state=("x", "x_dot", "theta", "theta_dot"),
            max_episode_steps=500,
            reward_threshold=475.0,
            parameters={"sutton_barto_reward": False},
        ),
        NativeEnv(
            id="Pendulum-v1",
            kernel="pendulum",
            observation=Box.symmetric(1.0, 1.0, 8.0),
            action=Box.symmetric(2.0),
            state=("theta", "theta_dot"),
            max_episode_steps=200,
            parameters={"g": 10.0},
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
