"""Whether a policy solves its environment: when to look, and what counts as solved."""

from __future__ import annotations

import math

from pgfast.envs.collect import collector
from pgfast.envs.source import AnyVectorEnv, Source, close
from pgfast.evaluation import EVALUATION_EPISODES, evaluation_env
from pgfast.policy import Policy

# Steps of looks for a step of training; where the sampling policy reaches the threshold.
_NATIVE_SHARE, _PYTHON_SHARE = 2.0, 0.25
_NATIVE_REACHED, _PYTHON_REACHED = math.inf, 1.0


class Solved:
    """Looks at the greedy policy, in environments of its own where they can be made.

    Solved means: the mean return, less two standard errors, reaches the threshold in two looks, one
    right after the other, over 100 episodes each. Whoever looks often enough will see luck: that is
    why it must come twice.

    Looking costs steps too. Those of native environments without learning are a tenth of the work
    of a training's, and looks may take twice as many: a fifth of the time. Elsewhere a step costs
    the same in both, and looks take a quarter as many, a fifth of all steps; as many as the
    training where the sampling policy reaches the threshold again and again.
    """

    def __init__(self, origin: Source, policy: Policy, seed: int, workers: int | None) -> None:
        self._origin, self._policy, self._seed, self._workers = origin, policy, seed, workers
        self._env: AnyVectorEnv | None = None
        self._share = _NATIVE_SHARE if origin.is_native else _PYTHON_SHARE
        self._reached_share = _NATIVE_REACHED if origin.is_native else _PYTHON_REACHED
        self.steps = 0
        """Environment steps that looks have taken."""
        self.mean_return: float | None = None
        """Of the last look; None before the first."""

    def is_due(self, steps: int, episodes: int, reached: bool = False) -> bool:
        """Whether there is room for a look.

        `steps` and `episodes` are the training's; a look is reckoned at its mean length of episode.
        `reached`: the sampling policy reaches the threshold. Then it is due, but a Python
        environment's looks may take as many steps as the training at most.
        """
        expected = EVALUATION_EPISODES * steps / max(episodes, 1)
        share = self._reached_share if reached else self._share
        return self.steps + expected <= share * steps

    def look(self, threshold: float) -> bool:
        """Whether the greedy policy solves the environment."""
        return self._reaches(threshold) and self._reaches(threshold)

    def _reaches(self, threshold: float) -> bool:
        if self._env is None:
            self._env = evaluation_env(
                self._origin, self._policy, EVALUATION_EPISODES, self._seed, self._workers
            )
        runner = collector(self._env, self._policy)
        returns, lengths = runner.returns(EVALUATION_EPISODES, greedy=True)
        self.steps += int(lengths.sum())
        mean = float(returns.mean())
        self.mean_return = mean
        return mean - 2 * float(returns.std()) / math.sqrt(len(returns)) >= threshold

    def close(self) -> None:
        """Close the environments that were made for looking."""
        if self._env is not None and self._origin.makes:
            close(self._env)
