"""The command line: pgfast train | evaluate | envs | algorithms | info."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import tyro


def _train(
    env: tyro.conf.Positional[str],
    /,
    algorithm: str | None = None,
    seed: int = 0,
    steps: int | None = None,
    num_envs: int | None = None,
    threads: int | None = None,
    out: Path | None = None,
) -> int:
    """Train a policy until the environment is solved or the steps are used up.

    Args:
        env: Environment: an id of `pgfast envs`, or any of Gymnasium's.
        algorithm: One of `pgfast algorithms`. None: the environment's preset.
        seed: Same seed, same policy.
        steps: Environment steps after which training ends. None: the preset's.
        num_envs: Environments side by side. None: the preset's.
        threads: Threads. None: PGFAST_NUM_THREADS, else all processors.
        out: New directory for the run. None: a new one below runs/.
    """
    from rich.console import Console

    import pgfast
    from pgfast.checkpoint import check_new_directory
    from pgfast.training import NonFiniteError

    if threads is not None:
        pgfast.set_num_threads(threads)
    trainer = pgfast.Trainer(env, algorithm, seed=seed, steps=steps, num_envs=num_envs)
    target = check_new_directory(out or _free_directory(trainer.run))
    console = Console(highlight=False, soft_wrap=True)
    status = 0
    try:
        trainer.train(progress=console.is_terminal)
    except KeyboardInterrupt:
        status = 130
    except NonFiniteError as error:
        print(f"pgfast {error}", file=sys.stderr)
        status = 1
    run = trainer.run
    run.save(target)
    ends = {
        "solved": f"Solved after {trainer.steps:,} steps",
        "steps": f"Not solved after {trainer.steps:,} steps",
        "interrupted": f"Interrupted after {trainer.steps:,} steps",
        "non-finite": f"Stopped after {trainer.steps:,} steps",
    }
    console.print(f"{ends[run.stopped]} in {run.seconds:.2f} s ({run.algorithm}, seed {seed}).")
    if run.stopped == "solved":
        console.print(f"The greedy policy reaches the threshold {trainer.threshold:g} of {env}.")
    console.print(f"Run:    {target}")
    console.print(f"Policy: {target / 'policy.safetensors'}")
    return status


def _evaluate(
    run: tyro.conf.Positional[Path],
    /,
    episodes: int = 100,
    env: str | None = None,
    sample: bool = False,
    seed: int = 0,
) -> int:
    """Evaluate the policy of a run.

    Args:
        run: Directory of a run.
        episodes: How many.
        env: Another environment than the run's.
        sample: Sample actions instead of taking the most probable ones.
        seed: Of the environment.
    """
    import pgfast

    loaded = pgfast.load(run)
    env_id = env or loaded.env_id
    if env_id is None:
        raise ValueError("evaluate: the run does not name its environment, expected --env")
    returns = pgfast.evaluate(
        loaded.policy, env_id, episodes=episodes, greedy=not sample, seed=seed
    )
    print(
        f"{env_id}: mean return {returns.mean():.1f}, standard deviation {returns.std():.1f}, "
        f"min {returns.min():.1f}, max {returns.max():.1f}, {episodes} episodes"
    )
    return 0


def _envs() -> int:
    """List the native environments."""
    from pgfast.envs.native import NATIVE_ENVS

    print(f"{'id':<28}{'observations':>13}{'actions':>9}{'limit':>7}{'solved at':>11}")
    for env in NATIVE_ENVS.values():
        threshold = "" if env.reward_threshold is None else f"{env.reward_threshold:g}"
        print(
            f"{env.id:<28}{len(env.observation_high):>13}{env.actions:>9}"
            f"{env.max_episode_steps:>7}{threshold:>11}"
        )
    print("Any environment of Gymnasium with flat observations and discrete actions works too.")
    return 0


def _algorithms() -> int:
    """List the algorithms."""
    from pgfast.algorithms import ALGORITHMS

    for name, kind in ALGORITHMS.items():
        print(f"{name:<18}{(kind.__doc__ or '').splitlines()[0]}")
    return 0


def _info() -> int:
    """Tell how the core was built."""
    import pgfast

    for name, value in pgfast.build_info().items():
        print(f"{name:<12}{value}")
    return 0


def _free_directory(run: object) -> Path:
    """runs/ENV-ALGORITHM-SEED, or the first of -2, -3, ... that does not exist."""
    name = f"{run.env_id}-{run.algorithm}-{run.seed}".replace("/", "-")  # type: ignore[attr-defined]
    candidate, count = Path("runs") / name, 1
    while candidate.exists():
        count += 1
        candidate = Path("runs") / f"{name}-{count}"
    return candidate


def main() -> None:
    """Entry point of `pgfast`."""
    commands: dict[str, Callable[..., int]] = {
        "train": _train,
        "evaluate": _evaluate,
        "envs": _envs,
        "algorithms": _algorithms,
        "info": _info,
    }
    try:
        status: int = tyro.extras.subcommand_cli_from_dict(
            commands, prog="pgfast", description="Policy gradients on the CPU."
        )
    except (ValueError, TypeError, OSError) as error:
        print(f"pgfast {error}", file=sys.stderr)
        status = 2
    sys.exit(status)


if __name__ == "__main__":
    main()
