"""How many threads the kernels use. Results do not depend on it, down to the last bit."""

from __future__ import annotations

from pgfast import _core


def set_num_threads(n: int) -> None:
    """Let kernels use `n` threads, the calling one included.

    At import it is the environment variable PGFAST_NUM_THREADS, else the number of processors that
    the process may use. Small work stays on the calling thread.

    Raises:
        ValueError: `n` is not in 1..1024.

    >>> before = get_num_threads()
    >>> set_num_threads(1); get_num_threads()
    1
    >>> set_num_threads(before)
    """
    _core.set_num_threads(n)


def get_num_threads() -> int:
    """How many threads kernels may use."""
    return _core.get_num_threads()
