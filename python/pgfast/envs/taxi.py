"""Taxi: fetch a passenger and bring him where he wants to go (Dietterich 2000)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pgfast.envs.native import Model
from pgfast.envs.tabular import Outcome, Table, table_model

MAP = ("|R: | : :G|", "| : | : : |", "| : : : : |", "| | : | : |", "|Y| : |B: |")
PLACES = ((0, 0), (0, 4), (4, 0), (4, 3))
TAXI = 4  # where the passenger is while he rides
SOUTH, NORTH, EAST, WEST, PICKUP, DROPOFF = range(6)


def model(function: str) -> Model:
    """The table of the town; the passenger waits where he does not want to go."""
    starts = np.array([who < TAXI and who != goal for *_, who, goal in _states()], np.float64)
    return table_model(table(), starts / starts.sum(), action_mask())


def _states() -> list[tuple[int, int, int, int]]:
    """Row, column, the passenger's place and his goal of every state, in order."""
    return [
        (r, c, who, g) for r in range(5) for c in range(5) for who in range(5) for g in range(4)
    ]


def table() -> Table:
    """Outcomes by state and action, each certain: -1 a step, 20 for the passenger's arrival, -10
    for a pickup or dropoff where there is none.
    """
    return [[[_outcome(*state, action)] for action in range(6)] for state in _states()]


def _outcome(row: int, column: int, who: int, goal: int, action: int) -> Outcome:
    here, reward, arrived = (row, column), -1, False
    if action == SOUTH:
        row = min(row + 1, 4)
    elif action == NORTH:
        row = max(row - 1, 0)
    elif action == EAST and MAP[row][2 * column + 2] == ":":
        column += 1
    elif action == WEST and MAP[row][2 * column] == ":":
        column -= 1
    elif action == PICKUP:
        if who < TAXI and here == PLACES[who]:
            who = TAXI
        else:
            reward = -10
    elif action == DROPOFF:
        if who == TAXI and here == PLACES[goal]:
            who, reward, arrived = goal, 20, True
        elif who == TAXI and here in PLACES:
            who = PLACES.index(here)
        else:
            reward = -10
    return 1.0, ((row * 5 + column) * 5 + who) * 4 + goal, reward, arrived


def action_mask() -> npt.NDArray[np.int8]:
    """(S, A): 1 where an action changes the state, as Gymnasium tells it in its infos."""
    return np.array(
        [
            [
                row < 4,
                row > 0,
                MAP[row][2 * column + 2] == ":",
                MAP[row][2 * column] == ":",
                (row, column) in PLACES[who : who + 1],
                who == TAXI and (row, column) in PLACES,
            ]
            for row, column, who, _ in _states()
        ],
        np.int8,
    )
