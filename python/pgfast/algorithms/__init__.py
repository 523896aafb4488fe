"""The algorithms, each a file and a small difference from the one before."""

from __future__ import annotations

from pgfast.algorithms.algorithm import Algorithm, Learner, Stats
from pgfast.algorithms.npg import NPG
from pgfast.algorithms.policy_gradient import PolicyGradient
from pgfast.algorithms.reinforce import Reinforce

ALGORITHMS: dict[str, type[Algorithm]] = {
    "policy-gradient": PolicyGradient,
    "reinforce": Reinforce,
    "npg": NPG,
}
"""By the names that `train` and the command line take."""

__all__ = ["ALGORITHMS", "NPG", "Algorithm", "Learner", "PolicyGradient", "Reinforce", "Stats"]
