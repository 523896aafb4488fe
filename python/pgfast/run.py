"""What a training run leaves."""

from __future__ import annotations

import os
from dataclasses import dataclass, is_dataclass
from typing import Any, Literal

import numpy as np

from pgfast.algorithms import ALGORITHMS, Algorithm
from pgfast.logging import History
from pgfast.policy import Policy

Stop = Literal["solved", "steps", "interrupted", "non-finite", "failed"]


@dataclass
class Run:
    """What a training run leaves."""

    policy: Policy
    history: History
    """A row per update: update, steps, episodes, mean_return, seconds and the algorithm's own."""
    seconds: float
    """Training time, the checks that it is solved included."""
    solved_at: int | None
    """Environment steps after which the greedy policy was found to solve the environment."""
    stopped: Stop
    """Why it ended."""
    env_id: str | None
    algorithm: str
    settings: dict[str, Any]
    """The algorithm's."""
    seed: int

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write policy.safetensors, run.json and history.csv to a new directory.

        Raises:
            FileExistsError: the directory holds something; nothing is written over.
        """
        from pgfast.checkpoint import save_run

        save_run(self, path)


def name_of(algorithm: object) -> str | None:
    """The name that `train` takes for these settings."""
    return next((name for name, kind in ALGORITHMS.items() if type(algorithm) is kind), None)


def settings_of(algorithm: Algorithm) -> dict[str, Any]:
    """The settings as plain values; a function is told by its name."""
    return {name: _plain(value) for name, value in vars(algorithm).items()}


def _plain(value: object) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (int, float, str)):
        return value
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(part) for name, part in vars(value).items()}
    return getattr(value, "__name__", repr(value))
