"""Every preset learns what the README's table says, here with the first seeds of the ten.

The table itself is made by bench/learning.py, with the same rows and the same judges.
"""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

import pgfast as pg

SEEDS = 3


@pytest.fixture(scope="module")
def learning():
    """The script of the table, as a module."""
    path = Path(__file__).parents[1] / "bench" / "learning.py"
    spec = importlib.util.spec_from_file_location("learning", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["learning"] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    yield module
    del sys.modules["learning"]


NAMES = (
    *(
        f"CartPole-v1 {name}"
        for name in ("reinforce", "a2c", "npg", "trpo", "ppo", "grpo", "compatible")
    ),
    *(f"Acrobot-v1 {name}" for name in ("ppo", "trpo", "npg", "a2c")),
    *(f"Pendulum-v1 {name}" for name in ("ppo", "trpo", "npg", "ppo 11 bins")),
    "MountainCarContinuous-v0 trpo",
    *(f"LQR-v0 {name}" for name in ("npg", "ppo")),
    *(f"FrozenLake-v1 {name}" for name in ("npg", "ppo")),
    "RockPaperScissors-v0 reinforce",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_preset_reaches_its_goal(name, learning):
    """At least two of three seeds; judged in Gymnasium's own environment where there is one."""
    row = next(row for row in learning.ROWS if row.name == name)
    values = [learning.run(row, seed)["value"] for seed in range(SEEDS)]
    assert sum(learning.reached(row, value) for value in values) >= SEEDS - 1, values


def test_the_rows_are_those_of_the_table(learning):
    assert [row.name for row in learning.ROWS] == list(NAMES)


def test_the_readmes_table_is_the_recorded_one_of_the_shipped_presets(learning):
    """bench/learning.py, then bench/learning.py --table README.md, after a preset is changed."""
    root = Path(__file__).parents[1]
    record = json.loads((root / "bench" / "learning.json").read_text())
    assert record["presets"] == {row.name: learning.preset_of(row) for row in learning.ROWS}
    readme = (root / "README.md").read_text()
    assert f"{learning.BEGIN}\n{learning.table(record)}\n{learning.END}" in readme


def test_deterministic_play_loses_to_the_predictor():
    """What the policy of rock, paper, scissors must avoid: each constant move loses 0.8 a round."""
    env = pg.make("RockPaperScissors-v0", num_envs=64, seed=0)
    for move in range(3):
        policy = pg.SoftmaxPolicy(env.single_observation_space.shape[0], 3)
        policy.theta[-3 + move] = 100
        returns = pg.evaluate(policy, "RockPaperScissors-v0", episodes=100)
        assert returns.mean() / env.max_episode_steps <= -0.8
