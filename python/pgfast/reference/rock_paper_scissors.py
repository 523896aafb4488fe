"""Twin of RockPaperScissors-v0's round."""

from __future__ import annotations

import numpy as np

from pgfast._typing import IntArray


def rock_paper_scissors_round(counts: IntArray, move: int, uniform: float) -> tuple[int, int]:
    """The opponent's move and the reward of one round.

    `counts` (3,) tell how often each move was played before. The opponent predicts the most
    frequent one, of k such the ⌊k · uniform⌋-th, and plays what beats it: m + 1 mod 3 beats m.
    """
    candidates = np.flatnonzero(counts == counts.max())
    predicted = candidates[int(uniform * len(candidates))]
    opponent = int(predicted + 1) % 3
    return opponent, {0: 0, 1: 1, 2: -1}[(move - opponent) % 3]
