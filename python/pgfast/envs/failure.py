"""An environment that raises: which one, and in which step."""

from __future__ import annotations

from types import TracebackType

from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv

from pgfast._typing import BoolArray, IntArray


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


def env_error(
    function: str,
    call: str,
    error: Exception,
    elapsed: IntArray | None = None,
    resetting: BoolArray | None = None,
) -> EnvError:
    """Make the error that tells which environment raised, and where.

    Parameters:
        function: the name for the message.
        call: "step" or "reset".
        error: what was raised.
        elapsed: (N,) steps of each environment's episode before this one.
        resetting: (N,) where a step only resets.
    """
    index = index_of_failure(error)
    if index is None and elapsed is not None and len(elapsed) == 1:
        index = 0
    who = "an environment" if index is None else f"environment {index}"
    where = call
    if call == "step" and elapsed is not None and resetting is not None:
        if index is None:
            where = f"step one of {(elapsed + 1).tolist()} of its episode"
        else:
            where = "reset" if resetting[index] else f"step {elapsed[index] + 1} of its episode"
    if isinstance(error, EOFError):  # of a pipe: nobody is left at its other end
        return EnvError(f"{function}: {who} has ended its worker process in {where}")
    return EnvError(f"{function}: {who} raised {type(error).__name__} in {where}: {error}")
