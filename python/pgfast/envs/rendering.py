"""Pictures of native environments: Gymnasium's own, of the states that they are in."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from pgfast._typing import FloatArray

Frame = npt.NDArray[np.uint8]


class Renderer:
    """Draws states with the environment of Gymnasium that a native one is named after."""

    def __init__(self, entry_point: str, parameters: Mapping[str, Any]) -> None:
        module, name = entry_point.split(":")
        self._env = getattr(import_module(module), name)(render_mode="rgb_array", **parameters)
        self._env.reset(seed=0)

    def frame(self, state: FloatArray) -> Frame:
        """The picture (height, width, 3) of a state.

        Raises:
            gymnasium.error.DependencyNotInstalled: pygame is missing; says how to install it.
        """
        self._env.state = state.astype(np.float64)
        frame: Frame = self._env.render()
        return frame

    def close(self) -> None:
        """Release the screen."""
        self._env.close()
