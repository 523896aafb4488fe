"""What metadata["autoreset_mode"] promises of the end of episodes, and whether it is kept."""

from __future__ import annotations

import contextlib
import copy
import io
import itertools
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode

from pgfast.envs.check_returns import Found
from pgfast.envs.walk import Returned, Walk, batch_of, reset, rows, same, step


def check_autoreset(first: Walk, found: Found) -> None:
    """Check the calls at and after the ends of episodes."""
    if first.mode is AutoresetMode.SAME_STEP:
        _same_step(first, found)
    for before, after in itertools.pairwise(first.returned):
        if first.mode is AutoresetMode.NEXT_STEP and before.is_step:
            _next_step_rows(before, after, found)
        if not after.is_step:
            _masked_reset(first, before, after, found)


def _same_step(first: Walk, found: Found) -> None:
    ended = []
    for returned in first.steps:
        if not _final_infos(first, returned, found):
            return
        finals = returned.copies["infos"].get("final_obs")
        ended += [(first.row(returned, i), finals[i]) for i in returned.ended]
    observed = [first.row(r, 0) for r in first.returned]
    varies = any(not same(o, observed[0]) for o in observed)
    if len(ended) > 2 and varies and all(same(row, final) for row, final in ended):
        found(
            "same-step-reset",
            f"observations equal infos['final_obs'] at all {len(ended)} ends of episodes, expected "
            "the observations of the reset under SAME_STEP",
        )


def _final_infos(first: Walk, returned: Returned, found: Found) -> bool:
    """Whether the infos of a step hold what SAME_STEP puts there where episodes end."""
    infos, done, call = returned.copies["infos"], returned.done, returned.call
    for key in ("final_obs", "final_info"):
        if key not in infos and done.any():
            found(
                f"{key}-missing",
                f"infos of {call} have no {key!r}, expected it under SAME_STEP, where environments "
                f"{returned.ended} ended",
            )
            return False
        if key in infos and not np.array_equal(infos[f"_{key}"], done):
            mask = infos[f"_{key}"].tolist()
            found(
                f"{key}-mask",
                f"infos['_{key}'] of {call} is {mask}, expected {done.tolist()}, where episodes "
                "ended",
            )
            return False
    if "final_obs" not in infos:
        return True
    finals, single = infos["final_obs"], first.env.single_observation_space
    if not isinstance(finals, np.ndarray) or finals.dtype != object or finals.shape != done.shape:
        expected = f"expected an object array of shape {done.shape}"
        found("final_obs-type", f"infos['final_obs'] of {call} is {finals!r}, {expected}")
        return False
    for i, final in enumerate(finals):
        name = f"infos['final_obs'][{i}] of {call}"
        if not done[i] and final is not None:
            kind = type(final).__name__
            found("final_obs-none", f"{name} is a {kind}, expected None where no episode ended")
        if done[i] and not single.contains(final):
            found("final_obs-outside", f"{name} is {final!r}, which is not in {single}")
    return True


def _next_step_rows(before: Returned, after: Returned, found: Found) -> None:
    for i in before.ended:
        reward = after.copies["rewards"][i]
        if reward != 0:
            found(
                "next-step-reward",
                f"environment {i} has reward {reward} in {after.call}, which resets it, expected 0 "
                "under NEXT_STEP",
            )
        if after.done[i]:
            found(
                "next-step-flags",
                f"environment {i} is terminated or truncated in {after.call}, which resets it, "
                "expected neither under NEXT_STEP",
            )


def _masked_reset(first: Walk, before: Returned, after: Returned, found: Found) -> None:
    for i in range(first.env.num_envs):
        was, now = first.row(before, i), first.row(after, i)
        if not before.done[i] and not same(was, now):
            found(
                "reset-mask-others",
                f"{after.call} changes the observation of environment {i}, which is not in its "
                "reset_mask",
            )


def check_ignored_actions(first: Walk, found: Found) -> None:
    """Under NEXT_STEP, give other actions where environments are only reset."""
    if first.mode is not AutoresetMode.NEXT_STEP:
        return
    space, single = copy.deepcopy(first.env.action_space), first.env.single_action_space
    space.seed(first.seed + 1)

    def choose(t: int, done: npt.NDArray[np.bool_]) -> Any:
        pairs = zip(rows(space, first.actions[t]), rows(space, space.sample()), strict=True)
        return batch_of(single, [pair[int(i)] for pair, i in zip(pairs, done, strict=True)])

    where = first.differs(first.again(seed=first.seed, choose=choose))
    if where:
        found(
            "next-step-action",
            f"{where} depend on an action given to an environment in the step that resets it, "
            "expected it to be ignored under NEXT_STEP",
        )


def check_reset_masks(first: Walk, found: Found) -> None:
    """Under DISABLED, reset masks that are none are errors."""
    if first.mode is not AutoresetMode.DISABLED:
        return
    count = first.env.num_envs
    for what, mask, expected in (
        ("that is a list", [True] * count, TypeError),
        ("of dtype int64", np.ones(count, np.int64), TypeError),
        (f"of shape ({count + 1},)", np.ones(count + 1, np.bool_), ValueError),
        ("without True", np.zeros(count, np.bool_), ValueError),
    ):
        came = "is taken"
        try:
            first.env.reset(options={"reset_mask": mask})
        except expected:
            continue
        except Exception as error:
            came = f"raises {type(error).__name__}"
        found(f"reset-mask-{what}", f"a reset_mask {what} {came}, expected {expected.__name__}")


def check_finished(first: Walk, found: Found) -> None:
    """Under DISABLED, a step where an episode has ended is an error.

    The error ends the processes of an AsyncVectorEnv: nothing but `close` comes after this.
    """
    if first.mode is not AutoresetMode.DISABLED:
        return
    reset(first.env, seed=first.seed)
    for t, actions in enumerate(first.actions):
        if step(first.env, copy.deepcopy(actions), f"step {t + 1}").done.any():
            break
    else:
        return
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the ways in which processes report their errors
        try:
            first.env.step(copy.deepcopy(first.actions[0]))
        except Exception:
            return
    found(
        "finished",
        "a step of environments whose episodes have ended is taken, expected an error under "
        "DISABLED",
    )
