"""An environment that raises: which one, and in which step."""

from __future__ import annotations

from types import TracebackType

from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv

from pgfast._typing import IntArray


class EnvError(RuntimeError):
    """An environment raised; its own error is the cause. What was learnt before is kept."""


def index_of_failure(error: BaseException) -> int | None:
    """Which environment of Gymnasium's Sync- or AsyncVectorEnv raised, where one of them ran.

    Neither says so in the error; it stands in their loops, in the frames of the traceback.
    """
    loops = {
        SyncVectorEnv.step.__code__: "i",
        SyncVectorEnv.reset.__code__: "i",
        AsyncVectorEnv._raise_if_errors.__code__: "index",
    }
    frame: TracebackType | None = error.__traceback__
    while frame is not None:
        name = loops.get(frame.tb_frame.f_code)
        index = frame.tb_frame.f_locals.get(name) if name else None
        if isinstance(index, int):
            return index
        frame = frame.tb_next
    return None


def env_error(function: str, call: str, elapsed: IntArray | None, error: Exception) -> EnvError:
    """Make the error that tells which environment raised, and where.

    Parameters:
        function: the name for the message.
        call: "step" or "reset".
        elapsed: (N,) steps of each environment's episode before this one.
        error: what was raised.
    """
    index = index_of_failure(error)
    if index is None and elapsed is not None and len(elapsed) == 1:
        index = 0
    who = "an environment" if index is None else f"environment {index}"
    where = call
    if call == "step" and elapsed is not None:
        known = elapsed[index] + 1 if index is not None else f"one of {(elapsed + 1).tolist()}"
        where = f"step {known} of its episode"
    return EnvError(f"{function}: {who} raised {type(error).__name__} in {where}: {error}")
