"""The list of native environments: one entry each, and the only place that knows them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from pgfast._typing import unknown

INF = float("inf")
PI = 3.141592653589793
CLASSIC = "gymnasium.envs.classic_control"


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
class Model:
    """What the keyword arguments of an environment say it is."""

    observation: Box | Discrete
    action: Box | Discrete
    arguments: Mapping[str, Any]
    """For the constructor in the core."""
    growth: float = 1.0
    """What a step can multiply the state by."""
    action_mask: npt.NDArray[np.int8] | None = None
    """Tables: (S, A), which actions change the state; given in the infos."""


@dataclass(frozen=True)
class Pictures:
    """Where pictures of the states come from."""

    entry_point: str
    """The class of Gymnasium's environment."""
    fps: int


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
    model: str = ""
    """Where they decide the spaces: "module:function", which makes a Model of them."""
    pictures: Pictures | None = None

    @property
    def metadata(self) -> dict[str, Any]:
        """Gymnasium's metadata about rendering."""
        if self.pictures is None:
            return {"render_modes": []}
        return {"render_modes": ["rgb_array"], "render_fps": self.pictures.fps}

    def with_parameters(self, parameters: Mapping[str, Any]) -> Model:
        """The environment that these keyword arguments, all of them, make."""
        if not self.model:
            return Model(self.observation, self.action, parameters)
        module, function = self.model.split(":")
        model: Model = getattr(import_module(f"pgfast.envs.{module}"), function)(
            f"make({self.id!r})", **parameters
        )
        return model


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
            pictures=Pictures(f"{CLASSIC}.cartpole:CartPoleEnv", 50),
        ),
        NativeEnv(
            id="Pendulum-v1",
            kernel="pendulum",
            observation=Box.symmetric(1.0, 1.0, 8.0),
            action=Box.symmetric(2.0),
            state=("theta", "theta_dot"),
            max_episode_steps=200,
            parameters={"g": 10.0},
            pictures=Pictures(f"{CLASSIC}.pendulum:PendulumEnv", 30),
        ),
        NativeEnv(
            id="MountainCar-v0",
            kernel="mountain_car",
            observation=Box((-1.2, -0.07), (0.6, 0.07)),
            action=Discrete(3),
            state=("position", "velocity"),
            max_episode_steps=200,
            reward_threshold=-110.0,
            parameters={"goal_velocity": 0.0},
            pictures=Pictures(f"{CLASSIC}.mountain_car:MountainCarEnv", 30),
        ),
        NativeEnv(
            id="MountainCarContinuous-v0",
            kernel="mountain_car_continuous",
            observation=Box((-1.2, -0.07), (0.6, 0.07)),
            action=Box.symmetric(1.0),
            state=("position", "velocity"),
            max_episode_steps=999,
            reward_threshold=90.0,
            parameters={"goal_velocity": 0.0},
            pictures=Pictures(f"{CLASSIC}.continuous_mountain_car:Continuous_MountainCarEnv", 30),
        ),
        NativeEnv(
            id="Acrobot-v1",
            kernel="acrobot",
            observation=Box.symmetric(1.0, 1.0, 1.0, 1.0, 4 * PI, 9 * PI),
            action=Discrete(3),
            state=("theta1", "theta2", "dtheta1", "dtheta2"),
            max_episode_steps=500,
            reward_threshold=-100.0,
            pictures=Pictures(f"{CLASSIC}.acrobot:AcrobotEnv", 15),
        ),
        NativeEnv(
            id="MovingParticle-v0",
            kernel="moving_particle",
            observation=Box.symmetric(*6 * (1.0,)),
            action=Discrete(5),
            state=("x", "y", "x_dot", "y_dot", "target_x", "target_y"),
            max_episode_steps=100,
            reward_threshold=-16.0,
        ),
        NativeEnv(
            id="MovingParticleContinuous-v0",
            kernel="moving_particle_continuous",
            observation=Box.symmetric(*6 * (1.0,)),
            action=Box.symmetric(1.0, 1.0),
            state=("x", "y", "x_dot", "y_dot", "target_x", "target_y"),
            max_episode_steps=100,
            reward_threshold=-12.0,
        ),
        NativeEnv(
            id="LQR-v0",
            kernel="lqr",
            observation=Box.symmetric(INF, INF),
            action=Box.symmetric(INF),
            state=("x",),
            max_episode_steps=100,
            parameters={
                "A": ((1.0, 0.1), (0.0, 1.0)),
                "B": ((0.0,), (0.1,)),
                "Q": ((1.0, 0.0), (0.0, 0.1)),
                "R": ((0.1,),),
                "noise": 0.0001,
                "start_mean": 0.0,
                "start_covariance": 1.0,
            },
            model="lqr:model",
        ),
        *(
            NativeEnv(
                id=id,
                kernel="tabular",
                observation=Discrete(size),
                action=Discrete(4),
                state=("state",),
                max_episode_steps=limit,
                reward_threshold=threshold,
                parameters={
                    "desc": None,
                    "map_name": map_name,
                    "is_slippery": True,
                    "success_rate": 1.0 / 3.0,
                    "reward_schedule": (1, 0, 0),
                },
                model="frozen_lake:model",
            )
            for id, map_name, size, limit, threshold in (
                ("FrozenLake-v1", "4x4", 16, 100, 0.70),
                ("FrozenLake8x8-v1", "8x8", 64, 200, 0.85),
            )
        ),
        *(
            NativeEnv(
                id=id,
                kernel="tabular",
                observation=Discrete(48),
                action=Discrete(4),
                state=("state",),
                max_episode_steps=None,
                parameters={"is_slippery": is_slippery},
                model="cliff_walking:model",
            )
            for id, is_slippery in (("CliffWalking-v1", False), ("CliffWalkingSlippery-v1", True))
        ),
        NativeEnv(
            id="Taxi-v3",
            kernel="tabular",
            observation=Discrete(500),
            action=Discrete(6),
            state=("state",),
            max_episode_steps=200,
            reward_threshold=8.0,
            model="taxi:model",
        ),
        NativeEnv(
            id="Tabular-v0",
            kernel="tabular",
            observation=Discrete(2),
            action=Discrete(2),
            state=("state",),
            max_episode_steps=None,
            parameters={"P": None, "R": None, "p0": None, "terminal": None, "mdp": None},
            model="tabular:model",
        ),
        NativeEnv(
            id="Bandit-v0",
            kernel="bandit",
            observation=Box((0.0,), (1.0,)),
            action=Discrete(10),
            state=("one",),
            max_episode_steps=None,
            parameters={
                "means": (0.2, -0.8, 1.5, 0.4, 1.2, -1.5, -0.1, -1.0, 0.9, -0.5),
                "std": 1.0,
            },
            model="bandits:bandit",
        ),
        NativeEnv(
            id="ContextualBandit-v0",
            kernel="bandit",
            observation=Box.symmetric(1.0, 1.0),
            action=Discrete(3),
            state=("context",),
            max_episode_steps=None,
            parameters={"weights": ((1.0, 0.0), (-0.5, 0.8), (-0.5, -0.8)), "std": 0.1},
            model="bandits:contextual_bandit",
        ),
        NativeEnv(
            id="RockPaperScissors-v0",
            kernel="rock_paper_scissors",
            observation=Box((0.0,), (1.0,)),
            action=Discrete(3),
            state=("rocks", "papers", "scissors", "observation"),
            max_episode_steps=100,
            parameters={"memory": 0},
            model="rock_paper_scissors:model",
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
