"""Runs every preset and writes the table of what was learned into the README.

python bench/learning.py                     all rows, seeds 0..9, into bench/learning.json
python bench/learning.py Pendulum-v1 --seeds 3    some of them, printed only
python bench/learning.py --table README.md   the table of the recorded runs, between its two marks

A run is `pgfast.train(environment, algorithm, seed=s)` with the shipped preset on one thread. It is
judged in Gymnasium's own environment where there is one, by the greedy policy's mean return over
100 episodes; on FrozenLake over 1000, because of the best policy's success of 0.74, 100 episodes
show less than 0.70 in one of five cases.
"""

import argparse
import json
import platform
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

import pgfast as pg
from pgfast.presets import preset

HERE = Path(__file__).parent
BEGIN, END = "<!-- learning: begin -->", "<!-- learning: end -->"
EPISODES = 100

Judge = Callable[[Any, int], dict[str, float]]


def in_gymnasium(id: str, episodes: int = EPISODES) -> Judge:
    """The greedy policy in the environment that the native one is named after."""

    def judge(policy: Any, seed: int) -> dict[str, float]:
        returns = pg.evaluate(policy, lambda: gym.make(id), episodes=episodes, seed=seed)
        return {"value": float(returns.mean())}

    return judge


def cost_ratio(policy: Any, seed: int) -> dict[str, float]:
    """Cost over that of the Riccati controller from the same 100 starts."""
    env = pg.make("LQR-v0")
    parameters = dict(env.native.parameters)
    optimum = pg.lqr_optimum(
        parameters.pop("A"),
        parameters.pop("B"),
        parameters.pop("Q"),
        parameters.pop("R"),
        horizon=env.max_episode_steps,
        **parameters,
    )
    gains = np.asarray(optimum.gains)[0]
    best = pg.GaussianPolicy(gains.shape[1], gains.shape[0], dtype=policy.dtype)
    best.theta[: gains.size] = -gains.T.ravel().astype(policy.dtype)
    ours, theirs = (
        pg.evaluate(p, "LQR-v0", episodes=EPISODES, seed=seed).mean() for p in (policy, best)
    )
    return {"value": float(ours / theirs)}


def against_the_predictor(policy: Any, seed: int) -> dict[str, float]:
    """Mean reward a round of the policy as it is, and its most frequent action."""
    returns = pg.evaluate(
        policy, "RockPaperScissors-v0", episodes=EPISODES, seed=seed, greedy=False
    )
    rounds = pg.make("RockPaperScissors-v0").max_episode_steps
    logits = policy.logits(np.ones((1, policy.observation_size), policy.dtype))[0]
    most = np.exp(pg.softmax_log_prob(np.tile(logits, (3, 1)), np.arange(3))).max()
    reward = float(returns.mean()) / rounds
    return {"value": reward if most <= 0.45 else -1.0, "most_frequent": float(most)}


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    env: str
    algorithm: str
    judge: Judge
    goal: float
    sign: int = 1
    """-1 where less is better."""
    seeds: int = 9
    """How many of 10 must reach the goal."""
    policy: dict[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def name(self) -> str:
        """What the row is called."""
        return f"{self.env} {self.algorithm}{' ' + self.note if self.note else ''}"


def _rows() -> list[Row]:
    rows = [
        Row("CartPole-v1", name, in_gymnasium("CartPole-v1"), 475)
        for name in ("reinforce", "a2c", "npg", "trpo", "ppo", "grpo", "compatible")
    ]
    rows += [
        Row("Acrobot-v1", name, in_gymnasium("Acrobot-v1"), -100)
        for name in ("ppo", "trpo", "npg", "a2c")
    ]
    rows += [
        Row("Pendulum-v1", name, in_gymnasium("Pendulum-v1"), -200)
        for name in ("ppo", "trpo", "npg")
    ]
    bins = {"discretize": 11}
    rows.append(
        Row("Pendulum-v1", "ppo", in_gymnasium("Pendulum-v1"), -200, policy=bins, note="11 bins")
    )
    id = "MountainCarContinuous-v0"
    rows.append(Row(id, "trpo", in_gymnasium(id), 90, seeds=8))
    rows += [Row("LQR-v0", name, cost_ratio, 1.05, sign=-1) for name in ("npg", "ppo")]
    rows += [
        Row("FrozenLake-v1", name, in_gymnasium("FrozenLake-v1", 1000), 0.70)
        for name in ("npg", "ppo")
    ]
    rows.append(Row("RockPaperScissors-v0", "reinforce", against_the_predictor, -0.05))
    return rows


ROWS = _rows()


def preset_of(row: Row) -> str:
    """What is recorded of the preset: the table is of those that are shipped, or out of date."""
    return repr(preset(row.env, row.algorithm))


def run(row: Row, seed: int) -> dict[str, Any]:
    """Train and judge once."""
    result = pg.train(row.env, row.algorithm, seed=seed, policy=row.policy)
    return {
        "seed": seed,
        "seconds": result.seconds,
        "steps": int(result.history["steps"][-1]),
        **row.judge(result.policy, 1000 + seed),
    }


def reached(row: Row, value: float) -> bool:
    """Whether a run's value reaches the goal."""
    return row.sign * value >= row.sign * row.goal


def line(row: Row, runs: list[dict[str, Any]]) -> str:
    """One row of the table."""
    values = np.array([r["value"] for r in runs])
    worst = row.sign * (row.sign * values).min()
    goal = f"{'≥' if row.sign > 0 else '≤'} {row.goal:g}"
    count = sum(reached(row, v) for v in values)
    cells = [
        row.env,
        row.algorithm + (f", {row.note}" if row.note else ""),
        goal,
        f"{count} of {len(runs)}",
        f"{np.median(values):.4g}",
        f"{worst:.4g}",
        f"{np.median([r['steps'] for r in runs]) / 1000:.0f} k",
        f"{np.median([r['seconds'] for r in runs]):.2g} s",
    ]
    return "| " + " | ".join(cells) + " |"


def table(record: dict[str, Any]) -> str:
    """The table of recorded runs."""
    header = [
        f"{record['machine']}; medians of seeds 0 to 9, one thread, the run's own checks included.",
        "",
        "| environment | algorithm | goal | seeds that reach it | median | worst | steps | time |",
        "|---|---|---|---|---|---|---|---|",
    ]
    rows = [line(row, record["runs"][row.name]) for row in ROWS if row.name in record["runs"]]
    return "\n".join(header + rows)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environments", nargs="*")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--table", type=Path)
    options = parser.parse_args()
    path = HERE / "learning.json"
    if options.table:
        text = table(json.loads(path.read_text()))
        readme = options.table.read_text()
        between = re.compile(f"{BEGIN}.*?{END}", re.DOTALL)
        options.table.write_text(between.sub(lambda _: f"{BEGIN}\n{text}\n{END}", readme))
        return
    pg.set_num_threads(1)
    runs: dict[str, Any] = {}
    for row in ROWS:
        if options.environments and row.env not in options.environments:
            continue
        runs[row.name] = [run(row, seed) for seed in range(options.seeds)]
        print(line(row, runs[row.name]), flush=True)
    if not options.environments and options.seeds == 10:  # what the table says
        cpu = next(
            (
                text.split(":")[1].strip()
                for text in Path("/proc/cpuinfo").read_text().splitlines()
                if text.startswith("model name")
            ),
            platform.processor(),
        )
        presets = {row.name: preset_of(row) for row in ROWS}
        record = {"machine": cpu, "pgfast": pg.__version__, "presets": presets, "runs": runs}
        path.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
