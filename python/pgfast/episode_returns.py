"""The returns of episodes, as they end in one batch after another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pgfast import _core
from pgfast.rollout import Rollout


class EpisodeReturns:
    """Undiscounted returns of the episodes that end in a batch, also of those begun before it."""

    def __init__(self) -> None:
        self._running: npt.NDArray[np.float64] = np.zeros(0)
        self.last_count = 0
        """How many ended in the last batch."""
        self.last_mean = float("nan")
        """Of the last batch in which one ended."""

    def mean_of(self, batch: Rollout) -> float:
        """Mean over the episodes that ended in this batch, or in the last one where any did."""
        whole, columns = batch.last_observations is None, batch.rewards.shape[1]
        if whole or len(self._running) != columns:
            self._running = np.zeros(columns)
        total, self.last_count = _core.finished_returns(
            batch.rewards, batch.terminated, batch.truncated, self._running
        )
        if self.last_count > 0:
            self.last_mean = total / self.last_count
        return self.last_mean

    def forget(self) -> None:
        """The episodes under way have been given up: the environments were reset by others."""
        self._running = np.zeros(0)
