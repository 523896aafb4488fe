"""Whole runs: until solved, of a fixed number of steps, and the memory that one takes.

    python -m pgfast.benchmark.runs ppo-pendulum --threads 1 --seed 0

prints one as a line of JSON, for the comparison with programs that are processes of their own.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

import pgfast as pg
from pgfast.algorithms import Critic
from pgfast.algorithms.a2c import ActorCriticLearner
from pgfast.benchmark.work import Member, Work


@cache
def until_solved(algorithm: str) -> Callable[[], Work]:
    """CartPole-v1 with its preset, seed after seed; the checks that it is solved count."""
    return partial(_until_solved, algorithm)


def _until_solved(algorithm: str) -> Work:
    def pgfast() -> Member:
        seeds = itertools.cycle(range(10))
        return Member(lambda: pg.train("CartPole-v1", algorithm, seed=next(seeds)))

    def check(run: pg.Run) -> None:
        assert run.stopped == "solved"

    return Work(f"CartPole-v1 until solved, {algorithm}", "run", 1, {"pgfast": pgfast}, check)


def without_end(trainer: pg.Trainer) -> pg.Trainer:
    """The training, without the looks whether the environment is solved: it goes on to its end."""
    trainer.threshold = None
    return trainer


def ppo_pendulum(seed: int = 0, activation: str = "tanh", updates: int = 74) -> pg.Trainer:
    """4 environments × 1024 steps, 2 epochs of minibatches of 256, two 64×64 networks.

    Torques begin with σ = 1. RLtools acts in [-1, 1], where that is its 0.5.
    """
    algorithm = pg.PPO(
        steps=1024,
        gamma=0.9,
        lam=0.95,
        epochs=2,
        batch_size=256,
        clip=0.2,
        learning_rate=1e-3,
        max_gradient_norm=None,
        critic=Critic(hidden=(64, 64), learning_rate=1e-3),
    )
    policy = {"hidden": (64, 64), "activation": activation, "initial_std": 1.0}
    steps = updates * 4 * 1024
    trainer = pg.Trainer(
        "Pendulum-v1", algorithm, seed=seed, num_envs=4, steps=steps, policy=policy
    )
    assert isinstance(trainer.learner, ActorCriticLearner)
    trainer.learner.value = pg.ValueFunction(3, hidden=(64, 64), activation=activation, seed=seed)
    return without_end(trainer)


def ppo_cartpole(seed: int = 0, steps: int = 99_840) -> pg.Trainer:
    """The settings that are tuned for Stable-Baselines3: 8 environments × 32 steps, 20 epochs.

    The whole number of batches of 256 below 100,000. Its clip, too, falls to 0; ours stays.
    """
    algorithm = pg.PPO(
        steps=32,
        gamma=0.98,
        lam=0.8,
        epochs=20,
        batch_size=256,
        clip=0.2,
        learning_rate=1e-3,
        schedule="linear",
        critic=Critic(hidden=(64, 64), learning_rate=1e-3),
    )
    policy = {"hidden": (64, 64)}
    return without_end(
        pg.Trainer("CartPole-v1", algorithm, seed=seed, num_envs=8, steps=steps, policy=policy)
    )


def ppo_pendulum_work(updates: int = 8) -> Work:
    """Steps per second of a whole training: collect, values, advantages, epochs."""

    def pgfast() -> Member:
        return Member(lambda: ppo_pendulum(updates=updates).train())

    def check(run: pg.Run) -> None:
        assert run.stopped == "steps"

    return Work(
        "PPO training, Pendulum-v1, 4 x 1024 steps, 2 epochs, B=256, 64x64 tanh float32",
        "step",
        updates * 4 * 1024,
        {"pgfast": pgfast},
        check,
    )


RUNS: dict[str, Callable[[int], pg.Trainer]] = {
    "ppo-pendulum-relu": lambda seed: ppo_pendulum(seed, "relu"),
    "ppo-pendulum-tanh": lambda seed: ppo_pendulum(seed, "tanh"),
    "ppo-cartpole": ppo_cartpole,
}


def timed(trainer: pg.Trainer, env: str) -> dict[str, Any]:
    """Seconds of training alone, steps, and the greedy policy's mean return over 100 episodes."""
    run = trainer.train()
    returns = pg.evaluate(run.policy, env, episodes=100, seed=1000)
    return {"seconds": run.seconds, "steps": trainer.steps, "return": float(returns.mean())}


def _memory_of(name: str) -> int:
    """A line of /proc/self/status, in bytes."""
    with open("/proc/self/status") as status:
        [line] = (line for line in status if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


MEMORY: dict[str, tuple[Callable[[int], pg.Algorithm], tuple[int, ...]]] = {
    "ppo": (lambda steps: pg.PPO(steps=steps, epochs=1), (1, 0, 0)),
    "a2c": (lambda steps: pg.A2C(steps=steps), (1, 0, 0)),
    "reinforce": (lambda episodes: pg.Reinforce(episodes=8 * episodes), (0, 0)),
}
"""The algorithm of a size; and the arrays that it keeps beside the rollout, by how many rows they
have more than its T: values, advantages and targets; returns and baseline."""


def _peak_of_run(name: str) -> dict[str, int]:
    """In this process, which should have done nothing else: what a run adds to its memory.

    The arrays are those of its largest batch.
    """
    make, more_rows = MEMORY[name]

    def trainer(num_envs: int, size: int) -> pg.Trainer:
        return without_end(
            pg.Trainer(
                "CartPole-v1",
                make(size),
                num_envs=num_envs,
                steps=4 * num_envs * size,
                policy={"hidden": (64, 64)},
            )
        )

    def arrays_of(batch: pg.Rollout) -> int:
        fields = [getattr(batch, field.name) for field in dataclasses.fields(batch)]
        T, N = batch.rewards.shape
        beside: int = sum((T + more) * N * batch.rewards.itemsize for more in more_rows)
        return beside + sum(int(x.nbytes) for x in fields if isinstance(x, np.ndarray))

    trainer(32, 8).train()  # what a first run loads and allocates once, whatever its size
    of_size = trainer(1024, 128)
    arrays = 0
    update = of_size.learner.update

    def noting(batch: pg.Rollout, progress: float = 0.0) -> dict[str, float]:
        nonlocal arrays
        arrays = max(arrays, arrays_of(batch))
        return update(batch, progress)

    of_size.learner.update = noting  # type: ignore[method-assign]
    with open("/proc/self/clear_refs", "w") as peak:
        peak.write("5")  # the peak begins anew, at what is in use now
    before = _memory_of("VmRSS")
    of_size.train()
    return {"before": before, "peak": _memory_of("VmHWM"), "arrays": arrays}


def peak_memory() -> dict[str, dict[str, int]]:
    """By algorithm, in processes of their own: bytes before a run, at its peak, of its arrays."""

    def of(name: str) -> dict[str, int]:
        result = subprocess.run(
            [sys.executable, "-m", "pgfast.benchmark.runs", f"memory-{name}"],
            check=True,
            capture_output=True,
            text=True,
        )
        answer: dict[str, int] = json.loads(result.stdout.splitlines()[-1])  # behind a rebuild's
        return answer

    return {name: of(name) for name in MEMORY}


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", choices=[*RUNS, *(f"memory-{name}" for name in MEMORY)])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    pg.set_num_threads(options.threads)
    if options.run.startswith("memory-"):
        answer: dict[str, Any] = _peak_of_run(options.run.removeprefix("memory-"))
    else:
        trainer = RUNS[options.run](options.seed)
        env = trainer.env_id
        assert env is not None
        answer = timed(trainer, env)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
