"""Rock, paper, scissors against an opponent that learns from the player's moves."""

from __future__ import annotations

from pgfast._typing import as_int
from pgfast.envs.native import Box, Discrete, Model


def model(function: str, memory: int) -> Model:
    """`memory` past rounds in the observation, 6 numbers each; with none it is the number 1."""
    rounds = as_int(function, "memory", memory)
    if not 0 <= rounds <= 1000:
        raise ValueError(f"{function}: memory is {rounds}, expected 0 <= memory <= 1000")
    size = max(1, 6 * rounds)
    return Model(Box(size * (0.0,), size * (1.0,)), Discrete(3), {"memory": rounds})
