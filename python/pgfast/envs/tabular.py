"""Tables: finite environments from arrays, and from lists of outcomes as Gymnasium writes them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pgfast._typing import as_reals
from pgfast.envs.native import Discrete, Model
from pgfast.tabular import TabularMDP

Outcome = tuple[float, int, float, bool]
"""Probability, next state, reward, and whether the episode ends there."""
Table = Sequence[Sequence[Sequence[Outcome]]]
"""By state, then action: `table[s][a]` lists the outcomes."""


def table_model(
    table: Table,
    start: npt.NDArray[np.float64],
    action_mask: npt.NDArray[np.int8] | None = None,
) -> Model:
    """The model of a table; `start` (S,) are the probabilities of the first state."""
    pairs = [outcomes for actions in table for outcomes in actions]
    probability, following, reward, terminated = zip(*(o for p in pairs for o in p), strict=True)
    return _model(
        states=len(table),
        actions=len(table[0]),
        counts=np.array([len(outcomes) for outcomes in pairs]),
        following=np.array(following, np.int64),
        probability=np.array(probability, np.float64),
        reward=np.array(reward, np.float64),
        terminated=np.array(terminated, np.bool_),
        start=start,
        action_mask=action_mask,
    )


def table_of(model: Model) -> tuple[list[list[list[Outcome]]], npt.NDArray[np.float64]]:
    """The table of a model that `table_model` or `model` made, and its start distribution."""
    parts = model.arguments
    outcomes = [
        (float(p), int(s), float(r), bool(end))
        for p, s, r, end in zip(
            parts["probability"], parts["next"], parts["reward"], parts["terminated"], strict=True
        )
    ]
    first, actions = parts["first"], int(parts["actions"])
    pairs = [outcomes[i:j] for i, j in itertools.pairwise(first)]
    table = [pairs[i : i + actions] for i in range(0, len(pairs), actions)]
    return table, np.array(parts["start"], np.float64)


def model(function: str, P: Any, R: Any, p0: Any, terminal: Any, mdp: Any = None) -> Model:
    """A finite environment from arrays, or from a TabularMDP in their place.

    Parameters:
        function: the name in errors.
        P: (S, A, S), P[s, a, s'] the probability of s' after action a in s.
        R: (S, A) or (S, A, S), the reward.
        p0: (S,), the probabilities of the first state.
        terminal: (S,) bool, the states that end an episode; None means that none does.
        mdp: a TabularMDP, whose P, R, p0 and ends these are then.
    """
    if mdp is not None:
        if not isinstance(mdp, TabularMDP):
            raise TypeError(f"{function}: mdp is a {type(mdp).__name__}, expected a TabularMDP")
        if not all(part is None for part in (P, R, p0, terminal)):
            raise TypeError(f"{function}: mdp stands for P, R, p0 and terminal, expected it alone")
        P, R, p0, terminal = mdp.P, mdp.R, mdp.p0, mdp.ends
    for name, value in {"P": P, "R": R, "p0": p0}.items():
        if value is None:
            raise TypeError(f"{function}: {name} is missing, expected arrays P, R and p0")
    P = as_reals(function, "P", P)
    if P.ndim != 3 or P.shape[0] != P.shape[2] or P.size == 0:
        raise ValueError(f"{function}: P has shape {P.shape}, expected (S, A, S)")
    states, actions, _ = P.shape
    R = as_reals(function, "R", R)
    if R.shape not in ((states, actions), P.shape):
        raise ValueError(
            f"{function}: R has shape {R.shape}, expected {(states, actions)} or {P.shape}"
        )
    p0 = as_reals(function, "p0", p0, (states,))
    _check_probabilities(function, "P", P)
    _check_probabilities(function, "p0", p0)
    if terminal is None:
        terminal = np.zeros(states, np.bool_)
    terminal = np.asarray(terminal)
    if terminal.dtype != np.bool_:
        raise TypeError(f"{function}: terminal has dtype {terminal.dtype}, expected bool")
    if terminal.shape != (states,):
        raise ValueError(f"{function}: terminal has shape {terminal.shape}, expected ({states},)")
    if p0[terminal].any():
        raise ValueError(f"{function}: p0 begins in a terminal state")
    s, a, following = np.nonzero(P)
    return _model(
        states=states,
        actions=actions,
        counts=np.count_nonzero(P, axis=2).ravel(),
        following=following,
        probability=P[s, a, following],
        reward=R[s, a] if R.ndim == 2 else R[s, a, following],
        terminated=terminal[following],
        start=p0,
    )


def _model(
    *,
    states: int,
    actions: int,
    counts: npt.NDArray[np.int64],
    action_mask: npt.NDArray[np.int8] | None = None,
    following: npt.NDArray[np.int64],
    **arrays: npt.NDArray[Any],
) -> Model:
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Model(
        observation=Discrete(states),
        action=Discrete(actions),
        arguments={
            "actions": actions,
            "first": first,
            "next": np.ascontiguousarray(following),
            **arrays,
        },
        action_mask=action_mask,
    )


def _check_probabilities(function: str, name: str, p: npt.NDArray[np.float64]) -> None:
    if (p < 0).any():
        raise ValueError(f"{function}: {name} holds {p.min()}, expected probabilities >= 0")
    sums = p.sum(axis=-1)
    wrong = np.argwhere(np.abs(sums - 1) > 1e-8)
    if len(wrong):
        row = "".join(f"[{i}]" for i in wrong[0])
        raise ValueError(f"{function}: {name}{row} sums to {sums[tuple(wrong[0])]}, expected 1")
