"""EnvPool: environments in C++ behind Gymnasium's interface, stepped by one thread."""

from __future__ import annotations

import warnings
from typing import Any


def vector(id: str, num_envs: int) -> Any:
    """Its batch of environments."""
    try:
        import envpool
    except Exception as error:  # it may be installed and yet not load
        raise ImportError(str(error)) from error
    if id not in envpool.list_all_envs():
        raise ImportError(f"EnvPool has no {id}")
    # Wherever one asks for its spaces, Gymnasium warns that it casts their bounds to float32.
    warnings.filterwarnings("ignore", ".*Box (low|high)'s precision", UserWarning)
    return envpool.make_gymnasium(id, num_envs=num_envs, num_threads=1, seed=0)
