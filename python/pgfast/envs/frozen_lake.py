"""FrozenLake: over the ice from S to G and not into a hole H, with Gymnasium's maps and rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pgfast._typing import as_number, as_reals, unknown
from pgfast.envs.native import Model
from pgfast.envs.tabular import Outcome, Table, table_model

MAPS = {
    "4x4": ("SFFF", "FHFH", "FFFH", "HFFG"),
    "8x8": (
        "SFFFFFFF",
        "FFFFFFFF",
        "FFFHFFFF",
        "FFFFFHFF",
        "FFFHFFFF",
        "FHHFFFHF",
        "FHFFHFHF",
        "FFFHFFFG",
    ),
}
MOVES = ((0, -1), (1, 0), (0, 1), (-1, 0))  # left, down, right, up


def model(
    function: str,
    desc: Sequence[str] | None,
    map_name: str,
    is_slippery: bool,
    success_rate: float,
    reward_schedule: Sequence[float],
) -> Model:
    """The table of a map; `desc` goes before `map_name`."""
    if desc is None:
        if map_name not in MAPS:
            raise unknown(function, "map_name", map_name, MAPS)
        desc = MAPS[map_name]
    rows = _rows(function, desc)
    rate = as_number(function, "success_rate", success_rate, "a number in [0, 1]")
    if not 0 <= rate <= 1:
        raise ValueError(f"{function}: success_rate is {rate}, expected a number in [0, 1]")
    rewards = as_reals(function, "reward_schedule", reward_schedule, (3,))
    starts = np.array([letter == "S" for row in rows for letter in row], np.float64)
    return table_model(
        table(rows, is_slippery, rate, tuple(rewards.tolist())), starts / starts.sum()
    )


def table(
    rows: Sequence[str],
    is_slippery: bool = True,
    success_rate: float = 1.0 / 3.0,
    rewards: Sequence[float] = (1, 0, 0),
) -> Table:
    """Outcomes by state and action; `rewards` for reaching the goal, a hole, and ice.

    On slippery ice a move goes where it should with `success_rate`, and to either side of that with
    half of the rest.
    """
    fail_rate = (1.0 - success_rate) / 2.0
    height, width = len(rows), len(rows[0])

    def outcome(row: int, column: int, move: int, probability: float) -> Outcome:
        down, right = MOVES[move]
        row = min(max(row + down, 0), height - 1)
        column = min(max(column + right, 0), width - 1)
        letter = rows[row][column]
        reward = rewards[{"G": 0, "H": 1}.get(letter, 2)]
        return probability, row * width + column, reward, letter in "GH"

    def outcomes(row: int, column: int, action: int) -> list[Outcome]:
        if rows[row][column] in "GH":
            return [(1.0, row * width + column, 0, True)]
        if not is_slippery:
            return [outcome(row, column, action, 1.0)]
        return [
            outcome(row, column, move % 4, success_rate if move == action else fail_rate)
            for move in (action - 1, action, action + 1)
        ]

    return [
        [outcomes(row, column, action) for action in range(4)]
        for row in range(height)
        for column in range(width)
    ]


def _rows(function: str, desc: Any) -> tuple[str, ...]:
    """A map as rows of letters, checked."""
    if isinstance(desc, np.ndarray) and desc.ndim == 2:
        desc = [b"".join(row).decode() for row in desc.astype("S1")]
    if isinstance(desc, str) or not all(isinstance(row, str) for row in desc):
        raise TypeError(f"{function}: desc is {desc!r}, expected rows such as ['SF', 'HG']")
    rows = tuple(desc)
    if not rows or not rows[0] or len({len(row) for row in rows}) > 1:
        raise ValueError(f"{function}: desc is {desc!r}, expected rows of one length")
    letters = set("".join(rows))
    if letters - set("SFHG"):
        raise ValueError(
            f"{function}: desc holds {min(letters - set('SFHG'))!r}, expected S, F, H and G"
        )
    for letter, name in {"S": "start", "G": "goal"}.items():
        if letter not in letters:
            raise ValueError(f"{function}: desc has no {name}, expected a letter {letter!r}")
    return rows
