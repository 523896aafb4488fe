"""Settings that are known to work, by environment and algorithm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pgfast.algorithms import ALGORITHMS, NPG, Algorithm, PolicyGradient, Reinforce


@dataclass(frozen=True)
class Preset:
    """How to train one algorithm in one environment."""

    algorithm: Algorithm
    num_envs: int = 64
    steps: int = 1_000_000
    """Environment steps after which training ends, solved or not."""
    policy: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments of `policy_for`."""
    threshold: float | None = None
    """The mean return from which it counts as solved, where the environment does not say."""


PRESETS: dict[str, dict[str, Preset]] = {
    "CartPole-v1": {
        # 20 of 20 seeds solve it; with a tenth of the damping some don't.
        "npg": Preset(
            NPG(episodes=32, gamma=0.98, baseline="time", kl_radius=0.01, damping=1e-2),
            num_envs=32,
        ),
        "reinforce": Preset(Reinforce(episodes=64, learning_rate=0.1), steps=3_000_000),
        "policy-gradient": Preset(PolicyGradient(episodes=64, learning_rate=0.03), steps=3_000_000),
    },
}
"""The first of each environment is its default."""

DEFAULT_ALGORITHM = "npg"


def preset(env_id: str | None, algorithm: str | None) -> Preset:
    """Find the preset of an environment and algorithm, or make one of the algorithm's defaults."""
    from pgfast._typing import unknown

    known = PRESETS.get((env_id or "").removeprefix("pgfast/"), {})
    name = algorithm or next(iter(known), DEFAULT_ALGORITHM)
    if name not in ALGORITHMS:
        raise unknown("train", "algorithm", name, ALGORITHMS)
    return known.get(name) or Preset(ALGORITHMS[name]())
