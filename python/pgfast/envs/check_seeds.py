"""Seeds: each environment has its own, and they decide what it draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pgfast.envs.check_returns import Found
from pgfast.envs.walk import PARTS, CallError, Walk, batch_of, reset, rows, same


def check_seeds(first: Walk, found: Found) -> None:
    """Check other seeds, none, and lists of them."""
    env, seed = first.env, first.seed
    continued = [(reset(env, seed=seed), reset(env))[1].copies["observations"] for _ in range(2)]
    if not same(*continued):
        found("seed-continued", "a reset without a seed differs after resets with the same seed")
    if first.differs(first.again(seed=None)):  # something is drawn: then seeds must matter
        if not first.differs(first.again(seed=seed + 1000)):
            found("seed-ignored", f"seeds {seed} and {seed + 1000} give the same episodes")
        _check_neighbours(first, found)
    try:
        listed = first.again(seed=[seed + i for i in range(env.num_envs)])
        reset(env, seed=[seed, *[None] * (env.num_envs - 1)])
    except CallError as error:
        found("seed-list", f"a list of seeds, which may hold None, is not taken: {error}")
        return
    where = first.differs(listed)
    if where:
        found(
            "seed-list",
            f"{where} differ between the seed {seed} and the list of {seed}, {seed + 1}, ...",
        )


def _check_neighbours(first: Walk, found: Found) -> None:
    """Give all environments the actions of the first one: they draw different numbers."""
    env, seed = first.env, first.seed
    if env.num_envs == 1:
        return

    def choose(t: int, done: npt.NDArray[np.bool_]) -> Any:
        leader = rows(env.action_space, first.actions[t])[0]
        return batch_of(env.single_action_space, [leader] * env.num_envs)

    calls = first.again(seed=seed, choose=choose)
    if all(same(first.row(r, 0), first.row(r, 1)) for r in calls) and all(
        r.copies[part][0] == r.copies[part][1] for r in calls if r.is_step for part in PARTS[1:4]
    ):
        found(
            "seed-neighbours",
            f"environments 0 and 1 run the same episodes after the seed {seed}, expected those of "
            f"{seed} and {seed + 1}",
        )
