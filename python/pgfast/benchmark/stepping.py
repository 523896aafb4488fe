"""Steps of environments, and rollouts."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

import pgfast as pg
from pgfast.benchmark.work import Limit, Member, Work
from pgfast.envs.adapter import GymnasiumCollector

STEPS = 32
"""Steps of one call, so that no call's own cost is left out or counted alone."""
SYNC_AT_MOST = 64
"""A step of 4096 environments in SyncVectorEnv takes 50 ms and more."""
ALSO_CALLED = {"Taxi-v3": "Taxi-v4"}  # Gymnasium 1.4 has it with the table of v3
ALSO_ELSEWHERE = {
    "CartPole-v1",
    "Pendulum-v1",
    "Acrobot-v1",
    "MountainCar-v0",
    "MountainCarContinuous-v0",
}
CHAIN = {"P": [[[0.5, 0.5], [0.9, 0.1]], [[0.2, 0.8], [1.0, 0.0]]], "R": np.eye(2), "p0": [1, 0]}


def native(id: str, num_envs: int) -> Any:
    """pgfast's environments behind Gymnasium's interface."""
    arguments: dict[str, Any] = CHAIN if id == "Tabular-v0" else {}
    return pg.make(id, num_envs, seed=0, autoreset_mode=AutoresetMode.NEXT_STEP, **arguments)


def gymnasium_vector(id: str, num_envs: int) -> Any:
    """Gymnasium's NumPy CartPole; SyncVectorEnv of all others."""
    kind = "vector_entry_point" if id == "CartPole-v1" else "sync"
    return gym.make_vec(gymnasium_id(id) or id, num_envs, vectorization_mode=kind)


def envpool_vector(id: str, num_envs: int) -> Any:
    """EnvPool's."""
    from pgfast.benchmark.peers import envpool

    return envpool.vector(id, num_envs)


def gymnasium_id(id: str) -> str | None:
    """What Gymnasium calls it; None where it has none."""
    return next((name for name in (id, ALSO_CALLED.get(id)) if name in gym.registry), None)


def random_actions(id: str, num_envs: int) -> list[Any]:
    """Of `STEPS` steps."""
    space = native(id, num_envs).action_space
    space.seed(0)
    return [space.sample() for _ in range(STEPS)]


def step(id: str = "CartPole-v1", num_envs: int = 4096, elsewhere: bool = True) -> Work:
    """Steps with random actions, through `env.step` and through the core alone.

    `elsewhere`: beside the libraries that take seconds to compile or load, too.
    """

    actions = random_actions(id, num_envs)

    def through(make: Callable[[str, int], Any]) -> Member:
        env = make(id, num_envs)
        env.reset()

        def run() -> Any:
            for row in actions:
                result = env.step(row)
            return result

        return Member(run, lambda result: result[:4])

    def core() -> Member:
        env = native(id, num_envs)
        env.reset(seed=0)
        # Of the environment's dtype, as the face makes them.
        rows = [a if a.dtype == np.int64 else a.astype(env.dtype) for a in actions]

        def run() -> Any:
            for row in rows:
                result = env._core.step(row, env._mode)
            return result

        return Member(run, lambda result: result[:4])

    def gymnax() -> Member:
        from pgfast.benchmark.peers import gymnax

        run = gymnax.stepper(id, num_envs, np.stack(actions))
        return Member(run, lambda outputs: [np.asarray(x)[-1] for x in outputs])

    def check(result: Any) -> None:
        """Observations of the space, rewards and flags of every environment."""
        observations, rewards, terminated, truncated = map(np.asarray, result)
        space = native(id, num_envs).observation_space
        if space.dtype == np.int64:
            observations = observations.reshape(num_envs).astype(np.int64)
        assert space.contains(observations)
        assert np.isfinite(rewards).all()
        assert rewards.shape == terminated.shape == truncated.shape == (num_envs,)

    members: dict[str, Callable[[], Member]] = {
        "pgfast": partial(through, native),
        "core": core,
    }
    if gymnasium_id(id) and (num_envs <= SYNC_AT_MOST or id == "CartPole-v1"):
        members["gymnasium"] = partial(through, gymnasium_vector)
    if elsewhere and id in ALSO_ELSEWHERE:
        members |= {"gymnax": gymnax, "envpool": partial(through, envpool_vector)}
    amount = STEPS * num_envs
    limit = Limit("CartPole", amount) if id == "CartPole-v1" else None
    return Work(f"{id} step, N={num_envs} float32", "step", amount, members, check, limit)


def collect(hidden: tuple[int, ...] = (), N: int = 1024, T: int = 128) -> Work:
    """A rollout of CartPole: environments × steps × policy, learning data written."""

    def start() -> tuple[Any, Any]:
        env = pg.make("CartPole-v1", N, seed=0, autoreset_mode="SameStep")
        return env, pg.SoftmaxPolicy(4, 2, hidden=hidden)

    def pgfast() -> Member:
        env, policy = start()
        return Member(lambda: pg.collect(env, policy, steps=T))

    def python() -> Member:
        """The same environment and policy, driven from Python."""
        collector = GymnasiumCollector(*start())
        return Member(lambda: collector.collect_steps(T))

    def gymnasium() -> Member:
        """Gymnasium's NumPy environment under pgfast's policy, driven from Python."""
        collector = GymnasiumCollector(gymnasium_vector("CartPole-v1", N), start()[1])
        return Member(lambda: collector.collect_steps(T))

    policy = start()[1]

    def check(batch: Any) -> None:
        assert batch.observations.shape == (T, N, 4)
        assert batch.terminated.any()
        log_probs = policy.log_prob(batch.observations, batch.actions)
        happened = True if batch.valid is None else batch.valid  # Gymnasium's resets are rows, too
        np.testing.assert_array_equal(batch.log_probs, np.where(happened, log_probs, 0))

    sizes = [4, *hidden, 2]
    flops = 2.0 * N * T * sum(i * o for i, o in itertools.pairwise(sizes))
    network = "x".join(map(str, hidden)) or "linear"
    return Work(
        f"collect, CartPole-v1, {network} softmax, N={N} T={T} float32",
        "step",
        N * T,
        {"pgfast": pgfast, "python": python, "gymnasium": gymnasium},
        check,
        Limit("multiply-add", flops) if hidden else Limit("CartPole", N * T),
    )
