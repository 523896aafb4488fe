"""Whole training runs beside other libraries', each in a process of its own.

python bench/runs.py runs.json             all of them, for bench/results.py
python bench/runs.py runs.json --seeds 1   a short look

Peers are set up by bench/peers/setup.sh; one that is not is left out, and said so. Members take
turns, seed by seed, so that a machine that is busy for a while is so for all of them. What is
counted is training: no import, no compilation, no evaluation.
"""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgfast.benchmark import ONE_THREAD
from pgfast.benchmark.machine import describe
from pgfast.benchmark.runs import peak_memory

PEERS = Path(__file__).parent / "peers"
PENDULUM = "PPO on Pendulum-v1, 303,104 steps, 4 x 1024, 2 epochs, B=256, two 64x64 {} networks"
CARTPOLE = "PPO on CartPole-v1, 99,840 steps, 8 x 32, 20 epochs, B=256, two 64x64 tanh networks"


@dataclass(frozen=True)
class Program:
    """What runs in a process and prints a line of JSON: seconds, steps, return, versions."""

    group: str
    member: str
    command: tuple[str, ...]
    counted: str
    threads: int = 1
    seeds: int = 10


def pgfast(group: str, run: str, threads: int) -> Program:
    """One of pgfast.benchmark.runs."""
    module = ("-m", "pgfast.benchmark.runs", run, "--threads", str(threads), "--seed")
    counted = "Run.seconds: collect and update"
    return Program(group, "pgfast", (sys.executable, *module), counted, threads)


def rltools(activation: str, threads: int) -> Program:
    """The program that setup.sh has compiled."""
    kind = {"relu": "relu", "tanh": "fast_tanh"}[activation]
    program = str(PEERS / ".build-rltools" / f"ppo_pendulum_{kind}")
    counted = "the loop's steps: collect and train"
    return Program(PENDULUM.format(activation), "rltools", (program,), counted, threads)


def python(name: str, counted: str) -> Program:
    """A program in a peer's own environment."""
    interpreter = str(PEERS / f".venv-{name}" / "bin" / "python")
    command = (interpreter, str(PEERS / name / "ppo_cartpole.py"), "--seed")
    return Program(CARTPOLE, name, command, counted, seeds=3)


PROGRAMS = [
    *(
        program
        for activation in ("relu", "tanh")
        for threads in (1, 2)
        for program in (
            pgfast(PENDULUM.format(activation), f"ppo-pendulum-{activation}", threads),
            rltools(activation, threads),
        )
    ),
    pgfast(CARTPOLE, "ppo-cartpole", 1),
    pgfast(CARTPOLE, "ppo-cartpole", 2),
    python("stable-baselines3", "learn"),
    python("sbx", "learn, but for the first update, which compiles"),
]


def one(program: Program, seed: int) -> dict[str, Any]:
    """A run."""
    environment = {**os.environ, **ONE_THREAD}
    if program.member == "rltools":
        environment["OPENBLAS_NUM_THREADS"] = str(program.threads)
    result = subprocess.run(
        [*program.command, str(seed)], env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise RuntimeError(f"{program.member}: {result.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(result.stdout.strip().splitlines()[-1])
    return answer


def measure(seeds: int, only: str) -> dict[str, Any]:
    """Every program, seed by seed."""
    programs = [p for p in PROGRAMS if only in f"{p.group} {p.member}"]
    missing = [p for p in programs if not Path(p.command[0]).exists()]
    for name in sorted({p.member for p in missing}):
        print(f"{name} is left out: bench/peers/setup.sh {name}", flush=True)
    answers: dict[Program, list[dict[str, Any]]] = {p: [] for p in programs if p not in missing}
    for seed in range(seeds):
        for program, found in answers.items():
            if seed < program.seeds:
                found.append(one(program, seed))
                steps, seconds = found[-1]["steps"], found[-1]["seconds"]
                print(
                    f"{program.group}, {program.member}, {program.threads} threads, seed {seed}: "
                    f"{seconds:.3f} s, {steps / seconds:,.0f} steps/s, "
                    f"return {found[-1]['return']:.1f}",
                    flush=True,
                )
    runs = []
    for program, found in answers.items():
        [steps] = {answer["steps"] for answer in found}
        runs.append(
            {
                "group": program.group,
                "member": program.member,
                "threads": program.threads,
                "counted": program.counted,
                "steps": steps,
                "seconds": [answer["seconds"] for answer in found],
                "returns": [answer["return"] for answer in found],
                "versions": found[-1].get("versions", {}),
            }
        )
    return {
        "machine": describe(),
        "runs": runs,
        "missing": sorted({p.member for p in missing}),
        "versions": {name: version_of(name) for name in ("rltools", "stable-baselines3", "sbx-rl")},
        "memory": peak_memory(),
    }


def version_of(package: str) -> str:
    """The pinned one."""
    folder = {"sbx-rl": "sbx"}.get(package, package)
    lines = (PEERS / folder / "requirements.txt").read_text().splitlines()
    return next(line.split("==")[1] for line in lines if line.startswith(f"{package}=="))


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    options.out.write_text(json.dumps(measure(options.seeds, options.only), indent=1) + "\n")


if __name__ == "__main__":
    main()
