"""gymnax: environments in JAX, a batch by vmap, steps by a scan, all of it one jitted call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnax
import jax
import jax.numpy as jnp


def stepper(id: str, num_envs: int, actions: Any) -> Callable[[], Any]:
    """A call that makes len(actions) steps of every environment, from where it stands.

    It gives observations, rewards and flags of all these steps, resets included.
    """
    if id not in gymnax.registered_envs:
        raise ImportError(f"gymnax has no {id}")
    env, parameters = gymnax.make(id)
    step = jax.vmap(env.step, (0, 0, 0, None))

    @jax.jit
    def advance(key: Any, states: Any, actions: Any) -> Any:
        def one(carry: Any, row: Any) -> Any:
            key, states = carry
            key, now = jax.random.split(key)
            keys = jax.random.split(now, num_envs)
            observations, states, *rest = step(keys, states, row, parameters)
            return (key, states), (observations, *rest[:-1])

        return jax.lax.scan(one, (key, states), actions)

    keys = jax.random.split(jax.random.key(0), num_envs)
    carry = jax.random.key(1), jax.vmap(env.reset, (0, None))(keys, parameters)[1]
    rows = jnp.asarray(actions)

    def run() -> Any:
        nonlocal carry
        carry, outputs = jax.block_until_ready(advance(*carry, rows))
        return outputs

    return run
