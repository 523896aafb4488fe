"""The command line: pgfast train | evaluate | bench | envs | algorithms | info."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from pgfast.training import Trainer

Env = Annotated[
    str, tyro.conf.arg(name="env", metavar="ENV", help_behavior_hint=""), tyro.conf.Positional
]
RunPath = Annotated[
    Path, tyro.conf.arg(name="run", metavar="RUN", help_behavior_hint=""), tyro.conf.Positional
]


def _train(
    env: Env,
    /,
    algorithm: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")] = None,
    seed: Annotated[int, tyro.conf.arg(metavar="N")] = 0,
    steps: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="")] = None,
    num_envs: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="")] = None,
    workers: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="")] = None,
    flatten: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
    threads: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="")] = None,
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="")] = None,
) -> int:
    """Train a policy until the environment is solved or the steps are used up.

    Args:
        env: Environment: an id of `pgfast envs`, or one of Gymnasium's.
        algorithm: One of `pgfast algorithms`; by default the environment's preset.
        seed: Same seed, same policy.
        steps: Environment steps after which training ends; by default the preset's.
        num_envs: Environments side by side; by default the preset's.
        workers: Processes in which environments written in Python step; by default none.
        flatten: Make vectors of observations that are none.
        threads: Threads; by default PGFAST_NUM_THREADS, else all processors.
        out: New directory for the run; by default a new one below runs/.
    """
    import pgfast
    from pgfast.checkpoint import check_new_directory
    from pgfast.envs.failure import EnvError
    from pgfast.training import NonFiniteError

    if threads is not None:
        pgfast.set_num_threads(threads)
    trainer = pgfast.Trainer(
        env,
        algorithm,
        seed=seed,
        steps=steps,
        num_envs=num_envs,
        workers=workers,
        flatten=flatten,
    )
    target = out or _free_directory(trainer)
    check_new_directory(target)
    target.mkdir(parents=True, exist_ok=True)  # taken: nobody else will choose it
    status = 0
    try:
        trainer.train(progress=sys.stdout.isatty())
    except KeyboardInterrupt:
        status = 130
    except (NonFiniteError, EnvError) as error:
        print(f"pgfast: {error}", file=sys.stderr)
        status = 1
    finally:  # an environment that fails does not take the policy with it
        trainer.run.save(target)
        trainer.close()
    print(_ending(trainer))
    print(f"Policy:   {target / 'policy.safetensors'}")
    module = f" --env {trainer.env_id}" if ":" in (trainer.env_id or "") else ""
    print(f"Evaluate: pgfast evaluate {target}{module}")
    return status


def _evaluate(
    run: RunPath,
    /,
    episodes: Annotated[int, tyro.conf.arg(metavar="N")] = 100,
    env: Annotated[str | None, tyro.conf.arg(metavar="ENV", help_behavior_hint="")] = None,
    sample: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
    seed: Annotated[int, tyro.conf.arg(metavar="N")] = 0,
) -> int:
    """Evaluate the policy of a run.

    Args:
        run: Directory of a run.
        episodes: How many episodes to run.
        env: Another environment than the run's.
        sample: Sample actions instead of taking the most probable ones.
        seed: Seed of the environment.
    """
    import pgfast

    loaded = pgfast.load(run.parent if run.name == "policy.safetensors" else run)
    env_id = env or loaded.env_id
    if env_id is None:
        raise ValueError("evaluate: the run does not name its environment, expected --env")
    if env is None and ":" in env_id:  # a file may not have a module imported, which runs it
        raise ValueError(f"evaluate: the run's environment is in a module, expected --env {env_id}")
    returns = pgfast.evaluate(
        loaded.policy, env_id, episodes=episodes, greedy=not sample, seed=seed
    )
    print(f"{env_id}: mean return {_told(returns.mean())} over {episodes} episodes")
    std, least, most = map(_told, (returns.std(), returns.min(), returns.max()))
    print(f"std {std}, min {least}, max {most}")
    return 0


def _bench(
    only: Annotated[str, tyro.conf.arg(metavar="WORD", help_behavior_hint="")] = "",
    seconds: Annotated[float, tyro.conf.arg(metavar="SECONDS")] = 0.1,
    json: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")] = None,
) -> int:
    """Measure pgfast on this machine, beside its limits and other libraries.

    Args:
        only: Measure only what has this in its name; by default all.
        seconds: How long to time each; on a machine that is shared more is truer.
        json: File for all figures.
    """
    import subprocess

    from pgfast.benchmark import ONE_THREAD

    if json is not None and (json.is_dir() or not json.absolute().parent.is_dir()):
        raise ValueError(f"bench: json is {str(json)!r}, expected a file in an existing directory")
    if not 0 < seconds < float("inf"):
        raise ValueError(f"bench: seconds is {seconds}, expected a positive number")
    command = [sys.executable, "-m", "pgfast.benchmark", "--only", only]
    command += ["--seconds", str(seconds)]
    command += [] if json is None else ["--json", str(json)]
    return subprocess.call(command, env={**os.environ, **ONE_THREAD})


def _envs() -> int:
    """List the native environments."""
    from pgfast.envs.native import NATIVE_ENVS

    print(f"{'id':<28}{'observations':>13}{'actions':>13}{'limit':>7}{'solved at':>11}")
    for env in NATIVE_ENVS.values():
        threshold = "" if env.reward_threshold is None else f"{env.reward_threshold:g}"
        print(
            f"{env.id:<28}{env.observation!s:>13}{env.action!s:>13}"
            f"{env.max_episode_steps or '':>7}{threshold:>11}"
        )
    print("Every other environment of Gymnasium's is taken by its id, too.")
    return 0


def _algorithms() -> int:
    """List the algorithms."""
    from pgfast.algorithms import ALGORITHMS

    for name, kind in ALGORITHMS.items():
        print(f"{name:<18}{(kind.__doc__ or '').splitlines()[0]}")
    return 0


def _info() -> int:
    """Tell how the core was built."""
    import textwrap

    import pgfast

    for name, value in pgfast.build_info().items():
        lines = textwrap.wrap(str(value), 66, break_on_hyphens=False) or [""]
        print(f"{name:<12}{lines[0]}")
        for line in lines[1:]:
            print(f"{'':<12}{line}")
    return 0


def _told(value: float) -> str:
    """A return: with one decimal, or four digits where it is small."""
    return f"{value:.1f}" if abs(value) >= 1000 else f"{value:.4g}"


def _ending(trainer: Trainer) -> str:
    """How a run ended, in a line or two."""
    run = trainer.run
    ends = {
        "solved": "Solved",
        "steps": "Not solved",
        "interrupted": "Interrupted",
        "non-finite": "Stopped",
        "failed": "Stopped",
    }
    end = "Ended" if run.stopped == "steps" and trainer.threshold is None else ends[run.stopped]
    seconds = run.seconds
    time = f"{seconds:.2f} s" if seconds >= 0.1 else f"{1000 * seconds:.1f} ms"
    text = f"{end} after {trainer.steps:,} steps in {time} ({run.algorithm}).\n"
    if run.stopped in ("solved", "steps") and trainer.greedy_return is not None:
        return text + (
            f"Greedy policy: mean return {_told(trainer.greedy_return)} over 100 episodes, "
            f"solved at {trainer.threshold:g}."
        )
    if run.history.rows:
        return (
            text + f"The last batch had a mean return of {_told(run.history['mean_return'][-1])}."
        )
    return text + "No update was finished."


def _free_directory(trainer: Trainer) -> Path:
    """runs/ENV-ALGORITHM-SEED, or the first of -2, -3, ... that does not exist."""
    run = trainer.run
    name = f"{run.env_id}-{run.algorithm}-{run.seed}".replace("/", "-")
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
        "bench": _bench,
        "envs": _envs,
        "algorithms": _algorithms,
        "info": _info,
    }
    if sys.argv[1:] == ["--version"]:
        from pgfast.build import __version__

        print(f"pgfast {__version__}")
        sys.exit(0)
    sys.path.append(os.getcwd())  # the last: "module:id" finds a module that lies here
    try:
        status: int = tyro.extras.subcommand_cli_from_dict(
            commands, prog="pgfast", description="Policy gradients on the CPU."
        )
    except KeyboardInterrupt:
        status = 130
    except (ValueError, TypeError, OSError, MemoryError, RuntimeError) as error:
        print(f"pgfast: {error}", file=sys.stderr)
        status = 2
    except Exception as error:
        # Gymnasium's own errors (a dependency that is missing, say); the module may not be loaded.
        gymnasium = sys.modules.get("gymnasium")
        if gymnasium is None or not isinstance(error, gymnasium.error.Error):
            raise
        print(f"pgfast: {error}", file=sys.stderr)
        status = 2
    sys.exit(status)


if __name__ == "__main__":
    main()
