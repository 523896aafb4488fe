"""How an environment's observations become the vectors that a policy takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.vector.utils import batch_space, iterate

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
        if isinstance(self.single, (gym.spaces.Dict, gym.spaces.Tuple)):
            return _flat(self.single, observation).astype(dtype)
        row: FloatArray = self(np.asarray(observation)[None], dtype)[0]
        return row


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
        count, start = int(single.n), int(single.start)
        if size == 1:
            return ObservationMap(1, single, lambda batch: np.asarray(batch)[:, None] - start)
        identity = np.eye(count)
        one_hot = ObservationMap(count, single, lambda batch: identity[batch - start])
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
    return _fitting(function, size, ObservationMap(numbers, single, _flattening(single)))


def _flattening(single: gym.Space[Any]) -> Callable[[Any], npt.NDArray[Any]]:
    if isinstance(single, (gym.spaces.Box, gym.spaces.MultiBinary)):
        return lambda batch: np.asarray(batch).reshape(len(batch), -1)
    batched: dict[int, gym.Space[Any]] = {}

    def rows(batch: Any) -> npt.NDArray[Any]:
        count = _batch_size(batch)
        space = batched.setdefault(count, batch_space(single, count))
        return np.stack([_flat(single, entry) for entry in iterate(space, batch)])

    return rows


def _flat(single: gym.Space[Any], observation: Any) -> npt.NDArray[Any]:
    return np.asarray(gym.spaces.flatten(single, observation))


def _batch_size(batch: Any) -> int:
    """N of a batch of any space."""
    while isinstance(batch, (dict, tuple)):
        batch = next(iter(batch.values() if isinstance(batch, dict) else batch))
    return len(batch)


def _fitting(function: str, size: int | None, found: ObservationMap) -> ObservationMap:
    if size not in (None, found.size):
        raise ValueError(
            f"{function}: the policy has {size} observations, expected {found.size}, those of the "
            "environment"
        )
    return found
