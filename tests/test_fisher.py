"""The Fisher matrix of every network × distribution, by sums over actions that are exact.

Discrete actions are enumerated. Of a Gaussian log π is quadratic in the action, so its scores are
too, and what is of fourth degree is integrated exactly by five points of Gauss and Hermite in each
dimension.
"""

import itertools

import numpy as np
import pytest

import pgfast as pg

B, D = 4, 3


def networks(make, sizes=((), (5,), (4, 3))):
    """`make` with each network, and the last on features of the observations."""
    for hidden in sizes:
        yield f"{len(hidden)} hidden", lambda hidden=hidden: make(hidden=hidden)
    phi = pg.FourierFeatures([-2] * D, [2] * D, order=1)
    yield "features", lambda: make(hidden=(3,), features=phi)


def policies():
    """By name: what makes the policy, and whether its actions are masked."""
    made = {}
    for name, make in networks(lambda **k: pg.SoftmaxPolicy(D, 3, dtype=np.float64, **k)):
        made[f"softmax, {name}"] = (make, False)
        made[f"masked softmax, {name}"] = (make, True)
    for name, make in networks(lambda **k: pg.MultiSoftmaxPolicy(D, [2, 3], dtype=np.float64, **k)):
        made[f"multi-softmax, {name}"] = (make, False)
        made[f"masked multi-softmax, {name}"] = (make, True)
    for std in ("learned", "fixed", "network"):

        def gaussian(std=std, **k):
            return pg.GaussianPolicy(D, 2, std=std, initial_std=0.7, dtype=np.float64, **k)

        for name, make in networks(gaussian):
            made[f"gaussian with {std} std, {name}"] = (make, False)
    made["state-action"] = (lambda: pg.StateActionSoftmaxPolicy(3, 5, dtype=np.float64), False)
    return made


POLICIES = policies()
KINDS = pytest.mark.parametrize("kind", POLICIES)


def case(kind):
    """A policy with a random θ, observations (B, ...), masks or None."""
    make, masked = POLICIES[kind]
    policy, rng = make(), np.random.default_rng(3)
    policy.theta = policy.theta + 0.4 * rng.normal(size=policy.theta.shape)
    shape = (3, 5) if kind == "state-action" else (D,)
    masks = None
    if masked:
        masks = np.ones((B, 5 if "multi" in kind else 3), bool)
        masks[0, 1] = masks[2, -1] = masks[3, 0] = False
    return policy, rng.normal(size=(B, *shape)), masks


def actions_of(policy, s, masks):
    """Actions (M, B, ...) and weights (M, B) with E_π[f(a)] = Σ_m weight f(a_m) in each sample."""
    if isinstance(policy, pg.GaussianPolicy):
        nodes, weights = np.polynomial.hermite_e.hermegauss(5)
        weights = weights / weights.sum()
        mean, std = policy.mean(s), policy.std(s)
        chosen = list(itertools.product(range(5), repeat=2))
        actions = np.stack([mean + std * nodes[list(pair)] for pair in chosen])
        return actions, np.stack([np.full(B, weights[list(pair)].prod()) for pair in chosen])
    if isinstance(policy, pg.MultiSoftmaxPolicy):
        choices = np.array(list(np.ndindex(*policy.actions)))
    else:
        choices = np.arange(policy.actions)
    actions = np.stack([np.broadcast_to(a, (B, *np.shape(a))) for a in choices]).astype(np.int64)
    p = [np.exp(policy.log_prob(s, np.ascontiguousarray(a), masks=masks)) for a in actions]
    return actions, np.stack(p)


def all_scores(policy, s, actions, masks, weights=None):
    """∇log π of each action (M, B, P); 0 where the weight is."""
    rows = []
    for m, a in enumerate(actions):
        scores = policy.scores(s, np.ascontiguousarray(a), masks=masks)
        rows.append(scores if weights is None else np.where(weights[m][:, None] > 0, scores, 0))
    return np.stack(rows)


@KINDS
def test_probabilities_sum_to_1_and_scores_to_0(kind):
    """E_π[1] = 1, E_π[∇log π] = 0, in every sample."""
    policy, s, masks = case(kind)
    actions, p = actions_of(policy, s, masks)
    np.testing.assert_allclose(p.sum(axis=0), 1, rtol=1e-13)
    scores = all_scores(policy, s, actions, masks, p)
    np.testing.assert_allclose(np.einsum("mb,mbp->bp", p, scores), 0, atol=1e-13)
    assert abs(scores).max() > 0.1


@KINDS
def test_products_are_those_of_the_enumerated_matrix(kind):
    """F v + damping v, F = mean_b E_π[∇log π ∇log πᵀ]."""
    policy, s, masks = case(kind)
    actions, p = actions_of(policy, s, masks)
    scores = all_scores(policy, s, actions, masks, p)
    F = np.einsum("mb,mbp,mbq->pq", p, scores, scores) / B
    identity = np.eye(len(policy.theta))
    products = [policy.fisher_vector_product(s, e, masks=masks) for e in identity]
    np.testing.assert_allclose(np.stack(products), F, rtol=0, atol=1e-12)
    v = np.ones(len(F))
    damped = policy.fisher_vector_product(s, v, 0.3, masks=masks)
    np.testing.assert_allclose(damped, F @ v + 0.3, rtol=0, atol=1e-12)


@KINDS
def test_the_matrix_is_the_hessian_of_the_divergence(kind):
    """By central differences of ∇KL(π_θ ‖ π_θ′) = −E_π[∇log π_θ′] at θ′ = θ.

    And that gradient is the one of `kl`, by central differences at another θ′.
    """
    policy, s, masks = case(kind)
    actions, p = actions_of(policy, s, masks)
    other, n = policy.copy(), len(policy.theta)

    def gradient():
        scores = all_scores(other, s, actions, masks, p)
        return -np.einsum("mb,mbp->p", p, scores) / B

    def differences(function, h):
        theta, rows = other.theta.copy(), []
        for i in range(n):
            ends = []
            for sign in (1, -1):
                other.theta[i] = theta[i] + sign * h
                ends.append(np.asarray(function()))
            other.theta[i] = theta[i]
            rows.append((ends[0] - ends[1]) / (2 * h))
        return np.stack(rows)

    products = [policy.fisher_vector_product(s, e, masks=masks) for e in np.eye(n)]
    np.testing.assert_allclose(differences(gradient, 1e-5), products, rtol=0, atol=1e-8)
    other.theta = policy.theta + 0.05 * np.random.default_rng(0).normal(size=n)
    slope = differences(lambda: policy.kl(s, other, masks=masks).mean(), 1e-6)
    np.testing.assert_allclose(slope, gradient(), rtol=0, atol=1e-8)


@KINDS
def test_the_score_is_the_gradient_of_the_log_probability(kind):
    """Central differences in every parameter, for every action that can be taken."""
    policy, s, masks = case(kind)
    actions, p = actions_of(policy, s, masks)
    scores = all_scores(policy, s, actions, masks, p)
    theta, h = policy.theta.copy(), 1e-6
    for i in range(len(theta)):
        ends = []
        for sign in (1, -1):
            policy.theta[i] = theta[i] + sign * h
            with np.errstate(invalid="ignore"):
                rows = [policy.log_prob(s, np.ascontiguousarray(a), masks=masks) for a in actions]
            ends.append(np.stack(rows))
        policy.theta[i] = theta[i]
        taken = p > 0
        slope = (ends[0][taken] - ends[1][taken]) / (2 * h)
        np.testing.assert_allclose(slope, scores[..., i][taken], rtol=0, atol=1e-7)
