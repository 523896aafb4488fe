"""EnvPool's environments, as far as they differ from Gymnasium's.

`observation_space` and `action_space` are those of a single environment; seeds are given when the
pool is made; and a terminal state that is reached in the last step allowed is reported as truncated
only (`terminated = done & ~trunc`).
"""

from __future__ import annotations


def is_envpool(env: object) -> bool:
    """Whether an environment is one of EnvPool's; asked without importing it."""
    return any(kind.__module__.partition(".")[0] == "envpool" for kind in type(env).__mro__)


def hides_falls(env: object) -> bool:
    """Whether truncation may hide a terminal state, under wrappers as well."""
    return is_envpool(getattr(env, "unwrapped", env))
