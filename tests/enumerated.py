"""A small finite-horizon MDP, all of whose trajectories can be written down with their chances.

Expectations over a policy are then sums, exact but for rounding.
"""

import itertools

import numpy as np

import pgfast as pg

S, A, H = 3, 2, 3
_RNG = np.random.default_rng(11)
P = _RNG.dirichlet(np.ones(S), size=(S, A))
R = _RNG.normal(size=(S, A)) + 1.0
P0 = _RNG.dirichlet(np.ones(S))


def a_policy(seed=5):
    """A linear softmax policy on one-hot states that prefers some actions."""
    policy = pg.SoftmaxPolicy(S, A, dtype=np.float64)
    policy.theta += pg.normal(policy.theta.shape, seed=seed, dtype=np.float64)
    return policy


def trajectories():
    """Every trajectory of H steps as a column of a Rollout, and the dynamics' part of its
    probability (the actions' part belongs to a policy)."""
    states, actions, chances = [], [], []
    for s in itertools.product(range(S), repeat=H):
        for a in itertools.product(range(A), repeat=H):
            moves = [P[s[t], a[t], s[t + 1]] for t in range(H - 1)]
            states.append(s)
            actions.append(a)
            chances.append(P0[s[0]] * np.prod(moves))
    states, actions = np.array(states).T, np.ascontiguousarray(np.array(actions).T)
    ends = np.zeros(states.shape, bool)
    ends[-1] = True
    batch = pg.Rollout(
        observations=np.eye(S)[states],
        actions=actions,
        log_probs=np.zeros(states.shape),
        rewards=R[states, actions],
        terminated=ends,
        truncated=np.zeros_like(ends),
        valid=None,
        last_observations=None,
        final_observations=np.zeros((0, S)),
    )
    return batch, np.array(chances)


def probabilities(policy, batch, chances):
    """Of each trajectory under the policy; they sum to 1."""
    return chances * np.exp(policy.log_prob(batch.observations, batch.actions).sum(axis=0))


def mean_and_variance(p, gradients):
    """E[g] (P,) and tr Cov[g] of a gradient (M, P) that has the probabilities p (M,)."""
    mean = p @ gradients
    return mean, p @ ((gradients - mean) ** 2).sum(axis=1)


def objective(theta, gamma=1.0):
    """J(θ) = E Σ γᵗ rₜ, by dynamic programming."""
    policy = a_policy()
    policy.theta = theta
    pi = np.stack([np.exp(policy.log_prob(np.eye(S), np.full(S, a))) for a in range(A)], axis=1)
    value = np.zeros(S)
    for _ in range(H):
        value = (pi * (R + gamma * P @ value)).sum(axis=1)
    return P0 @ value, value
