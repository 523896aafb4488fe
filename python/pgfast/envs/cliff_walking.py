"""CliffWalking: along a cliff to the goal (Sutton & Barto, example 6.6), with Gymnasium's rules."""

from __future__ import annotations

import numpy as np

from pgfast.envs.native import Model
from pgfast.envs.tabular import Outcome, Table, table_model

HEIGHT, WIDTH = 4, 12
START, GOAL = 36, 47
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))  # up, right, down, left


def model(function: str, is_slippery: bool) -> Model:
    """The table of the cliff."""
    return table_model(table(is_slippery), np.eye(HEIGHT * WIDTH)[START])


def table(is_slippery: bool = False) -> Table:
    """Outcomes by state and action: -1 a step, -100 for the cliff, from which it's back to start.

    Where it is slippery, the move and those to either side of it are equally likely.
    """

    def outcome(row: int, column: int, move: int, probability: float) -> Outcome:
        down, right = MOVES[move]
        row = min(max(row + down, 0), HEIGHT - 1)
        column = min(max(column + right, 0), WIDTH - 1)
        state = row * WIDTH + column
        if START < state < GOAL:
            return probability, START, -100, False
        return probability, state, -1, state == GOAL

    def outcomes(row: int, column: int, action: int) -> list[Outcome]:
        moves = (action - 1, action, action + 1) if is_slippery else (action,)
        return [outcome(row, column, move % 4, 1 / len(moves)) for move in moves]

    return [
        [outcomes(row, column, action) for action in range(4)]
        for row in range(HEIGHT)
        for column in range(WIDTH)
    ]
