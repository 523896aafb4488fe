"""The command line, as a process: what it prints, what it leaves, how it ends."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import sysconfig
import termios
import time
from pathlib import Path

import numpy as np
import pytest

import pgfast as pg
from pgfast.algorithms import ALGORITHMS
from pgfast.envs.native import NATIVE_ENVS

COMMANDS = ["train", "evaluate", "bench", "envs", "algorithms", "info"]
RUN_FILES = ["history.csv", "policy.safetensors", "run.json"]
ENVIRONMENT = {**os.environ, "COLUMNS": "80", "LINES": "24", "TERM": "xterm"}
PATIENCE = 60  # seconds, for a machine that is busy

# The command line with environments of its own: Marks-v0 is never solved and tells by a file that
# it is stepped, Poison-v0 pays NaN from its 25th step on, Fails-v0 raises in it, Lacking-v0 can't
# be made, and Cards-v0 observes a Dict.
WRAPPER = """
import pathlib
import sys

import gymnasium as gym
import numpy as np


class Marks(gym.Env):
    observation_space = gym.spaces.Box(-1, 1, (2,), np.float32)
    action_space = gym.spaces.Discrete(2)
    poison = 10**18

    def __init__(self):
        self.life = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return np.ones(2, np.float32), {}

    def step(self, action):
        self.t += 1
        self.life += 1
        pathlib.Path("stepped").touch()
        reward = float("nan") if self.life >= self.poison else float(action)
        return np.ones(2, np.float32), reward, self.t == 5, False, {}


class Poison(Marks):
    poison = 25


class Fails(Marks):
    def step(self, action):
        if self.life == 24:
            raise ValueError("no power")
        return super().step(action)


class Cards(Marks):
    observation_space = gym.spaces.Dict(
        card=gym.spaces.Discrete(3), left=gym.spaces.Box(0, 1, (2, 2))
    )

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return {"card": 1, "left": np.ones((2, 2), np.float32)}, {}

    def step(self, action):
        _, *rest = super().step(action)
        return {"card": 1, "left": np.ones((2, 2), np.float32)}, *rest


def lacking():
    raise gym.error.DependencyNotInstalled("the simulator is not installed")


for name, entry in {
    "Marks-v0": Marks,
    "Poison-v0": Poison,
    "Fails-v0": Fails,
    "Cards-v0": Cards,
    "Lacking-v0": lacking,
}.items():
    gym.register(name, entry, disable_env_checker=True)
sys.argv[0] = "pgfast"
from pgfast.cli import main

main()
"""
PGFAST = [sys.executable, "-m", "pgfast.cli"]
WRAPPED = [sys.executable, "-c", WRAPPER]


def pgfast(*arguments, cwd, program=PGFAST):
    """Run a command to its end; its output must fit a terminal of 80 columns."""
    result = subprocess.run(
        [*program, *map(str, arguments)],
        cwd=cwd,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    result.stdout, result.stderr = plain(result.stdout), plain(result.stderr)
    return result


def plain(text):
    """Text without the terminal's control sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def too_wide(text, columns=80):
    """The lines that a terminal would wrap."""
    return [line for line in re.split(r"[\r\n]+", text) if len(line) > columns]


def assert_refused(result, *words, status=2):
    """The exit status, a message on stderr that has the words, and no traceback."""
    assert result.returncode == status, result
    for word in words:
        assert word in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1, result.stderr


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """The directory of a solved run, and what training it printed."""
    cwd = tmp_path_factory.mktemp("solved")
    result = pgfast("train", "CartPole-v1", "--algorithm", "reinforce", "--out", "run", cwd=cwd)
    return cwd / "run", result


# --- train ----------------------------------------------------------------------------------------


def test_train_solves_cartpole_and_says_where_the_policy_is(solved):
    """Exit status 0, the threshold, the steps, and a path at which there is a policy."""
    directory, result = solved
    assert result.returncode == 0
    assert result.stderr == ""
    run = pg.load(directory)
    assert run.stopped == "solved"
    assert f"Solved after {run.solved_at:,} steps" in result.stdout
    assert "475" in result.stdout
    [path] = re.findall(r"Policy: *(\S+)", result.stdout)
    assert path == str(Path("run") / "policy.safetensors")
    pg.SoftmaxPolicy.load(directory.parent / path)
    assert too_wide(result.stdout) == []


def test_train_gives_the_policy_of_the_python_function(tmp_path):
    """The options reach `pgfast.train`: θ is equal with ==, and threads change nothing."""
    options = ["--algorithm", "npg", "--seed", 3, "--steps", 2_000, "--num-envs", 16]
    result = pgfast("train", "CartPole-v1", *options, "--threads", 3, "--out", "run", cwd=tmp_path)
    assert result.returncode == 0
    run = pg.train("CartPole-v1", "npg", seed=3, steps=2_000, num_envs=16)
    saved = pg.load(tmp_path / "run")
    assert (saved.policy.theta == run.policy.theta).all()
    assert (saved.algorithm, saved.seed) == ("npg", 3)


def test_train_makes_a_new_directory_each_time(tmp_path):
    """Without --out: runs/ENV-ALGORITHM-SEED, then -2; exit status 0 though it is not solved."""
    arguments = ["train", "CartPole-v1", "--algorithm", "trpo", "--seed", 9, "--steps", 1]
    for _ in range(2):
        result = pgfast(*arguments, cwd=tmp_path)
        assert result.returncode == 0
        assert "Not solved after" in result.stdout
        assert too_wide(result.stdout) == []
    names = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert names == ["CartPole-v1-trpo-9", "CartPole-v1-trpo-9-2"]
    for name in names:
        assert sorted(os.listdir(tmp_path / "runs" / name)) == RUN_FILES
        assert pg.load(tmp_path / "runs" / name).stopped == "steps"


def test_train_writes_to_an_empty_directory_that_it_stands_in(tmp_path):
    """--out . where there is nothing yet."""
    result = pgfast("train", "CartPole-v1", "--steps", 1, "--out", ".", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert sorted(os.listdir(tmp_path)) == RUN_FILES


def test_train_does_not_write_over_a_run(solved):
    """An --out that holds a run is refused before training, and stays as it is."""
    directory, _ = solved
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    result = pgfast("train", "CartPole-v1", "--out", "run", cwd=directory.parent)
    assert_refused(result, "run already holds a run, expected a new directory")
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before
    assert os.listdir(directory.parent) == ["run"]


def test_train_tells_before_training_that_it_could_not_save(tmp_path):
    """An --out that can't be made is refused before the first step, not after the last one."""
    (tmp_path / "file").touch()
    result = pgfast(
        "train", "Marks-v0", "--steps", 1, "--out", "file/run", cwd=tmp_path, program=WRAPPED
    )
    assert_refused(result, "file")
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["CartPol-v1"], ["env is 'CartPol-v1'", "'CartPole-v1'"]),
        (["CartPole-v1", "--algorithm", "nqg"], ["algorithm is 'nqg'", "'npg'"]),
        (["CartPole-v1", "--seed", "-1"], ["seed is -1, expected 0 <= seed"]),
        (["CartPole-v1", "--threads", "0"], ["n is 0, expected at least 1"]),
        (["Blackjack-v1"], ["observations Tuple", "flatten"]),
    ],
)
def test_train_refuses_bad_arguments(tmp_path, arguments, words):
    """Exit status 2, one line on stderr, no traceback, no directory left."""
    assert_refused(pgfast("train", *arguments, cwd=tmp_path), *words)
    assert os.listdir(tmp_path) == []


def test_train_tells_what_an_environment_lacks(tmp_path):
    """A package that the environment needs and that is not installed: a line, no traceback."""
    result = pgfast("train", "Lacking-v0", cwd=tmp_path, program=WRAPPED)
    assert_refused(result, "the simulator is not installed")


def test_train_stops_at_a_number_that_is_not_finite_and_saves(tmp_path):
    """Exit status 1, the reason on stderr, and the last good policy in the directory."""
    result = pgfast(
        *["train", "Poison-v0", "--algorithm", "policy-gradient", "--num-envs", 8, "--out", "run"],
        cwd=tmp_path,
        program=WRAPPED,
    )
    assert result.returncode == 1
    assert "rewards is nan in update 1" in result.stderr
    assert "Traceback" not in result.stderr
    assert "Stopped after" in result.stdout
    run = pg.load(tmp_path / "run")
    assert run.stopped == "non-finite"
    assert np.isfinite(run.policy.theta).all()


def test_train_keeps_the_policy_where_an_environment_fails(tmp_path):
    """Exit status 1, which environment and step on stderr, and the last policy in the directory."""
    result = pgfast(
        *["train", "Fails-v0", "--algorithm", "policy-gradient", "--num-envs", 2, "--out", "run"],
        cwd=tmp_path,
        program=WRAPPED,
    )
    assert result.returncode == 1
    assert "environment 0 raised ValueError in step 5 of its episode: no power" in result.stderr
    assert "Traceback" not in result.stderr
    assert "Stopped after 0 steps" in result.stdout
    assert pg.load(tmp_path / "run").stopped == "failed"


def test_train_and_evaluate_flattened_observations(tmp_path):
    """Refused without --flatten; in processes with --workers; evaluated without being told."""
    train = ["train", "Cards-v0", "--algorithm", "policy-gradient", "--steps", 50, "--out", "run"]
    result = pgfast(*train, cwd=tmp_path, program=WRAPPED)
    assert_refused(result, "flattened they are 7 numbers (train: flatten=True)")
    result = pgfast(*train, "--flatten", "--workers", 2, cwd=tmp_path, program=WRAPPED)
    assert result.returncode == 0, result
    assert "Ended after" in result.stdout
    result = pgfast("evaluate", "run", "--episodes", 3, cwd=tmp_path, program=WRAPPED)
    assert result.returncode == 0, result
    assert "Cards-v0: mean return" in result.stdout


# --- Ctrl-C ---------------------------------------------------------------------------------------


def wait_until(condition, process):
    """Wait for something that the process does; fail where it ends before."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


def hear_interrupts():
    """In the child: a shell's background job, as CI may be one, is started with SIGINT ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_interrupt_saves_the_policy(tmp_path):
    """SIGINT during training: exit status 130, a run that loads, and no traceback."""
    arguments = ["train", "Marks-v0", "--num-envs", "2", "--steps", str(10**9), "--out", "run"]
    process = subprocess.Popen(
        [*WRAPPED, *arguments],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_interrupts,
    )
    try:
        wait_until((tmp_path / "stepped").exists, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert err == ""
    assert "Interrupted after" in out
    run = pg.load(tmp_path / "run")
    assert run.stopped == "interrupted"
    assert np.isfinite(run.policy.theta).all()


def test_interrupt_on_a_terminal_ends_the_progress_and_saves(tmp_path):
    """On a terminal of 80 columns: progress is shown, SIGINT ends it, the run has the updates."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    # MountainCar's goal is out of reach for it: every return is −200, and so is every baseline.
    arguments = ["train", "MountainCar-v0", "--algorithm", "reinforce", "--num-envs", "4"]
    process = subprocess.Popen(
        [*PGFAST, *arguments, "--steps", str(10**9), "--out", "run"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=hear_interrupts,
    )
    os.close(theirs)
    text = ""
    try:
        end = time.monotonic() + PATIENCE
        interrupted = False
        while time.monotonic() < end:
            if not select.select([ours], [], [], 0.1)[0]:
                continue
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            text += part.decode(errors="replace")
            if not interrupted and "-200.0" in text and "steps/s" in text:
                process.send_signal(signal.SIGINT)
                interrupted = True
        status = process.wait(timeout=PATIENCE)
    finally:
        process.kill()
        os.close(ours)
    shown = plain(text)
    assert status == 130, shown
    assert "Traceback" not in shown
    assert "MountainCar-v0 reinforce" in shown
    assert too_wide(shown) == []
    run = pg.load(tmp_path / "run")
    assert run.stopped == "interrupted"
    assert len(run.history.rows) >= 1
    assert f"Interrupted after {run.history['steps'][-1]:,.0f} steps" in shown


def test_interrupt_of_an_evaluation_is_quiet(tmp_path):
    """SIGINT while a run is evaluated: exit status 130, no traceback."""
    arguments = ["Marks-v0", "--num-envs", 2, "--steps", 1, "--out", "run"]
    assert pgfast("train", *arguments, cwd=tmp_path, program=WRAPPED).returncode == 0
    (tmp_path / "stepped").unlink()
    process = subprocess.Popen(
        [*WRAPPED, "evaluate", "run", "--episodes", str(10**6)],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_interrupts,
    )
    try:
        wait_until((tmp_path / "stepped").exists, process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert "Traceback" not in err


# --- evaluate -------------------------------------------------------------------------------------


def test_evaluate_prints_the_returns_of_the_python_function(solved):
    """Mean, spread and extremes are those of `pgfast.evaluate` with the same seed."""
    directory, _ = solved
    result = pgfast("evaluate", "run", "--episodes", 7, "--seed", 5, cwd=directory.parent)
    assert result.returncode == 0
    returns = pg.evaluate(pg.load(directory).policy, "CartPole-v1", episodes=7, seed=5)
    for number in (returns.mean(), returns.std(), returns.min(), returns.max()):
        assert f"{number:.4g}" in result.stdout
    assert "CartPole-v1" in result.stdout
    assert "7 episodes" in result.stdout


def test_evaluate_fits_the_terminal(solved):
    """No line is longer than 80 columns."""
    directory, _ = solved
    result = pgfast("evaluate", "run", cwd=directory.parent)
    assert result.returncode == 0
    assert too_wide(result.stdout) == []


def test_evaluate_samples_where_it_is_asked_to(solved):
    """--sample gives the returns of the sampled policy."""
    directory, _ = solved
    result = pgfast("evaluate", "run", "--episodes", 20, "--sample", cwd=directory.parent)
    policy = pg.load(directory).policy
    returns = pg.evaluate(policy, "CartPole-v1", episodes=20, greedy=False)
    assert f"mean return {returns.mean():.4g}" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gone"], ["gone", "expected a run"]),
        (["run", "--episodes", "0"], ["episodes is 0, expected at least 1"]),
        (["run", "--env", "CartPol-v1"], ["env is 'CartPol-v1'", "'CartPole-v1'"]),
        (["run", "--env", "Acrobot-v1"], ["the policy has 4 observations", "expected 6"]),
    ],
)
def test_evaluate_refuses_bad_arguments(solved, arguments, words):
    """Exit status 2, one line on stderr, no traceback."""
    directory, _ = solved
    assert_refused(pgfast("evaluate", *arguments, cwd=directory.parent), *words)


def test_evaluate_tells_a_broken_run(solved, tmp_path):
    """A policy file that is cut short: exit status 2 and the file's name."""
    directory, _ = solved
    (tmp_path / "run").mkdir()
    for name in RUN_FILES:
        content = (directory / name).read_bytes()
        (tmp_path / "run" / name).write_bytes(content[:-1] if "policy" in name else content)
    result = pgfast("evaluate", "run", cwd=tmp_path)
    assert_refused(result, "policy.safetensors is no whole safetensors file")


MODULE = """
import gymnasium as gym
from gymnasium.envs.classic_control import CartPoleEnv

gym.register("Mine-v0", CartPoleEnv, max_episode_steps=20)
"""


def test_an_environment_of_a_module_that_lies_here(tmp_path):
    """A run's file alone has no module imported."""
    (tmp_path / "mine.py").write_text(MODULE)
    installed = [sys.executable, "-P", "-c", "from pgfast.cli import main; main()"]
    settings = {"cwd": tmp_path, "program": installed}
    result = pgfast("train", "mine:Mine-v0", "--steps", 200, "--out", "run", **settings)
    assert "Evaluate: pgfast evaluate run --env mine:Mine-v0" in result.stdout, result
    assert_refused(pgfast("evaluate", "run", **settings), "expected --env mine:Mine-v0")
    result = pgfast("evaluate", "run", "--env", "mine:Mine-v0", **settings)
    assert "mine:Mine-v0: mean return" in result.stdout, result
    words = ("env is 'gone:Mine-v0', expected a module", "No module named 'gone'")
    assert_refused(pgfast("train", "gone:Mine-v0", **settings), *words)
    assert_refused(pgfast("train", "mine:Min-v0", **settings), "'Mine-v0'")


def test_an_episode_that_never_ends_is_told(tmp_path):
    pg.train("CliffWalking-v1", "ppo", steps=1, num_envs=1).save(tmp_path / "run")
    run = pg.load(tmp_path / "run")
    run.policy.theta[:] = 0  # goes up for ever
    run.save(tmp_path / "still")
    assert_refused(pgfast("evaluate", "still", cwd=tmp_path), "has not ended after 1048576 steps")


# --- bench ----------------------------------------------------------------------------------------


def test_bench_prints_the_table_and_writes_the_figures(tmp_path):
    """The machine, a line of the work, the memory; the same figures as JSON."""
    result = pgfast("bench", "--only", "ppo training", "--json", "bench.json", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    for word in ("GFLOP/s", "GB/s", "PPO training", "steps/s", "numpy", "MB"):
        assert word in result.stdout
    assert too_wide(result.stdout) == []
    record = json.loads((tmp_path / "bench.json").read_text())
    assert set(record) == {"machine", "memory", "rows", "failed"}
    assert record["failed"] == {}
    assert {row["member"] for row in record["rows"]} == {"pgfast"}
    assert all(row["timing"]["median"] > 0 for row in record["rows"])
    assert record["machine"]["build"]["version"] == pg.__version__
    assert re.fullmatch("[0-9a-f]{16}", record["machine"]["extension"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "warp drive"], ["only is 'warp drive'", "no work"]),
        (["--json", "gone/bench.json"], ["json is 'gone/bench.json'", "existing directory"]),
        (["--json", "."], ["json is '.'", "expected a file"]),
        (["--seconds", "0"], ["seconds is 0.0", "expected a positive number"]),
    ],
)
def test_bench_refuses_bad_arguments(tmp_path, arguments, words):
    """Exit status 2, one line on stderr, no traceback."""
    assert_refused(pgfast("bench", *arguments, cwd=tmp_path), *words)


# --- the rest -------------------------------------------------------------------------------------


def test_envs_lists_every_native_environment(tmp_path):
    """One line each, within 80 columns."""
    result = pgfast("envs", cwd=tmp_path)
    assert result.returncode == 0
    for env_id in NATIVE_ENVS:
        assert len(re.findall(rf"^{re.escape(env_id)} ", result.stdout, re.MULTILINE)) == 1
    assert too_wide(result.stdout) == []


def test_algorithms_lists_every_algorithm(tmp_path):
    """One line each, within 80 columns."""
    result = pgfast("algorithms", cwd=tmp_path)
    assert result.returncode == 0
    for name in ALGORITHMS:
        assert len(re.findall(rf"^{re.escape(name)} +\w", result.stdout, re.MULTILINE)) == 1
    assert too_wide(result.stdout) == []


def test_info_tells_how_the_core_was_built(tmp_path):
    """Every entry of `build_info`, within 80 columns."""
    result = pgfast("info", cwd=tmp_path)
    assert result.returncode == 0
    for name, value in pg.build_info().items():
        words = r"\s+".join(re.escape(word) for word in str(value).split())
        assert re.search(rf"^{name}\s+{words}$", result.stdout, re.MULTILINE), name
    assert too_wide(result.stdout) == []


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_fits_the_terminal(tmp_path, command):
    """--help of the program and of each command: exit status 0, a description, 80 columns."""
    result = pgfast(*([command] if command else []), "--help", cwd=tmp_path)
    assert result.returncode == 0
    assert result.stderr == ""
    assert result.stdout.startswith("usage: pgfast" + (f" {command}" if command else ""))
    assert too_wide(result.stdout) == []
    options = {
        None: COMMANDS,
        "train": [
            *["--algorithm", "--seed", "--steps", "--num-envs", "--workers", "--flatten"],
            *["--threads", "--out"],
        ],
        "evaluate": ["--episodes", "--env", "--sample", "--seed"],
        "bench": ["--only", "--seconds", "--json"],
    }
    for option in options.get(command, []):
        assert option in result.stdout


@pytest.mark.parametrize("arguments", [[], ["trian", "CartPole-v1"], ["train"], ["info", "--fast"]])
def test_a_command_line_that_is_none_is_refused(tmp_path, arguments):
    """Exit status 2 and help on stderr, within 80 columns."""
    result = pgfast(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert "--help" in result.stderr
    assert "Traceback" not in result.stderr
    assert too_wide(result.stderr) == []


def test_the_console_script_is_installed(tmp_path):
    """`pgfast` is on the path of the installation and does the same."""
    script = Path(sysconfig.get_path("scripts")) / "pgfast"
    result = pgfast("info", cwd=tmp_path, program=[str(script)])
    assert result.returncode == 0
    assert pg.__version__ in result.stdout
    assert result.stdout == pgfast("info", cwd=tmp_path).stdout
