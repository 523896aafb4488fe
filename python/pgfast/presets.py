"""Settings that are known to work, by environment and algorithm.

`bench/learning.py` runs all of them; the table in the README is what came out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pgfast._typing import unknown
from pgfast.algorithms import (
    A2C,
    ALGORITHMS,
    GRPO,
    NPG,
    PPO,
    TRPO,
    Algorithm,
    CompatibleActorCritic,
    Critic,
    PolicyGradient,
    Reinforce,
)


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
    """The mean return from which it counts as solved; None: what the environment says; infinity:
    training goes on to the end."""


INF = float("inf")
_NETWORK = {"hidden": (64, 64)}
_NETWORK_CRITIC = Critic(hidden=(64, 64))
_QUADRATIC = Critic(degree=2)

_PENDULUM_PPO = PPO(
    steps=128, gamma=0.95, learning_rate=1e-3, schedule="linear", critic=_NETWORK_CRITIC
)

PRESETS: dict[str, dict[str, Preset]] = {
    "CartPole-v1": {
        # Three steps of conjugate gradients and no more: the directions that the random policy's
        # first batch tells least of are left alone. Most seeds are solved by one update.
        "npg": Preset(
            NPG(
                episodes=None,
                steps=128,
                lam=0.95,
                kl_radius=0.1,
                damping=1e-3,
                max_iterations=3,
                critic=Critic(degree=2, fit="before"),
            ),
        ),
        "trpo": Preset(
            TRPO(episodes=32, gamma=0.98, baseline="time", kl_radius=0.01, damping=1e-2),
            num_envs=32,
        ),
        "compatible": Preset(
            CompatibleActorCritic(
                episodes=32,
                gamma=0.98,
                baseline="time",
                learning_rate=1.0,
                max_step=0.01,
                damping=1e-2,
            ),
            num_envs=32,
        ),
        "ppo": Preset(
            PPO(steps=32, gamma=0.98, learning_rate=1e-3, epochs=4, batch_size=64),
            num_envs=32,
            steps=500_000,
            policy=_NETWORK,
        ),
        "a2c": Preset(
            A2C(steps=32, learning_rate=3e-3, critic=_NETWORK_CRITIC),
            num_envs=32,
            steps=2_000_000,
            policy=_NETWORK,
        ),
        "grpo": Preset(GRPO(groups=8, group_size=16), num_envs=128, steps=3_000_000),
        "reinforce": Preset(Reinforce(episodes=64, learning_rate=0.1), steps=3_000_000),
        "policy-gradient": Preset(PolicyGradient(episodes=64, learning_rate=0.03), steps=3_000_000),
    },
    "Acrobot-v1": {
        "npg": Preset(
            NPG(episodes=None, steps=64, critic=_QUADRATIC, kl_radius=0.02), policy=_NETWORK
        ),
        "trpo": Preset(
            TRPO(episodes=None, steps=64, critic=_QUADRATIC, kl_radius=0.02), policy=_NETWORK
        ),
        "ppo": Preset(PPO(steps=64, learning_rate=5e-4), num_envs=32, policy=_NETWORK),
        "a2c": Preset(
            A2C(steps=32, learning_rate=1e-3, entropy=0.01), num_envs=32, policy=_NETWORK
        ),
    },
    "Pendulum-v1": {
        "trpo": Preset(
            TRPO(
                episodes=None,
                steps=256,
                gamma=0.9,
                lam=0.95,
                kl_radius=0.02,
                max_iterations=10,
                critic=_NETWORK_CRITIC,
            ),
            num_envs=16,
            steps=500_000,
            policy=_NETWORK,
            threshold=-185.0,
        ),
        "npg": Preset(
            NPG(
                episodes=None,
                steps=256,
                gamma=0.9,
                lam=0.95,
                kl_radius=0.02,
                max_iterations=10,
                critic=_NETWORK_CRITIC,
            ),
            num_envs=16,
            steps=500_000,
            policy=_NETWORK,
            threshold=-185.0,
        ),
        "ppo": Preset(_PENDULUM_PPO, num_envs=16, steps=500_000, policy=_NETWORK, threshold=-185.0),
    },
    "MountainCarContinuous-v0": {
        # Wide steps: at σ = 1 most batches of 32 hold no success, and without one all that is
        # learned is to stand still.
        "trpo": Preset(
            TRPO(episodes=32, gamma=0.999, baseline="time", kl_radius=0.05),
            num_envs=32,
            policy={"normalize_observations": True, "initial_std": 2.0},
        ),
    },
    "LQR-v0": {
        "npg": Preset(
            NPG(episodes=None, steps=50, critic=_QUADRATIC, lam=0.95, kl_radius=0.02),
            steps=500_000,
        ),
        "ppo": Preset(
            PPO(
                steps=64,
                learning_rate=1e-2,
                schedule="linear",
                critic=Critic(degree=2, learning_rate=1e-1),
            ),
            num_envs=32,
            steps=500_000,
        ),
    },
    "FrozenLake-v1": {
        # Of the slippery 4x4 lake's 100 steps even the best policy brings 0.74 on average, so that
        # no 100 episodes prove 0.70: training goes on to the end.
        "npg": Preset(
            NPG(
                episodes=None,
                steps=32,
                critic=Critic(),
                lam=0.95,
                kl_radius=0.003,
                damping=1e-3,
            ),
            num_envs=128,
            steps=500_000,
            threshold=INF,
        ),
        "ppo": Preset(
            PPO(
                steps=32,
                learning_rate=1e-2,
                schedule="linear",
                epochs=4,
                critic=Critic(learning_rate=1e-2),
            ),
            steps=300_000,
            threshold=INF,
        ),
    },
    "RockPaperScissors-v0": {
        "reinforce": Preset(Reinforce(episodes=64), steps=1_000_000),
    },
}
"""The first of each environment is its default."""

DEFAULT_ALGORITHM = "npg"


def preset(env_id: str | None, algorithm: str | None) -> Preset:
    """Find the preset of an environment and algorithm, or make one of the algorithm's defaults."""
    known = PRESETS.get((env_id or "").removeprefix("pgfast/"), {})
    name = algorithm or next(iter(known), DEFAULT_ALGORITHM)
    if name not in ALGORITHMS:
        raise unknown("train", "algorithm", name, ALGORITHMS)
    return known.get(name) or Preset(ALGORITHMS[name]())
