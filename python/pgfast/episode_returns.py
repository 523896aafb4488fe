"""The returns of episodes, as they end in one batch after another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pgfast.rollout import Rollout


class EpisodeReturns:
    """Undiscounted returns of the episodes that end in a batch, also of those begun before it."""

    def __init__(self) -> None:
        self._running: npt.NDArray[np.float64] = np.zeros(0)
        self.last_mean = float("nan")
        """Of the last batch in which one ended."""

    def mean_of(self, batch: Rollout) -> float:
        """Mean over the episodes that ended in this batch, or in the last one where any did."""
        sums = np.cumsum(batch.rewards, axis=0, dtype=np.float64)
        whole = batch.last_observations is None
        if whole or len(self._running) != sums.shape[1]:
            self._running = np.zeros(sums.shape[1])
        sums += self._running
        before = np.zeros(sums.shape[1])  # what had been summed when the running episode began
        returns: list[npt.NDArray[np.float64]] = []
        ends = batch.terminated | batch.truncated
        for t in np.flatnonzero(ends.any(axis=1)):
            ended = ends[t]
            returns.append(sums[t, ended] - before[ended])
            before[ended] = sums[t, ended]
        self._running = sums[-1] - before
        if returns:
            self.last_mean = float(np.concatenate(returns).mean())
        return self.last_mean

    def forget(self) -> None:
        """The episodes under way have been given up: the environments were reset by others."""
        self._running = np.zeros(0)
