"""How many threads the kernels use. Results do not depend on it, down to the last bit."""

from __future__ import annotations

import os

from pgfast import _core
from pgfast._typing import as_count

_MOST = 1024


def set_num_threads(n: int) -> None:
    """Let kernels use `n` threads, the calling one included.

    At import it is the environment variable PGFAST_NUM_THREADS, else the number of processors that
    the process may use. Small work stays on the calling thread.

    Raises:
        ValueError: `n` is not in 1..1024.
        TypeError: `n` is no int.

    >>> before = get_num_threads()
    >>> set_num_threads(1); get_num_threads()
    1
    >>> set_num_threads(before)
    """
    if as_count("set_num_threads", "n", n) > _MOST:
        raise ValueError(f"set_num_threads: n is {n}, expected at most {_MOST}")
    _core.set_num_threads(int(n))


def get_num_threads() -> int:
    """How many threads kernels may use."""
    return _core.get_num_threads()


def _check_environment() -> None:
    """Raise where PGFAST_NUM_THREADS is set to something that is no number of threads."""
    text = os.environ.get("PGFAST_NUM_THREADS")
    if text is not None and not (text.isdecimal() and 1 <= int(text) <= _MOST):
        raise ValueError(f"PGFAST_NUM_THREADS is {text!r}, expected a number in 1..{_MOST}")


_check_environment()
