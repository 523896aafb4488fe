"""The steps that a rollout is stacked from."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pgfast._typing import BoolArray, FloatArray, IntArray
from pgfast.policy import Policy
from pgfast.rollout import Rollout


class Rows:
    """The steps of a rollout while it grows."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._rows: list[tuple[npt.NDArray[Any], ...]] = []

    def add(
        self,
        observations: FloatArray,
        actions: npt.NDArray[Any],
        rewards: npt.NDArray[np.float64],
        terminated: BoolArray,
        truncated: BoolArray,
        valid: BoolArray,
        finals: FloatArray,
    ) -> None:
        """Note one step of all environments; where not valid, nothing happened."""
        self._rows.append(
            (observations, actions, rewards, terminated & valid, truncated & valid, valid, finals)
        )

    def rollout(
        self,
        last_observations: FloatArray | None,
        *,
        elapsed: IntArray | None = None,
        columns: int | None = None,
        before_limit: bool = False,
    ) -> Rollout:
        """Stack the rows, keeping the first `columns`; for `before_limit` see `_cut`."""
        observations, actions, rewards, terminated, truncated, valid, finals = (
            np.ascontiguousarray(np.stack(part)[:, :columns])
            for part in zip(*self._rows, strict=True)
        )
        if before_limit:
            _cut(observations, terminated, truncated, valid, finals, elapsed)
        log_probs = self._policy.log_prob(observations, actions)
        for array in (observations, actions, rewards, log_probs):
            array[~valid] = 0
        return Rollout(
            observations=observations,
            actions=actions,
            log_probs=log_probs,
            rewards=rewards.astype(self._policy.dtype),
            terminated=terminated,
            truncated=truncated,
            valid=None if last_observations is not None and valid.all() else valid,
            last_observations=last_observations,
            final_observations=finals[truncated],
            elapsed=elapsed,
        )


def _cut(
    observations: FloatArray,
    terminated: BoolArray,
    truncated: BoolArray,
    valid: BoolArray,
    finals: FloatArray,
    elapsed: IntArray | None,
) -> None:
    """End truncated episodes one step earlier.

    Where truncation may hide a terminal state, the last state may be dead and must not be
    bootstrapped from. The one before it certainly lives: the step before the last is truncated,
    with the observation after it as the final one, and the last step counts as none.
    """
    for t, n in np.argwhere(truncated):
        truncated[t, n] = valid[t, n] = False
        if t == 0 and elapsed is not None:
            elapsed[n] = 0  # what was left of the episode is cut
        if t > 0 and valid[t - 1, n] and not terminated[t - 1, n]:
            truncated[t - 1, n] = True
            finals[t - 1, n] = observations[t, n]


def side_by_side(rounds: list[Rollout]) -> Rollout:
    """One rollout with the columns of all, padded to the longest."""
    longest = max(r.rewards.shape[0] for r in rounds)

    def joined(name: str) -> npt.NDArray[Any]:
        parts = [np.asarray(getattr(r, name)) for r in rounds]
        padded = [
            np.concatenate([p, np.zeros((longest - len(p), *p.shape[1:]), p.dtype)]) for p in parts
        ]
        return np.ascontiguousarray(np.concatenate(padded, axis=1))

    truncated = joined("truncated")
    finals = np.concatenate([r.final_observations for r in rounds])
    # Each round has its final observations in time order; argwhere wants time, then column.
    offsets = np.cumsum([0, *(r.rewards.shape[1] for r in rounds)])
    places = np.concatenate(
        [
            np.argwhere(r.truncated) + np.array([0, offset])
            for r, offset in zip(rounds, offsets[:-1], strict=True)
        ]
    )
    order = np.lexsort((places[:, 1], places[:, 0]))
    return Rollout(
        observations=joined("observations"),
        actions=joined("actions"),
        log_probs=joined("log_probs"),
        rewards=joined("rewards"),
        terminated=joined("terminated"),
        truncated=truncated,
        valid=joined("valid"),
        last_observations=None,
        final_observations=finals[order],
    )
