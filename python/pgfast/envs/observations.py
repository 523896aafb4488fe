"""How an environment's observations become the vectors that a policy takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from pgfast._typing import FloatArray


@dataclass(frozen=True)
class ObservationMap:
    """Makes (N, D) of a batch of observations."""

    size: int
    """D."""
    single: gym.Space[Any]
    rows: Callable[[Any], npt.NDArray[Any]]

    def __call__(self, batch: Any, dtype: np.dtype[Any]) -> FloatArray:
        """(N, D), a copy: the environment may write its next observations into the same memory."""
        return np.array(self.rows(batch), dtype=dtype, order="C")

    def one(self, observation: Any, dtype: np.dtype[Any]) -> FloatArray:
        """(D,) of a single observation, such as a final one."""
        if isinstance(self.single, (gym.spaces.Box, gym.spaces.Discrete)):
            row: FloatArray = self(np.asarray(observation)[None], dtype)[0]
            return row
        return np.asarray(gym.spaces.flatten(self.single, observation), dtype)


def observation_map(
    function: str, single: gym.Space[Any], *, size: int | None = None, flatten: bool = False
) -> ObservationMap:
    """Find how observations of a space become vectors.

    - Box of one dimension: as it is.
    - Discrete(n): one-hot, D = n; or the index itself where the policy takes one number.
    - all others (images, Dict, Tuple, ...): `gymnasium.spaces.flatten` of them, where it is asked
      for, or where the policy takes as many numbers.

    Parameters:
        function: the name for messages.
        single: space of one environment's observations.
        size: D of the policy that there is, else None.
        flatten: whether flattening was asked for.

    Raises:
        TypeError: a space that can't be made vectors, or that would have to be flattened.
        ValueError: another size than the policy's.
    """
    if isinstance(single, gym.spaces.Box) and len(single.shape) == 1:
        return _fitting(function, size, ObservationMap(single.shape[0], single, np.asarray))
    if isinstance(single, gym.spaces.Discrete):
        start = int(single.start)
        if size == 1:
            return ObservationMap(1, single, lambda batch: np.asarray(batch)[:, None] - start)
        one_hot = ObservationMap(int(single.n), single, lambda batch: _flat(single, batch))
        return _fitting(function, size, one_hot)
    if not getattr(single, "is_np_flattenable", False):
        raise TypeError(
            f"{function}: env has observations {single}, expected ones that can be made a vector"
        )
    numbers = gym.spaces.flatdim(single)
    if not flatten and size != numbers:
        raise TypeError(
            f"{function}: env has observations {single}, expected a Box of one dimension or "
            f"Discrete; flattened they are {numbers} numbers (train: flatten=True)"
        )
    flattened = ObservationMap(numbers, single, lambda batch: _flat(single, batch))
    return _fitting(function, size, flattened)


def _flat(single: gym.Space[Any], batch: Any) -> npt.NDArray[Any]:
    """`gymnasium.spaces.flatten` of every entry of a batch."""
    if isinstance(single, (gym.spaces.Box, gym.spaces.MultiBinary)):
        return np.asarray(batch).reshape(len(batch), -1)
    if isinstance(single, gym.spaces.Discrete):
        return _one_hot(np.asarray(batch) - single.start, int(single.n))
    if isinstance(single, gym.spaces.MultiDiscrete):
        columns = (np.asarray(batch) - single.start).reshape(len(batch), -1).T
        counts = single.nvec.ravel().tolist()
        return np.hstack([_one_hot(*pair) for pair in zip(columns, counts, strict=True)])
    if isinstance(single, gym.spaces.Dict):
        return np.hstack([_flat(part, batch[key]) for key, part in single.spaces.items()])
    if isinstance(single, gym.spaces.Tuple):
        return np.hstack([_flat(*pair) for pair in zip(single.spaces, batch, strict=True)])
    return np.stack([np.asarray(gym.spaces.flatten(single, entry)) for entry in batch])


def _one_hot(indices: npt.NDArray[Any], count: int) -> npt.NDArray[np.bool_]:
    rows: npt.NDArray[np.bool_] = indices[:, None] == np.arange(count)
    return rows


def _fitting(function: str, size: int | None, found: ObservationMap) -> ObservationMap:
    if size not in (None, found.size):
        raise ValueError(
            f"{function}: the policy has {size} observations, expected {found.size}, those of the "
            "environment"
        )
    return found
