"""The algorithms, each a file and a small difference from the one before."""

from __future__ import annotations

from pgfast.algorithms.a2c import A2C
from pgfast.algorithms.algorithm import Algorithm, EpisodicAlgorithm, Learner, Stats
from pgfast.algorithms.compatible import CompatibleActorCritic
from pgfast.algorithms.critic import Critic
from pgfast.algorithms.grpo import GRPO
from pgfast.algorithms.npg import NPG
from pgfast.algorithms.policy_gradient import PolicyGradient
from pgfast.algorithms.ppo import PPO
from pgfast.algorithms.reinforce import Reinforce
from pgfast.algorithms.trpo import TRPO

ALGORITHMS: dict[str, type[Algorithm]] = {
    "policy-gradient": PolicyGradient,
    "reinforce": Reinforce,
    "a2c": A2C,
    "ppo": PPO,
    "npg": NPG,
    "trpo": TRPO,
    "grpo": GRPO,
    "compatible": CompatibleActorCritic,
}
"""By the names that `train` and the command line take."""

__all__ = [
    "A2C",
    "ALGORITHMS",
    "GRPO",
    "NPG",
    "PPO",
    "TRPO",
    "Algorithm",
    "CompatibleActorCritic",
    "Critic",
    "EpisodicAlgorithm",
    "Learner",
    "PolicyGradient",
    "Reinforce",
    "Stats",
]
