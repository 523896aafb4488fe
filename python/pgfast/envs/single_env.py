"""A native environment as a single Gymnasium Env: a batch of one."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from pgfast.envs.native import native_env
from pgfast.envs.rendering import Frame
from pgfast.envs.vector_env import MOST_EPISODE_STEPS, NativeVectorEnv


class NativeSingleEnv(gym.Env[Any, Any]):
    """One native environment; made by `gymnasium.make("pgfast/<id>")`.

    Time limits are the business of Gymnasium's TimeLimit wrapper, as for its own environments.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 30}  # noqa: RUF012

    def __init__(
        self, *, native_id: str, render_mode: str | None = None, **parameters: Any
    ) -> None:
        native_env("make", native_id)
        self._batch = NativeVectorEnv(
            1,
            native_id=native_id,
            autoreset_mode="Disabled",
            max_episode_steps=MOST_EPISODE_STEPS,
            render_mode=render_mode,
            **parameters,
        )
        self.metadata = self._batch.native.metadata
        self.render_mode = render_mode
        self.observation_space = self._batch.single_observation_space
        self.action_space = self._batch.single_action_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin a new episode; options {"state": (S,)} begins in that state."""
        super().reset(seed=seed)
        options = dict(options or {})
        if "state" in options:
            options["state"] = np.ascontiguousarray(options["state"])[None]
            if isinstance(self.observation_space, gym.spaces.Discrete):
                options["state"] = options["state"].reshape(1)
        observations, infos = self._batch.reset(seed=seed, options=options)
        return self._first(observations), _first_infos(infos)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take an action: one of 0...A - 1, or an array (A,)."""
        observations, rewards, terminated, truncated, infos = self._batch.step(np.array([action]))
        return (
            self._first(observations),
            float(rewards[0]),
            bool(terminated[0]),
            bool(truncated[0]),
            _first_infos(infos),
        )

    def _first(self, observations: npt.NDArray[Any]) -> Any:
        if isinstance(self.observation_space, gym.spaces.Discrete):
            return int(observations[0])
        return observations[0]

    def render(self) -> Frame | None:
        """The picture of the state where `render_mode` is "rgb_array", else a warning and None."""
        frames = self._batch.render()
        return None if frames is None else frames[0]

    def close(self) -> None:
        """Release the environment."""
        self._batch.close()


def _first_infos(infos: dict[str, Any]) -> dict[str, Any]:
    """A batch's infos without the masks, of its only environment."""
    return {
        name: float(value[0]) if value.ndim == 1 else value[0]
        for name, value in infos.items()
        if name[0] != "_"
    }
