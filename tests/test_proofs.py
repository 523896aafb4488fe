"""The theory, proved on finite MDPs: gradients against finite differences and against enumeration.

Two kinds of MDP. `discounted()` goes on for ever; what is exact there comes from direct solves.
`Episodes` has a horizon of T steps: its states are (time, place), so that it is a TabularMDP as
well, and all its trajectories can be listed with their probabilities. What is said of an
expectation is then a finite sum, and what is sampled is held against it.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest

import pgfast as pg

S, A, D, J = 4, 3, 5, 4


def discounted(observations=None, gamma=0.9, seed=0):
    rng = np.random.default_rng(seed)
    P, p0 = rng.dirichlet(np.ones(S), (S, A)), rng.dirichlet(np.ones(S))
    return pg.TabularMDP(P, rng.normal(size=(S, A)), p0, gamma, observations=observations)


def policies(states=S, actions=A, seed=1):
    """Policies of each kind with random θ, and what they see in each state."""
    rng = np.random.default_rng(seed)
    seen, blocks = rng.normal(size=(states, D)), rng.normal(size=(states, actions, J))
    made = {
        "linear": (pg.SoftmaxPolicy(D, actions, dtype=np.float64), seen),
        "tanh": (pg.SoftmaxPolicy(D, actions, hidden=(6,), dtype=np.float64), seen),
        "deep": (pg.SoftmaxPolicy(D, actions, hidden=(5, 4), dtype=np.float64), seen),
        "state-action": (pg.StateActionSoftmaxPolicy(actions, J, dtype=np.float64), blocks),
        "tabular": (
            pg.StateActionSoftmaxPolicy(actions, states * actions, dtype=np.float64),
            np.eye(states * actions).reshape(states, actions, -1),
        ),
    }
    for policy, _ in made.values():
        policy.theta = 0.8 * rng.normal(size=policy.theta.shape)
    return made


KINDS = pytest.mark.parametrize("kind", policies())


def central_differences(function, theta, h):
    """∂function/∂θ in every coordinate; θ is changed in place and put back."""
    rows = []
    for i in range(len(theta)):
        here, values = theta[i], []
        for sign in (1, -1):
            theta[i] = here + sign * h
            values.append(np.asarray(function()))
        theta[i] = here
        rows.append((values[0] - values[1]) / (2 * h))
    return np.stack(rows)


def all_scores(policy, seen):
    """∇log π(a|s) of every pair, (S, A, P)."""
    actions = seen.shape[1] if seen.ndim == 3 else policy.actions
    return np.stack([policy.scores(seen, np.full(len(seen), a)) for a in range(actions)], axis=1)


# The policy gradient theorem


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99])
@KINDS
def test_the_exact_gradient_is_that_of_the_objective(kind, gamma):
    """∇J = Σ_s d(s) Σₐ ∇π(a|s) Q(s, a), against central differences of J in every parameter."""
    policy, seen = policies()[kind]
    mdp = discounted(seen, gamma)
    differences = central_differences(lambda: mdp.objective(policy), policy.theta, 1e-5)
    exact = mdp.gradient(policy)
    assert abs(exact).max() > 1e-3
    np.testing.assert_allclose(exact, differences, rtol=0, atol=1e-7)


def test_the_exact_gradient_of_the_pairs_logits():
    """The array π is the softmax of θ(s, a): ∂J/∂θ(s, a) = d(s) π(a|s) A(s, a)."""
    mdp, theta = discounted(), np.random.default_rng(2).normal(size=S * A)

    def pi():
        z = np.exp(theta.reshape(S, A))
        return z / z.sum(axis=1, keepdims=True)

    differences = central_differences(lambda: mdp.objective(pi()), theta, 1e-5)
    np.testing.assert_allclose(mdp.gradient(pi()).ravel(), differences, rtol=0, atol=1e-7)


@dataclass
class Batch:
    """Trajectories (T, N), with the probability of each where they are all there are."""

    places: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    valid: np.ndarray
    probability: np.ndarray


class Episodes:
    """T steps over `places`; with `ends`, a step may end the episode early.

    The reward depends on the next place too. A policy sees the place, not the time.
    """

    def __init__(self, T, places, actions, gamma, ends=False, seed=0):
        rng = np.random.default_rng(seed)
        self.T, self.S, self.A, self.gamma = T, places, actions, gamma
        # The last column is the end.
        self.P = rng.dirichlet(np.ones(places + 1), (places, actions))
        if not ends:
            self.P[..., -1] = 0
            self.P /= self.P.sum(axis=-1, keepdims=True)
        self.R = rng.normal(size=self.P.shape) + 2
        self.p0 = rng.dirichlet(np.ones(places))

    def mdp(self, seen):
        """The same as a TabularMDP: state t S + s, and the end as the last one."""
        states = self.T * self.S + 1
        P, R = np.zeros((states, self.A, states)), np.zeros((states, self.A))
        for t, s in np.ndindex(self.T, self.S):
            here, following = t * self.S + s, (t + 1) * self.S
            R[here] = (self.P[s] * self.R[s]).sum(axis=-1)
            if t + 1 < self.T:
                P[here, :, following : following + self.S] = self.P[s, :, :-1]
            P[here, :, -1] = self.P[s, :, -1] if t + 1 < self.T else 1
        P[-1, :, -1] = 1
        p0 = np.zeros(states)
        p0[: self.S] = self.p0
        observations = np.concatenate([*[seen] * self.T, np.zeros_like(seen[:1])])
        return pg.TabularMDP(P, R, p0, self.gamma, observations=observations)

    def _batch(self, s, a, following, probability):
        """From (T, N) places, actions and next places; the end is place S and goes on as itself."""
        valid = s < self.S
        terminated = valid & (following == self.S)
        terminated[-1] |= valid[-1]
        place = np.where(valid, s, 0)
        rewards = np.where(valid, self.R[place, a, following], 0)
        return Batch(place, a, rewards, terminated, valid, probability)

    def everything(self, pi):
        """Every trajectory with its probability."""
        listed = [([], [], [], s, p) for s, p in enumerate(self.p0)]
        for _ in range(self.T):
            longer = []
            for places, actions, following, s, p in listed:
                if s == self.S:  # over: one way to go on
                    longer.append(([*places, s], [*actions, 0], [*following, s], s, p))
                    continue
                for a, then in np.ndindex(self.A, self.S + 1):
                    q = p * pi[s, a] * self.P[s, a, then]
                    if q > 0:
                        longer.append(([*places, s], [*actions, a], [*following, then], then, q))
            listed = longer
        columns = zip(*(entry[:3] for entry in listed), strict=True)
        parts = (np.array(column).T.copy() for column in columns)
        return self._batch(*parts, np.array([entry[4] for entry in listed]))

    def sampled(self, pi, N, seed):
        """N trajectories of this policy, each with weight 1/N."""
        rng = np.random.default_rng(seed)

        def draw(p):
            return (rng.uniform(size=(N, 1)) > p.cumsum(axis=-1)[..., :-1]).sum(axis=-1)

        s = draw(np.broadcast_to(self.p0, (N, self.S)))
        columns = []
        for _ in range(self.T):
            place = np.minimum(s, self.S - 1)
            a = draw(pi[place])
            then = np.where(s == self.S, self.S, draw(self.P[place, a]))
            columns.append((s, np.where(s == self.S, 0, a), then))
            s = then
        return self._batch(*map(np.stack, zip(*columns, strict=True)), np.full(N, 1 / N))

    def scores(self, batch, policy, seen):
        """∇log π of every step, (T, N, P); 0 where none happened."""
        table = all_scores(policy, seen)
        return np.where(batch.valid[..., None], table[batch.places, batch.actions], 0)


def setting(ends, gamma=0.9, kind="state-action", T=3, places=2, actions=2):
    """An MDP of episodes, a policy, what it sees, π of each place, and the exact ∇J."""
    episodes = Episodes(T, places, actions, gamma, ends)
    policy, seen = policies(places, actions)[kind]
    mdp = episodes.mdp(seen)
    return episodes, policy, seen, mdp.probabilities(policy)[:places], mdp


def estimates(name, episodes, batch, scores, mdp, pi_values, *, discounted=True):
    """One estimate of ∇J for each trajectory, (N, P): Σₜ γᵗ ∇log π(aₜ|sₜ) wₜ."""
    gamma, T = episodes.gamma, episodes.T
    rewards, ended = batch.rewards, batch.terminated
    none = np.zeros_like(ended)
    powers = gamma ** np.arange(T)[:, None] if discounted else np.ones((T, 1))
    V = np.where(batch.valid, pi_values[np.arange(T)[:, None], batch.places], 0)
    to_go = pg.reward_to_go(rewards, ended, none, gamma=gamma)
    if name == "naive":  # the whole return has the powers in it
        whole = pg.episode_return(rewards, ended, none, gamma=gamma, valid=batch.valid)
        weights = np.broadcast_to(whole, rewards.shape)
        powers = np.ones((T, 1))
    elif name == "reward-to-go":
        weights = to_go
    elif name == "constant":
        weights = to_go - 3.7
    elif name == "value":
        weights = to_go - V
    elif name.startswith("gae"):
        values = np.concatenate([V, np.zeros((1, V.shape[1]))])
        weights = pg.gae(rewards, values, ended, none, gamma=gamma, lam=float(name[3:]))
    return np.einsum("tn,tnp->np", np.where(batch.valid, powers * weights, 0), scores)


UNBIASED = ["naive", "reward-to-go", "constant", "value", "gae1", "gae0.9", "gae0.4", "gae0"]


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("gamma", [0.8, 1.0])
@KINDS
def test_the_exact_gradient_is_the_sum_over_all_trajectories(kind, gamma, ends):
    """∇J = Σ_τ p(τ) Σₜ ∇log π(aₜ|sₜ) R(τ), and Σ_τ p(τ) R(τ) = J."""
    episodes, policy, seen, pi, mdp = setting(ends, gamma, kind)
    batch = episodes.everything(pi)
    assert abs(batch.probability.sum() - 1) < 1e-14
    returns = (gamma ** np.arange(3)[:, None] * batch.rewards).sum(axis=0)
    assert abs(batch.probability @ returns - mdp.objective(policy)) < 1e-13
    scores = episodes.scores(batch, policy, seen).sum(axis=0)
    gradient = (batch.probability * returns) @ scores
    assert abs(gradient).max() > 1e-3
    np.testing.assert_allclose(mdp.gradient(policy), gradient, rtol=0, atol=1e-13)
    # and of the objective's finite differences, where θ is shared by all times
    differences = central_differences(lambda: mdp.objective(policy), policy.theta, 1e-5)
    np.testing.assert_allclose(gradient, differences, rtol=0, atol=1e-7)


# Estimators: their exact expectation, their exact variance, and samples of them


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("gamma", [0.8, 1.0])
@pytest.mark.parametrize("name", UNBIASED)
def test_estimators_are_unbiased_exactly(name, gamma, ends):
    """Σ_τ p(τ) g(τ) = ∇J, with the weight γᵗ of the discounted objective."""
    episodes, policy, seen, pi, mdp = setting(ends, gamma)
    batch = episodes.everything(pi)
    values = mdp.value(policy)[:-1].reshape(3, 2)
    scores = episodes.scores(batch, policy, seen)
    g = estimates(name, episodes, batch, scores, mdp, values)
    np.testing.assert_allclose(batch.probability @ g, mdp.gradient(policy), rtol=0, atol=1e-12)


def test_without_the_weight_of_time_the_discounted_gradient_is_biased():
    """Leaving out γᵗ gives another vector; with γ = 1 there is nothing to leave out."""
    for gamma, biased in [(0.5, True), (1.0, False)]:
        episodes, policy, seen, pi, mdp = setting(True, gamma)
        batch = episodes.everything(pi)
        values = mdp.value(policy)[:-1].reshape(3, 2)
        scores = episodes.scores(batch, policy, seen)
        g = estimates("reward-to-go", episodes, batch, scores, mdp, values, discounted=False)
        exact = mdp.gradient(policy)
        error = abs(batch.probability @ g - exact).max() / abs(exact).max()
        assert error > 0.1 if biased else error < 1e-12


@pytest.mark.parametrize("ends", [False, True])
def test_a_baseline_of_the_past_adds_nothing(ends):
    """E[∇log π(aₜ|sₜ) b] = 0 for any b that is a function of what was before aₜ, exactly."""
    episodes, policy, seen, pi, _ = setting(ends)
    batch = episodes.everything(pi)
    scores = episodes.scores(batch, policy, seen)
    for t in range(3):
        history = np.concatenate([batch.places[: t + 1], batch.actions[:t], batch.rewards[:t]])
        b = 10 * np.cos((1 + np.arange(len(history))) @ history)
        assert np.std(b) > 1
        expectation = (batch.probability * b) @ scores[t]
        np.testing.assert_allclose(expectation, 0, atol=1e-14)
    # the action itself is not of the past
    cheat = (batch.probability * batch.actions[0]) @ scores[0]
    assert abs(cheat).max() > 1e-2


@KINDS
def test_a_baseline_of_the_state_adds_nothing_to_the_exact_gradient(kind):
    """Σ_s d(s) Σₐ π(a|s) ∇log π(a|s) b(s) = 0, and the mean score of every state is 0."""
    policy, seen = policies()[kind]
    mdp = discounted(seen)
    p, d, scores = mdp.probabilities(policy), mdp.visitation(policy), all_scores(policy, seen)
    np.testing.assert_allclose(np.einsum("sa,sap->sp", p, scores), 0, atol=1e-14)
    b = 100 * np.random.default_rng(3).normal(size=S)
    np.testing.assert_allclose(np.einsum("s,s,sa,sap->p", d, b, p, scores), 0, atol=1e-11)
    # so Q and A give the same gradient
    for worth in (mdp.q(policy), mdp.advantage(policy)):
        g = np.einsum("s,sa,sap,sa->p", d, p, scores, worth)
        np.testing.assert_allclose(g, mdp.gradient(policy), atol=1e-12)


@pytest.mark.parametrize("ends", [False, True])
def test_the_library_baselines_over_all_pairs_of_trajectories(ends):
    """Their exact expectation over all batches of N = 2.

    Leave-one-out: ∇J. Time, where both always run: (N − 1)/N ∇J. Constant, where both always run:
    ∇J less the own part, 1/(TN) E[Σₜ γᵗ ∇log π(aₜ|sₜ) Σₖ Gₖ].
    """
    episodes, policy, seen, pi, mdp = setting(ends, T=2)
    batch = episodes.everything(pi)
    scores, exact = episodes.scores(batch, policy, seen), mdp.gradient(policy)
    M, T = len(batch.probability), 2
    to_go = pg.reward_to_go(
        batch.rewards, batch.terminated, np.zeros_like(batch.terminated), gamma=0.9
    )
    powers = 0.9 ** np.arange(T)[:, None]
    expectation = {}
    for baseline in (pg.leave_one_out_baseline, pg.time_baseline, pg.constant_baseline):
        total = np.zeros(len(exact))
        for i, j in np.ndindex(M, M):
            g, valid = to_go[:, [i, j]].copy(), batch.valid[:, [i, j]].copy()
            weights = np.where(valid, powers * (g - baseline(g, valid)), 0)
            estimate = np.einsum("tn,tnp->p", weights, scores[:, [i, j]]) / 2
            total += batch.probability[i] * batch.probability[j] * estimate
        expectation[baseline.__name__] = total
    np.testing.assert_allclose(expectation["leave_one_out_baseline"], exact, atol=1e-12)
    if ends:
        return
    np.testing.assert_allclose(expectation["time_baseline"], exact / 2, atol=1e-12)
    own = np.einsum("n,tn,tnp->p", batch.probability, powers * to_go.sum(axis=0), scores)
    np.testing.assert_allclose(expectation["constant_baseline"], exact - own / (T * 2), atol=1e-12)


def moments(g, probability):
    """Mean (P,) and covariance (P, P) of estimates with probabilities."""
    mean = probability @ g
    centred = g - mean
    return mean, (probability[:, None] * centred).T @ centred


def all_variances(ends):
    """The exact variance of each estimator, Σ of its coordinates', by enumeration."""
    episodes, policy, seen, pi, mdp = setting(ends)
    batch = episodes.everything(pi)
    values = mdp.value(policy)[:-1].reshape(3, 2)
    scores = episodes.scores(batch, policy, seen)
    return {
        name: np.trace(
            moments(estimates(name, episodes, batch, scores, mdp, values), batch.probability)[1]
        )
        for name in UNBIASED
    }


@pytest.mark.parametrize("ends", [False, True])
def test_variance_falls_in_the_order_of_theory(ends):
    """Exactly: naive > reward-to-go > with a constant > with V, and with V falling in λ."""
    v = all_variances(ends)
    order = ["naive", "reward-to-go", "constant", "value", "gae0.9", "gae0.4", "gae0"]
    for higher, lower in itertools.pairwise(order):
        assert v[lower] < v[higher], (higher, lower)
    assert abs(v["gae1"] / v["value"] - 1) < 1e-12


CHI_SQUARED_999 = {2: 13.816, 4: 18.467}
"""Quantiles 0.999 of χ², by degrees of freedom."""


def distance(g, exact):
    """Distance of the mean of estimates g (N, P) from ∇J: 1 at the edge of the 99.9 % region.

    T² = N (ḡ − ∇J)ᵀ Σ⁺ (ḡ − ∇J) is χ² for large N where g is unbiased, with as many degrees of
    freedom as Σ has ranks: the scores of two actions span one direction in each of two places.
    """
    mean, covariance = moments(g, np.full(len(g), 1 / len(g)))
    size, directions = np.linalg.eigh(covariance)
    spread = size > 1e-10 * size.max()
    error = directions.T @ (mean - exact)
    np.testing.assert_allclose(error[~spread], 0, atol=1e-10)  # nothing is left to chance there
    return len(g) * (error[spread] ** 2 / size[spread]).sum() / CHI_SQUARED_999[spread.sum()]


def sampled_estimates(name, gamma=0.9, **kwargs):
    episodes, policy, seen, pi, mdp = setting(True, gamma)
    batch = episodes.sampled(pi, 40_000, seed=11)
    values = mdp.value(policy)[:-1].reshape(3, 2)
    scores = episodes.scores(batch, policy, seen)
    g = estimates(name, episodes, batch, scores, mdp, values, **kwargs)
    return g, mdp.gradient(policy)


@pytest.mark.parametrize("name", UNBIASED)
def test_the_mean_of_samples_lies_in_its_region(name):
    """The 99.9 % region around ∇J, from 40,000 episodes: each case would fail once in 1,000 seeds.

    The samples' own variance is the exact one to 5 %.
    """
    g, exact = sampled_estimates(name)
    assert distance(g, exact) < 1
    assert abs(g.var(axis=0).sum() / all_variances(True)[name] - 1) < 0.05


def test_the_region_is_small_enough_to_find_a_bias():
    """Reward-to-go without γᵗ lies outside, and so does a gradient that is 10 % too short."""
    g, exact = sampled_estimates("reward-to-go", gamma=0.5, discounted=False)
    assert distance(g, exact) > 1
    g, exact = sampled_estimates("value")
    assert distance(0.9 * g, exact) > 1


def rollout(batch, seen, columns=slice(None)):
    """Trajectories as the algorithms take them."""
    names = ("places", "actions", "rewards", "terminated", "valid")
    places, actions, rewards, terminated, valid = (
        np.ascontiguousarray(getattr(batch, name)[:, columns]) for name in names
    )
    return pg.Rollout(
        observations=seen[places],
        actions=actions,
        log_probs=np.zeros_like(rewards),
        rewards=rewards,
        terminated=terminated,
        truncated=np.zeros_like(terminated),
        valid=None if valid.all() else valid,
        last_observations=None,
        final_observations=np.zeros((0, *seen.shape[1:])),
    )


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("kind", ["linear", "tanh", "state-action"])
@pytest.mark.parametrize(
    "algorithm",
    [
        pg.PolicyGradient(gamma=0.9),  # whole returns are those of the discounted objective
        pg.PolicyGradient(gamma=0.9, discount_states=True),
        pg.Reinforce(gamma=0.9, baseline="none", discount_states=True),
        pg.Reinforce(gamma=0.9, baseline=lambda g, valid: np.full_like(g, 5), discount_states=True),
    ],
    ids=["naive", "naive, states too", "reward-to-go", "constant"],
)
def test_algorithms_estimate_the_discounted_gradient_exactly(algorithm, kind, ends):
    """Σ_τ p(τ) g(τ) = ∇J with batches of one trajectory, the algorithm's own gradient."""
    episodes, policy, seen, pi, mdp = setting(ends, 0.9, kind)
    batch = episodes.everything(pi)
    g = [algorithm.gradient(policy, rollout(batch, seen, [n])) for n in range(batch.valid.shape[1])]
    np.testing.assert_allclose(
        batch.probability @ np.stack(g), mdp.gradient(policy), rtol=0, atol=1e-12
    )


BASELINES = ["none", "leave-one-out", "constant", "time", "linear", "optimal"]


def batch_gradients(baseline, N):
    """REINFORCE's gradients of 40,000 episodes in batches of N, and ∇J."""
    episodes, policy, seen, pi, mdp = setting(True, kind="linear")
    batch = episodes.sampled(pi, 40_000, seed=12)
    algorithm = pg.Reinforce(gamma=0.9, baseline=baseline, discount_states=True, episodes=N)
    parts = [rollout(batch, seen, slice(k, k + N)) for k in range(0, 40_000, N)]
    return np.stack([algorithm.gradient(policy, part) for part in parts]), mdp.gradient(policy)


@pytest.mark.parametrize("baseline", BASELINES)
def test_reinforce_with_each_baseline_is_within_its_region(baseline):
    """400 batches of 100 episodes; each case would fail once in some 900 seeds.

    A baseline that holds the step's own return shrinks the gradient by about 1 %, which is a small
    part of the region.
    """
    assert distance(*batch_gradients(baseline, 100)) < 1


def test_a_baseline_with_the_own_return_is_found_in_small_batches():
    """With 4 episodes the share is a quarter; leave-one-out has none."""
    assert distance(*batch_gradients("leave-one-out", 4)) < 1
    for baseline in ("constant", "time"):
        assert distance(*batch_gradients(baseline, 4)) > 1


# Compatible function approximation and the natural gradient


def compatible_critic(mdp, policy, seen):
    """w of the weighted least squares min Σ d π (Q − wᵀ∇log π)², and wᵀ∇log π of every pair."""
    p, d, scores = mdp.probabilities(policy), mdp.visitation(policy), all_scores(policy, seen)
    root = np.sqrt(d[:, None] * p)
    rows = (root[..., None] * scores).reshape(S * A, -1)
    w = np.linalg.lstsq(rows, (root * mdp.q(policy)).ravel(), rcond=1e-12)[0]
    return w, scores @ w


@KINDS
def test_the_compatible_critic_is_the_natural_gradient(kind):
    """w = F⁺ ∇J to 1e-8; its mean under π is 0; in the place of Q it leaves ∇J as it is.

    Source: Sutton et al. 2000, theorem 2; Kakade 2001, theorem 1.
    """
    policy, seen = policies()[kind]
    mdp = discounted(seen)
    w, critic = compatible_critic(mdp, policy, seen)
    np.testing.assert_allclose(w, mdp.natural_gradient(policy).x, rtol=1e-8, atol=1e-8)
    p, d, scores = mdp.probabilities(policy), mdp.visitation(policy), all_scores(policy, seen)
    np.testing.assert_allclose((p * critic).sum(axis=1), 0, atol=1e-12)
    replaced = np.einsum("s,sa,sap,sa->p", d, p, scores, critic)
    np.testing.assert_allclose(replaced, mdp.gradient(policy), rtol=0, atol=1e-10)
    if kind == "state-action":  # J < S (A − 1): the critic is not Q's advantage, and yet
        assert abs(critic - mdp.advantage(policy)).max() > 1e-2
    if kind == "tabular":  # here it is
        np.testing.assert_allclose(critic, mdp.advantage(policy), atol=1e-9)


def test_the_critic_may_be_fitted_to_the_advantage_as_well():
    """The same w, as a baseline adds nothing to Σ d π Q ∇log π."""
    policy, seen = policies()["state-action"]
    mdp = discounted(seen)
    p, d, scores = mdp.probabilities(policy), mdp.visitation(policy), all_scores(policy, seen)
    root = np.sqrt(d[:, None] * p)
    rows = (root[..., None] * scores).reshape(S * A, -1)
    w = np.linalg.lstsq(rows, (root * mdp.advantage(policy)).ravel(), rcond=1e-12)[0]
    np.testing.assert_allclose(w, compatible_critic(mdp, policy, seen)[0], atol=1e-10)


def test_policies_that_are_the_same_have_natural_steps_that_are_the_same():
    """Kakade's point: F⁺∇J does not depend on how θ is written; here θ = Tᵀη with a regular T."""
    rng = np.random.default_rng(5)
    policy, seen = policies()["state-action"]
    T = rng.normal(size=(J, J)) + 3 * np.eye(J)
    turned = pg.StateActionSoftmaxPolicy(A, J, dtype=np.float64)
    turned.theta = np.linalg.solve(T.T, policy.theta)
    one, other = discounted(seen), discounted(seen @ T.T)
    np.testing.assert_allclose(one.probabilities(policy), other.probabilities(turned), atol=1e-12)
    x, y = one.natural_gradient(policy).x, other.natural_gradient(turned).x
    np.testing.assert_allclose(T.T @ y, x, rtol=1e-8, atol=1e-9)
    assert abs(T.T @ other.gradient(turned) - one.gradient(policy)).max() > 1e-2


# The Fisher matrix


@KINDS
def test_the_fisher_matrix_four_ways(kind):
    """By products, by enumeration, of the MDP, and as the Hessian of the mean KL at θ.

    With γ = 0 and equal starts every state is visited once, so that the MDP's d is the batch mean.
    The Hessian is by central differences of ∇KL(π_θ ‖ π_θ′) = −mean_s Σₐ π_θ(a|s) ∇log π_θ′(a|s).
    """
    policy, seen = policies()[kind]
    P = np.full((S, A, S), 1 / S)
    mdp = pg.TabularMDP(P, np.zeros((S, A)), np.full(S, 1 / S), 0.0, observations=seen)
    p, scores = mdp.probabilities(policy), all_scores(policy, seen)
    n = len(policy.theta)
    enumerated = np.einsum("sa,sap,saq->pq", p, scores, scores) / S
    products = np.stack([policy.fisher_vector_product(seen, e) for e in np.eye(n)])
    np.testing.assert_allclose(products, enumerated, rtol=0, atol=1e-13)
    np.testing.assert_allclose(mdp.fisher(policy), enumerated, rtol=0, atol=1e-13)
    pairs, actions = np.repeat(seen, A, axis=0), np.tile(np.arange(A), S)
    other = policy.copy()
    hessian = central_differences(
        lambda: -other.score(pairs, actions, p.ravel() / S), other.theta, 1e-5
    )
    np.testing.assert_allclose(hessian, enumerated, rtol=0, atol=1e-8)
    # and that gradient is the divergence's own
    other.theta = policy.theta + 0.1 * np.random.default_rng(0).normal(size=n)
    slope = central_differences(lambda: policy.kl(seen, other).mean(), other.theta, 1e-6)
    np.testing.assert_allclose(
        slope, -other.score(pairs, actions, p.ravel() / S), rtol=0, atol=1e-8
    )


@KINDS
def test_a_natural_step_has_the_divergence_it_asked_for(kind):
    """√(2δ / xᵀFx) x: mean KL = δ (1 + O(√δ)). A hundredth of δ has a tenth of the error."""
    policy, seen = policies()[kind]
    mdp = discounted(seen)
    weights = mdp.visitation(policy)
    F, x = mdp.fisher(policy) / weights.sum(), mdp.natural_gradient(policy).x
    before, errors = policy.copy(), []
    for delta in (1e-4, 1e-6, 1e-8):
        policy.theta = before.theta + np.sqrt(2 * delta / (x @ F @ x)) * x
        divergence = weights @ before.kl(seen, policy) / weights.sum()
        errors.append(abs(divergence / delta - 1))
        assert mdp.objective(policy) > mdp.objective(before)
    assert errors[0] < 0.1
    assert errors[1] < 0.12 * errors[0] + 1e-6
    assert errors[2] < 0.12 * errors[1] + 1e-6


def test_npg_steps_by_the_divergence_it_asked_for():
    """The algorithm itself, without damping: second order in what it reports no more than δ."""
    episodes, policy, seen, pi, _ = setting(False, gamma=1.0)
    batch = rollout(episodes.sampled(pi, 500, 3), seen)
    errors = []
    for delta in (1e-4, 1e-6, 1e-8):
        before, after = policy.copy(), policy.copy()
        pg.NPG(kl_radius=delta, damping=0.0, gamma=1.0).learner(after).update(batch)
        divergence = before.kl(batch.observations, after).mean()
        errors.append(abs(divergence / delta - 1))
    assert errors[0] < 0.1
    assert errors[1] < 0.12 * errors[0] + 1e-6
    assert errors[2] < 0.12 * errors[1] + 1e-6
