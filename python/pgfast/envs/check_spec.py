"""What `gymnasium.make_vec` makes of an environment's spec."""

from __future__ import annotations

import contextlib
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import VectorEnv

from pgfast.envs.check_returns import Found
from pgfast.envs.walk import Walk, reset, same, walk


def check_spec(first: Walk, found: Found) -> None:
    """Check that the spec makes the same again, and what it makes with another limit."""
    if not isinstance(first.env.spec, EnvSpec):
        return
    difference = _differs_from_spec(first.env.unwrapped, first)
    if difference:
        found("spec", f"gymnasium.make_vec(env.spec) {difference}")
    else:
        _check_both_flags(first, found)


def _differs_from_spec(env: VectorEnv[Any, Any, Any], first: Walk) -> str | None:
    """What an environment made from the spec of `env` has otherwise."""
    assert env.spec is not None
    try:
        other = gym.make_vec(env.spec)
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"
    with contextlib.closing(other):
        for name in ("num_envs", "observation_space", "action_space"):
            mine, others = getattr(env, name), getattr(other, name)
            if mine != others:
                return f"has {name} {others}, expected {mine}"
        mode = other.metadata.get("autoreset_mode")
        if mode is not first.mode:
            return f"has {mode}, expected {first.mode}"
        if not same(reset(env, seed=first.seed).copies, reset(other, seed=first.seed).copies):
            return "begins elsewhere from the same seed"
    return None


def _check_both_flags(first: Walk, found: Found) -> None:
    """A terminal state reached in the last step allowed is terminated and truncated.

    The first terminal state of the walk is reached again, in an environment whose limit is that
    step; where it takes no limit, nothing is checked.
    """
    env, steps = first.env, first.steps
    last = next((t for t, r in enumerate(steps) if r.done.any()), None)
    if last is None or not isinstance(env.spec, EnvSpec):
        return
    terminated = np.flatnonzero(steps[last].copies["terminated"])
    if len(terminated) == 0:
        return
    try:
        limited = gym.make_vec(env.spec, max_episode_steps=last + 1)
    except Exception:  # it takes no limit
        return
    with contextlib.closing(limited):
        end = walk(limited, first.actions[: last + 1], seed=first.seed)[-1]
    i = int(terminated[0])
    flags = [name for name in ("terminated", "truncated") if end.copies[name][i]]
    if len(flags) < 2:
        found(
            "both-flags",
            f"environment {i} reaches a terminal state in the last step allowed and is "
            f"{flags[0] if flags else 'neither terminated nor truncated'}"
            f"{' only' if flags else ''}, expected terminated and truncated",
        )
