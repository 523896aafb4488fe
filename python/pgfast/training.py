"""Training runs: collect, update, until solved or out of steps."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pgfast._typing import as_count, as_seed
from pgfast.algorithms import Algorithm
from pgfast.envs.adapter import begin_anew
from pgfast.envs.collect import check_policy
from pgfast.envs.failure import EnvError
from pgfast.envs.policy_for import policy_for
from pgfast.envs.source import EnvLike, close, source
from pgfast.episode_returns import EpisodeReturns
from pgfast.evaluation import check_policy_type
from pgfast.logging import History, Progress
from pgfast.policy import Policy
from pgfast.presets import preset
from pgfast.run import Run, Stop, name_of, settings_of
from pgfast.solved import Solved


class NonFiniteError(ArithmeticError):
    """An update gave NaN or infinity; the policy holds the θ from before it."""


class Trainer:
    """A training run, update by update, for those who want a loop of their own.

    Parameters: as for `train`.
    """

    def __init__(
        self,
        env: EnvLike,
        algorithm: str | Algorithm | None = None,
        *,
        seed: int = 0,
        policy: Policy | Mapping[str, Any] | None = None,
        prior: Policy | None = None,
        num_envs: int | None = None,
        steps: int | None = None,
        workers: int | None = None,
        flatten: bool = False,
    ) -> None:
        origin = source("train", env)
        settings: Mapping[str, Any] = {}
        if isinstance(policy, Mapping):
            if prior is not None:
                raise TypeError(
                    "train: policy is settings of a new one, but prior already is the policy to "
                    "start from, expected one of the two"
                )
            settings, policy = policy, None
        for given in (policy, prior):
            if given is not None:
                check_policy_type("train", given)
        if policy is None and prior is not None:
            policy = prior.copy()
            policy.seed, policy.draws = as_seed("train", seed), 0
        if algorithm is not None and not isinstance(algorithm, (str, Algorithm)):
            what = algorithm.__name__ if isinstance(algorithm, type) else type(algorithm).__name__
            raise TypeError(
                f"train: algorithm is {what}, expected a name or settings like NPG(kl_radius=0.1)"
            )
        if num_envs is not None and not origin.makes:
            raise TypeError("train: num_envs goes with an id, but env is already an environment")
        self.seed = as_seed("train", seed)
        self.env_id = origin.id
        named = algorithm if isinstance(algorithm, str) or algorithm is None else None
        known = preset(self.env_id, named or name_of(algorithm))
        self.algorithm = algorithm if isinstance(algorithm, Algorithm) else known.algorithm
        self.total_steps = as_count("train", "steps", known.steps if steps is None else steps)
        workers = None if workers is None else as_count("train", "workers", workers)
        side_by_side = workers or known.num_envs
        count = as_count("train", "num_envs", side_by_side if num_envs is None else num_envs)
        settings = {"seed": self.seed, "flatten": flatten, **known.policy, **settings}
        dtype = policy.dtype if policy else settings.get("dtype", np.float32)
        self._origin = origin
        self.env = origin.open(num_envs=count, seed=self.seed, dtype=dtype, workers=workers)
        try:
            self.policy = policy or policy_for(self.env, **settings)
            check_policy(self.env, self.policy)
            begin_anew(self.env)
            self.learner = self.algorithm.learner(self.policy, prior)
        except BaseException:
            if origin.makes:
                close(self.env)
            raise
        self._solved = Solved(origin, self.policy, self.seed, workers)
        threshold = origin.threshold if known.threshold is None else known.threshold
        self.threshold = None if threshold == np.inf else threshold

        self.history = History()
        self._returns = EpisodeReturns()
        self.steps = self.episodes = 0
        self.seconds = 0.0
        self.solved_at: int | None = None
        self.stopped: Stop = "interrupted"

    def update(self) -> dict[str, float]:
        """Collect a batch, learn from it, and look whether the environment is solved.

        Returns:
            The row that was added to the history.

        Raises:
            NonFiniteError: an update gave NaN or infinity; θ is what it was before.
            EnvError: the environment raised; so is θ then.
        """
        begin = time.perf_counter()
        before = self.policy.theta.copy()
        stats, mean_return = self._learn(before)
        row = {
            "update": float(len(self.history.rows) + 1),
            "steps": float(self.steps),
            "episodes": float(self.episodes),
            "mean_return": mean_return,
            "seconds": self.seconds + time.perf_counter() - begin,
            **stats,
        }
        self.history.append(row)  # before the look: an interrupted one takes no update with it
        if self._is_time_to_look(mean_return) and self.threshold is not None:
            if self._solved.look(self.threshold):
                self.solved_at = self.steps
            if not self._origin.makes:  # the given environments were reset: their episodes are over
                self._returns.forget()
                self.learner.forget()
        self.seconds += time.perf_counter() - begin
        row["seconds"] = self.seconds
        if self.done:
            self.stopped = "solved" if self.solved_at is not None else "steps"
        return row

    def _learn(self, before: npt.NDArray[Any]) -> tuple[dict[str, float], float]:
        """Collect a batch and learn from it; the batch is gone afterwards.

        Returns:
            The numbers of the update, and the mean return of the episodes that ended.
        """
        try:
            batch = self.algorithm.collect(self.env, self.policy)
        except EnvError:
            self.stopped = "failed"
            raise
        steps = batch.steps
        for name in ("observations", "actions", "rewards"):
            array = getattr(batch, name)
            if array.dtype.kind == "f":
                largest = np.maximum(array.max(), -array.min())  # NaN stays; no copy is made
                self._check_finite({name: float(largest)}, before, steps)
        progress = min(self.steps / self.total_steps, 1.0)
        # Under NEXT_STEP a batch may hold nothing but resets: there is nothing to learn from.
        stats = self.learner.update(batch, progress) if steps > 0 else {}
        mean_return = self._returns.mean_of(batch)
        self._check_finite(stats, before, steps)
        if steps > 0:
            stats |= self.policy.after_update(batch.observations, batch.valid)
        self.steps += steps  # last: an interrupted update does not count
        self.episodes += self._returns.last_count
        return stats, mean_return

    def _is_time_to_look(self, mean_return: float) -> bool:
        """When the sampling policy reaches the threshold, at the end, and as `Solved` finds due."""
        if self.threshold is None:
            return False
        if self.steps >= self.total_steps:
            return True
        return self._solved.is_due(self.steps, self.episodes, mean_return >= self.threshold)

    @property
    def greedy_return(self) -> float | None:
        """Mean return of the greedy policy when it was last looked at; None where it never was."""
        return self._solved.mean_return

    @property
    def done(self) -> bool:
        """Solved, or out of steps."""
        return self.solved_at is not None or self.steps >= self.total_steps

    def train(self, *, progress: bool = False) -> Run:
        """Update until `done`. KeyboardInterrupt passes through; `run` is what was reached."""
        bar = (
            Progress(f"{self.env_id} {name_of(self.algorithm)}", self.total_steps)
            if progress
            else None
        )
        if bar is None:
            while not self.done:
                self.update()
        else:
            with bar:
                while not self.done:
                    bar.show(self.update())
        return self.run

    def close(self) -> None:
        """Close the environments that were made for this training."""
        self._solved.close()
        if self._origin.makes:
            close(self.env)

    @property
    def run(self) -> Run:
        """The run so far."""
        return Run(
            policy=self.policy,
            history=self.history,
            seconds=self.seconds,
            solved_at=self.solved_at,
            stopped=self.stopped,
            env_id=self.env_id,
            algorithm=name_of(self.algorithm) or type(self.algorithm).__name__,
            settings=settings_of(self.algorithm),
            seed=self.seed,
        )

    def _check_finite(
        self, stats: dict[str, float], before: npt.NDArray[Any], steps: int = 0
    ) -> None:
        theta = float(np.abs(self.policy.theta).sum(dtype=np.float64))
        for term, value in {**stats, "theta": theta}.items():
            if not math.isfinite(value):
                self.policy.theta = before
                self.stopped = "non-finite"
                raise NonFiniteError(
                    f"train: {term} is {value} in update {len(self.history.rows) + 1}, after "
                    f"{self.steps + steps} environment steps; the policy holds the theta from "
                    "before it"
                )


def train(
    env: EnvLike,
    algorithm: str | Algorithm | None = None,
    *,
    seed: int = 0,
    policy: Policy | Mapping[str, Any] | None = None,
    prior: Policy | None = None,
    num_envs: int | None = None,
    steps: int | None = None,
    workers: int | None = None,
    flatten: bool = False,
    progress: bool = False,
) -> Run:
    """Train a policy until the environment is solved or the steps are used up.

    Solved: the greedy policy's mean return over 100 episodes of a separate copy of the environment,
    less two standard errors, reaches the environment's reward threshold, twice in a row. The same
    arguments give the same θ, bit for bit, on any number of threads.

    Parameters:
        env: an id, native or Gymnasium's; a function that makes a `gymnasium.Env`; or an `Env` or
            `gymnasium.vector.VectorEnv`, which keeps its own seeds and is also what the policy is
            evaluated in.
        algorithm: "policy-gradient", "reinforce", "a2c", "ppo", "npg", "trpo", "grpo",
            "compatible"; or settings, `NPG(kl_radius=0.1)`; None takes the environment's preset.
        seed: of environment, policy and evaluation.
        policy: to go on with; it is changed. Optimizer and value function begin anew. Or keyword
            arguments of `policy_for`, which come before the preset's: {"hidden": (64, 64)}. An
            environment without a preset gets a linear policy, σ = 1 where it is Gaussian.
        prior: for A2C, PPO and GRPO: a policy to start from, where `policy` is None, and to be held
            near, where the algorithm's `prior_kl` is not 0. It is not changed.
        num_envs: of environments made from an id or a function; None takes `workers`, or the
            preset's.
        steps: environment steps, after which it ends; None takes the preset's.
        workers: how many environments written in Python step at once, each in a process of its own;
            None means one after another in this process.
        flatten: make vectors of observations that are none (images, Dict, Tuple, ...).
        progress: show return, steps/s and time left on the terminal.

    Returns:
        Run: policy, history, seconds, solved_at.

    Raises:
        ValueError: an unknown environment or algorithm (with the nearest names), or a number that
            does not fit.
        TypeError: a policy or space that does not fit.
        NonFiniteError: an update gave NaN or infinity.
        EnvError: the environment raised; the message says which one, and in which step. A `Trainer`
            keeps the run so far.

    >>> run = train("CartPole-v1", "npg", seed=0)
    >>> run.stopped
    'solved'
    """
    trainer = Trainer(
        env,
        algorithm,
        seed=seed,
        policy=policy,
        prior=prior,
        num_envs=num_envs,
        steps=steps,
        workers=workers,
        flatten=flatten,
    )
    try:
        return trainer.train(progress=progress)
    finally:
        trainer.close()
