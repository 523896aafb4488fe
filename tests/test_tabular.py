"""Finite MDPs: exact values against sums over time, closed forms and finite differences."""

import re
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest

import pgfast as pg
from pgfast import _core, reference

S, A = 6, 3


def arrays(seed=0, ends=0, states=S, actions=A):
    """P, R, p0 of a random MDP whose last states are ends, each reached from everywhere."""
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.ones(states), (states, actions))
    R, p0 = rng.normal(size=(states, actions)), rng.dirichlet(np.ones(states))
    for s in range(states - ends, states):
        P[s], R[s] = np.eye(states)[s], 0
    return P, R, p0


def random_policy(seed=1, states=S, actions=A):
    return np.random.default_rng(seed).dirichlet(np.ones(actions), states)


CASES = pytest.mark.parametrize(
    ("gamma", "ends"), [(0.0, 0), (0.5, 0), (0.9, 0), (0.9, 2), (0.99, 1), (1.0, 1), (1.0, 3)]
)


@CASES
@pytest.mark.parametrize("seed", range(3))
def test_everything_equals_its_twin(gamma, ends, seed):
    """Direct solves against sums over time that are carried on until nothing changes."""
    P, R, p0 = arrays(seed, ends)
    pi = random_policy(seed)
    mdp = pg.TabularMDP(P, R, p0, gamma)
    V, Q = reference.tabular_values(P, R, gamma, pi)
    d = reference.tabular_visitation(P, R, p0, gamma, pi)
    close = {"rtol": 1e-11, "atol": 1e-12}
    np.testing.assert_allclose(mdp.value(pi), V, **close)
    np.testing.assert_allclose(mdp.q(pi), Q, **close)
    np.testing.assert_allclose(mdp.advantage(pi), Q - V[:, None], **close)
    np.testing.assert_allclose(mdp.visitation(pi), d, **close)
    assert abs(mdp.objective(pi) - p0 @ V) < 1e-11
    np.testing.assert_allclose(
        mdp.gradient(pi), reference.tabular_gradient(P, R, p0, gamma, pi), **close
    )
    F = reference.tabular_fisher(P, R, p0, gamma, pi)
    np.testing.assert_allclose(mdp.fisher(pi), F, **close)
    best = mdp.optimal()
    np.testing.assert_allclose(
        best.values, reference.tabular_optimal_values(P, R, gamma), rtol=1e-11, atol=1e-11
    )
    np.testing.assert_array_equal(mdp.ends, np.arange(S) >= S - ends)


@CASES
def test_bellman_equations(gamma, ends):
    P, R, p0 = arrays(3, ends)
    pi, mdp = random_policy(), pg.TabularMDP(P, R, p0, gamma)
    V, Q, d = mdp.value(pi), mdp.q(pi), mdp.visitation(pi)
    np.testing.assert_allclose(V, (pi * Q).sum(axis=1), atol=1e-12)
    np.testing.assert_allclose(Q, R + gamma * P @ V, atol=1e-12)
    live = ~mdp.ends
    flow = p0 + gamma * np.einsum("s,sa,sat->t", d, pi, P)
    np.testing.assert_allclose(d[live], flow[live], atol=1e-12)
    np.testing.assert_array_equal(d[mdp.ends], 0)
    np.testing.assert_array_equal(V[mdp.ends], 0)
    assert abs(mdp.objective(pi) - d @ (pi * R).sum(axis=1)) < 1e-12
    if ends == 0:
        assert abs(d.sum() * (1 - gamma) - 1) < 1e-12


def test_the_visitation_is_the_discounted_sum_over_time():
    """d(s) = Σₜ γᵗ Pr(sₜ = s) by multiplying the chain out, without ends and with them."""
    for ends in (0, 2):
        P, R, p0 = arrays(4, ends)
        pi, mdp = random_policy(), pg.TabularMDP(P, R, p0, 0.8)
        P_pi = np.einsum("sa,sat->st", pi, P)
        d = sum(0.8**t * p0 @ np.linalg.matrix_power(P_pi, t) for t in range(200))
        np.testing.assert_allclose(mdp.visitation(pi)[~mdp.ends], d[~mdp.ends], atol=1e-12)


def test_a_state_that_is_never_entered_is_not_visited():
    """Exactly 0, so that its actions have no part in gradients and in the Fisher matrix's rank."""
    P, R, p0 = arrays(5)
    P[..., 4], p0[4] = 0, 0
    P, p0 = P / P.sum(axis=-1, keepdims=True), p0 / p0.sum()
    mdp, pi = pg.TabularMDP(P, R, p0, 0.9), random_policy()
    assert mdp.visitation(pi)[4] == 0
    assert (np.delete(mdp.visitation(pi), 4) > 0).all()
    x, rank = mdp.natural_gradient(pi)
    assert rank == (S - 1) * (A - 1)
    np.testing.assert_array_equal(x[4], 0)


def test_rewards_of_transitions_are_their_mean():
    P, _, p0 = arrays()
    R = np.random.default_rng(2).normal(size=P.shape)
    one = pg.TabularMDP(P, R, p0, 0.9)
    other = pg.TabularMDP(P, (P * R).sum(axis=-1), p0, 0.9)
    np.testing.assert_allclose(one.R, other.R, atol=1e-15)
    assert abs(one.objective(random_policy()) - other.objective(random_policy())) < 1e-13


def chain(length, p, gamma):
    """A walk to the right; each step is made with probability p and costs 1. The last is an end."""
    P = np.zeros((length + 1, 1, length + 1))
    for s in range(length):
        P[s, 0, s], P[s, 0, s + 1] = 1 - p, p
    P[length, 0, length] = 1
    R = -np.ones((length + 1, 1))
    R[length] = 0
    return pg.TabularMDP(P, R, np.eye(length + 1)[0], gamma)


def test_a_chain_has_closed_forms():
    """With γ = 1 the mean time of a step is 1/p: V(s) = −(n − s)/p and d(s) = 1/p."""
    mdp = chain(5, 0.25, 1.0)
    pi = np.ones((6, 1))
    np.testing.assert_allclose(mdp.value(pi), [-20, -16, -12, -8, -4, 0], rtol=1e-14)
    np.testing.assert_allclose(mdp.visitation(pi), [4, 4, 4, 4, 4, 0], rtol=1e-14)
    # discounted, V(s) = −1 + γ ((1 − p) V(s) + p V(s + 1)) has the solution −(1 − xⁿ)/(1 − γ)
    gamma, p = 0.9, 0.25
    x = gamma * p / (1 - gamma * (1 - p))
    expected = [-(1 - x ** (5 - s)) / (1 - gamma) for s in range(6)]
    np.testing.assert_allclose(chain(5, p, gamma).value(pi), expected, rtol=1e-13)


def test_a_bandit_is_the_one_step_case():
    """∂J/∂θ(a) = π(a) (r(a) − J)."""
    P = np.zeros((2, 4, 2))
    P[:, :, 1] = 1
    R = np.array([[1.0, 2, 3, 5], [0, 0, 0, 0]])
    mdp = pg.TabularMDP(P, R, [1, 0], gamma=1.0)
    pi = random_policy(states=2, actions=4)
    J = pi[0] @ R[0]
    assert abs(mdp.objective(pi) - J) < 1e-14
    np.testing.assert_allclose(mdp.gradient(pi)[0], pi[0] * (R[0] - J), rtol=1e-13)
    np.testing.assert_array_equal(mdp.optimal().policy[0], [0, 0, 0, 1])


@CASES
def test_the_best_policy_is_better_than_any(gamma, ends):
    """Bellman's optimality equation, and no worse than every deterministic policy in any state."""
    P, R, p0 = arrays(6, ends, states=5, actions=2)
    mdp = pg.TabularMDP(P, R, p0, gamma)
    best = mdp.optimal()
    np.testing.assert_allclose(best.values, mdp.q(best.policy).max(axis=1), atol=1e-12)
    np.testing.assert_allclose(mdp.value(best.policy), best.values, atol=1e-12)
    for chosen in np.ndindex(*[2] * 5):
        assert (mdp.value(np.eye(2)[list(chosen)]) <= best.values + 1e-11).all()


def test_where_nothing_is_gained_an_episode_still_ends():
    """γ = 1, two actions of the same worth; one of them would go on for ever."""
    P = np.zeros((3, 2, 3))
    P[0, 0, 1] = P[1, 0, 0] = P[0, 1, 2] = P[1, 1, 2] = P[2, :, 2] = 1
    mdp = pg.TabularMDP(P, np.zeros((3, 2)), [1, 0, 0], 1.0)
    best = mdp.optimal()
    np.testing.assert_array_equal(best.values, 0)
    np.testing.assert_array_equal(best.policy[:2, 1], 1)


def test_a_reward_that_never_ends_has_no_best_policy():
    P = np.zeros((2, 2, 2))
    P[0, 0, 0] = P[0, 1, 1] = P[1, :, 1] = 1
    R = np.array([[1.0, 0], [0, 0]])
    assert abs(pg.TabularMDP(P, R, [1, 0], 0.99).optimal().values[0] - 100) < 1e-9
    with pytest.raises(ValueError, match=r"TabularMDP: gamma is 1 and no best policy .* state 0"):
        pg.TabularMDP(P, R, [1, 0], 1.0).optimal()


def test_with_gamma_1_a_policy_that_never_ends_is_an_error():
    P = np.zeros((3, 2, 3))
    P[0, 0, 0] = P[0, 1, 2] = P[1, :, 2] = P[2, :, 2] = 1
    R = np.array([[-1.0, -1], [-1, -1], [0, 0]])
    mdp = pg.TabularMDP(P, R, [0, 1, 0], 1.0)
    stays, leaves = np.eye(2)[[0, 0, 0]], np.eye(2)[[1, 0, 0]]
    assert mdp.objective(leaves) == -1
    almost = np.array([[1 - 1e-12, 1e-12], [1, 0], [1, 0]])
    assert abs(mdp.value(almost)[0] * 1e-12 + 1) < 1e-3  # it ends, if late
    for method in (mdp.value, mdp.visitation, mdp.gradient, mdp.natural_gradient, mdp.fisher):
        with pytest.raises(ValueError, match=r"gamma is 1 and policy never ends .* from state 0"):
            method(stays)
    np.testing.assert_array_equal(mdp.optimal().values, [-1, -1, 0])
    trap = pg.TabularMDP(P, np.where(np.arange(3)[:, None] == 2, 1.0, R), [0, 1, 0], 1.0)
    with pytest.raises(ValueError, match=r"gamma is 1 and no best policy .* from state 0"):
        trap.optimal()  # the last state pays: it is no end, and there is none


@pytest.mark.parametrize("gamma", [0.9, 0.999])
def test_rank_and_natural_gradient_of_the_pairs_logits(gamma):
    """F⁺ ∇J by the dense pseudo-inverse; it is the advantage up to a constant in each state."""
    P, R, p0 = arrays(7)
    mdp, pi = pg.TabularMDP(P, R, p0, gamma), random_policy()
    pi[2] = [0, 0.4, 0.6]  # an action that is never taken
    x, rank = mdp.natural_gradient(pi)
    F, g = mdp.fisher(pi), mdp.gradient(pi)
    dense, dense_rank = _core.semidefinite_solve(F, g.ravel())
    assert rank == dense_rank == np.linalg.matrix_rank(F, hermitian=True) == S * (A - 1) - 1
    np.testing.assert_allclose(x.ravel(), dense, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(x.ravel(), np.linalg.pinv(F, 1e-14, True) @ g.ravel(), atol=1e-8)
    # V is of the size 1 / (1 − γ), and the advantage a difference of such numbers
    np.testing.assert_allclose(F @ x.ravel(), g.ravel(), rtol=0, atol=1e-10 * abs(g).max())
    shifted = x - (pi * x).sum(axis=1, keepdims=True)
    taken = pi > 0
    np.testing.assert_allclose(shifted[taken], mdp.advantage(pi)[taken], rtol=1e-9, atol=1e-9)
    assert x[2, 0] == 0


def test_the_dense_solve_is_the_pseudo_inverse():
    rng = np.random.default_rng(0)
    X, w = rng.normal(size=(7, 20)), rng.uniform(size=7)
    F = _core.weighted_gram(X, w)
    np.testing.assert_allclose(F, (X.T * w) @ X, atol=1e-13)
    np.testing.assert_array_equal(F, F.T)
    b = rng.normal(size=20)
    x, rank = _core.semidefinite_solve(F, b)
    assert rank == 7
    np.testing.assert_allclose(x, np.linalg.pinv(F, hermitian=True) @ b, rtol=1e-9, atol=1e-9)
    x, rank = _core.semidefinite_solve(np.zeros((20, 20)), b)
    assert rank == 0
    np.testing.assert_array_equal(x, 0)


def policies(dtype=np.float64):
    """Policies of each network, with what they see in each state."""
    rng = np.random.default_rng(8)
    features, block = rng.normal(size=(S, 4)), rng.normal(size=(S, A, 5))
    made = {
        "linear, one-hot": (pg.SoftmaxPolicy(S, A, dtype=dtype), None),
        "mlp, number": (pg.SoftmaxPolicy(1, A, hidden=(7,), dtype=dtype), None),
        "mlp, features": (pg.SoftmaxPolicy(4, A, hidden=(5, 3), dtype=dtype), features),
        "blocks": (pg.StateActionSoftmaxPolicy(A, S * A, dtype=dtype), None),
        "state-action": (pg.StateActionSoftmaxPolicy(A, 5, dtype=dtype), block),
    }
    for policy, _ in made.values():
        policy.theta = (0.7 * rng.normal(size=policy.theta.shape)).astype(dtype)
    return made


KINDS = pytest.mark.parametrize("kind", policies())


def sees(kind, observations, policy):
    """What the policy sees in each state, spelled out."""
    if observations is not None:
        return observations.astype(policy.dtype)
    return {
        "linear, one-hot": np.eye(S, dtype=policy.dtype),
        "mlp, number": np.arange(S, dtype=policy.dtype)[:, None],
        "blocks": np.eye(S * A, dtype=policy.dtype).reshape(S, A, S * A),
    }[kind]


@KINDS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_policy_object_is_worth_what_its_probabilities_are(kind, dtype):
    policy, observations = policies(dtype)[kind]
    mdp = pg.TabularMDP(*arrays(), 0.9, observations=observations)
    seen = sees(kind, observations, policy)
    pi = np.stack([np.exp(policy.log_prob(seen, np.full(S, a))) for a in range(A)], axis=1)
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    p = mdp.probabilities(policy)
    assert p.dtype == np.float64
    np.testing.assert_allclose(p, pi, rtol=tolerance)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-15)
    for name in ("value", "q", "advantage", "visitation", "objective"):
        np.testing.assert_array_equal(getattr(mdp, name)(policy), getattr(mdp, name)(p))


@KINDS
def test_gradients_of_a_policy_object_follow_from_those_of_the_logits(kind):
    """∇J = Jᵀ ∂J/∂z and F = Jᵀ F_z J with J the network's Jacobian, from its scores."""
    policy, observations = policies()[kind]
    mdp = pg.TabularMDP(*arrays(), 0.9, observations=observations)
    seen, p = sees(kind, observations, policy), mdp.probabilities(policy)
    scores = np.stack([policy.scores(seen, np.full(S, a)) for a in range(A)], axis=1)
    g, F = mdp.gradient(policy), mdp.fisher(policy)
    assert g.shape == policy.theta.shape
    if kind == "blocks":  # θ(s, a) itself
        np.testing.assert_allclose(g.reshape(S, A), mdp.gradient(p), atol=1e-14)
    # Σₐ π (z-score of a) is 0, so the Jacobian may be replaced by the scores: z − mean of z
    np.testing.assert_allclose(g, np.einsum("sa,sap->p", mdp.gradient(p), scores), atol=1e-12)
    block = mdp.fisher(p).reshape(S * A, S * A)
    flat = scores.reshape(S * A, -1)
    np.testing.assert_allclose(F, flat.T @ block @ flat, rtol=1e-9, atol=1e-12)
    x, rank = mdp.natural_gradient(policy)
    assert rank == np.linalg.matrix_rank(F, hermitian=True)
    np.testing.assert_allclose(F @ x, g, rtol=1e-7, atol=1e-10)


@KINDS
def test_a_policy_in_float32_is_taken_as_float64(kind):
    policy, observations = policies(np.float32)[kind]
    exact, _ = policies()[kind]
    exact.theta = policy.theta.astype(np.float64)
    mdp = pg.TabularMDP(*arrays(), 0.9, observations=observations)
    np.testing.assert_array_equal(mdp.gradient(policy), mdp.gradient(exact))
    np.testing.assert_array_equal(mdp.fisher(policy), mdp.fisher(exact))
    np.testing.assert_array_equal(mdp.natural_gradient(policy).x, mdp.natural_gradient(exact).x)


# Environments


@pytest.mark.parametrize("env_id", ["FrozenLake-v1", "CliffWalking-v1", "Taxi-v4"])
def test_environments_of_gymnasium(env_id):
    """Where the best policy goes, its values are those of value iteration on the lists."""
    env = gym.make(env_id)
    mdp = pg.TabularMDP.from_env(env, 0.9)
    optimum = mdp.optimal()
    V, table = np.zeros(mdp.num_states), env.unwrapped.P
    for _ in range(300):
        V = np.array(
            [
                max(
                    sum(p * (r + 0.9 * V[n] * (not done)) for p, n, r, done in table[s][a])
                    for a in table[s]
                )
                for s in range(mdp.num_states)
            ]
        )
    visited = mdp.visitation(optimum.policy) > 0
    np.testing.assert_allclose(optimum.values[visited], V[visited], rtol=1e-11, atol=1e-12)


def test_known_optima():
    """With γ = 1: 14 of 17 walks over the ice arrive, the way round the cliff takes 13 steps."""
    for env_id, best in [("FrozenLake-v1", 14 / 17), ("CliffWalking-v1", -13)]:
        mdp = pg.TabularMDP.from_env(env_id, 1.0)
        assert abs(mdp.p0 @ mdp.optimal().values - best) < 1e-12


def test_an_environment_by_its_id_and_its_table_as_lists():
    by_id = pg.TabularMDP.from_env("FrozenLake-v1", 0.9)
    env = gym.make("FrozenLake-v1").unwrapped

    table = tuple(tuple(env.P[s][a] for a in range(4)) for s in range(16))
    lists = SimpleNamespace(P=table, initial_state_distrib=list(env.initial_state_distrib))
    other = pg.TabularMDP.from_env(lists, 0.9)
    for name in ("P", "R", "p0"):
        np.testing.assert_array_equal(getattr(by_id, name), getattr(other, name))
    np.testing.assert_array_equal(np.flatnonzero(by_id.ends), [5, 7, 11, 12, 15])


def test_simulated_returns_have_the_exact_mean():
    """4,000 episodes of the real FrozenLake; false alarm 1 in 1,000, with a fixed seed."""
    env = gym.make("FrozenLake-v1").unwrapped
    mdp = pg.TabularMDP.from_env(env, 0.95)
    pi = random_policy(2, 16, 4)
    rng, returns = np.random.default_rng(0), []
    env.reset(seed=0)
    for _ in range(4_000):
        s, total, discount, done = env.reset()[0], 0.0, 1.0, False
        while not done:
            s, reward, done, _, _ = env.step(int(rng.choice(4, p=pi[s])))
            total += discount * float(reward)
            discount *= 0.95
        returns.append(total)
    error = np.std(returns) / np.sqrt(len(returns))
    assert abs(np.mean(returns) - mdp.objective(pi)) < 3.29 * error


def test_a_terminated_step_makes_an_end_of_where_it_leads():
    """Whatever the table says of that state, which nobody leaves."""

    table = {0: {0: [(0.5, 1, 2.0, True), (0.5, 0, 0.0, False)]}, 1: {0: [(1.0, 0, 7.0, False)]}}
    env = SimpleNamespace(P=table, initial_state_distrib=[1.0, 0.0])
    mdp = pg.TabularMDP.from_env(env, 1.0)
    np.testing.assert_array_equal(mdp.ends, [False, True])
    assert abs(mdp.objective(np.ones((2, 1))) - 2) < 1e-14


def test_an_environment_that_is_no_table():
    with pytest.raises(ValueError, match="from_env: CartPoleEnv has no P and initial_state_dist"):
        pg.TabularMDP.from_env("CartPole-v1", 0.9)
    table = {0: {0: [(0.5, 0, 2.0, True), (0.5, 0, 0.0, False)]}}
    both = SimpleNamespace(P=table, initial_state_distrib=[1.0])
    with pytest.raises(ValueError, match="from_env: state 0 both ends episodes and goes on"):
        pg.TabularMDP.from_env(both, 0.9)


# Bad input


def fails(error, text, **spoiled):
    P, R, p0 = arrays()
    with pytest.raises(error, match=f"TabularMDP: {text}"):
        pg.TabularMDP(**{"P": P, "R": R, "p0": p0, "gamma": 0.9, **spoiled})


def test_rows_that_do_not_sum_to_1_are_named():
    P, _, p0 = arrays()
    P[3, 1] = [0.5, 0.25, 0, 0, 0, 0]
    fails(ValueError, re.escape("P[3][1] sums to 0.75, expected 1"), P=P)
    P[3, 1] = [1.5, -0.5, 0, 0, 0, 0]
    text = r"P[3][1][1] is -0.5, expected a probability >= 0"
    fails(ValueError, re.escape(text), P=P)
    fails(ValueError, r"p0 sums to 1.5, expected 1", p0=np.array([1.5, 0, 0, 0, 0, 0]))
    p0 = np.array([1.5, 0, 0, 0, 0, -0.5])
    fails(ValueError, re.escape("p0[5] is -0.5") + ".*, expected a probability", p0=p0)


def test_shapes_and_numbers_that_do_not_fit():
    P, R, p0 = arrays()
    nan = R.copy()
    nan[2, 2] = np.nan
    fails(ValueError, r"P has shape \(6, 3\), expected \(S, A, S\)", P=R)
    fails(ValueError, r"P has shape \(6, 3, 5\), expected \(6, 3, 6\)", P=P[:, :, :5])
    fails(ValueError, r"R has shape \(6,\), expected \(6, 3\)", R=p0)
    fails(ValueError, r"R has shape \(6, 3, 5\), expected \(6, 3, 6\)", R=P[:, :, :5])
    fails(ValueError, r"p0 has shape \(5,\), expected \(6,\)", p0=p0[:5])
    fails(ValueError, "R holds nan, expected finite numbers", R=nan)
    fails(ValueError, "R is not finite, expected", R=np.where(P > 0.9, np.inf, np.inf))
    fails(ValueError, "P holds nan, expected finite numbers", P=P * np.nan)
    fails(ValueError, r"gamma is 1.1, expected a number in \[0, 1\]", gamma=1.1)
    fails(ValueError, r"gamma is nan, expected a number in \[0, 1\]", gamma=np.nan)
    fails(TypeError, r"gamma is a str, expected a number in \[0, 1\]", gamma="1")
    fails(TypeError, "R is a str, expected an array of numbers", R="text")
    fails(
        ValueError,
        r"observations has shape \(5, 2\), expected \(6, ...\)",
        observations=P[:5, 0, :2],
    )


def test_policies_that_do_not_fit():
    mdp, pi = pg.TabularMDP(*arrays(), 0.9), random_policy()
    low, nan = pi.copy(), pi.copy()
    low[4] = [0.25, 0.25, 0]
    nan[1, 1] = np.nan
    for method in (mdp.value, mdp.gradient, mdp.natural_gradient, mdp.fisher):
        for bad, error, text in [
            (pi[:5], ValueError, r"policy has shape \(5, 3\), expected \(6, 3\)"),
            (low, ValueError, r"policy\[4\] sums to 0.5, expected 1"),
            (nan, ValueError, "policy holds nan, expected finite numbers"),
            (pi.astype(np.float32), TypeError, "policy has dtype float32, expected float64"),
            ("text", TypeError, "policy"),
        ]:
            with pytest.raises(error, match=f"TabularMDP: {text}"):
                method(bad)
    with pytest.raises(ValueError, match=r"policy gives logits of shape \(6, 2\), expected \(6, 3"):
        mdp.value(pg.SoftmaxPolicy(S, 2))
    with pytest.raises(ValueError, match=r"observations has shape \(6, 6\), expected \(..., 5\)"):
        mdp.value(pg.SoftmaxPolicy(5, A))


def test_the_arrays_are_a_copy_that_nobody_changes():
    P, R, p0 = arrays()
    mdp = pg.TabularMDP(P, R, p0, 0.9)
    before = mdp.objective(random_policy())
    P[...], R[...], p0[...] = 0, 0, 0
    assert mdp.objective(random_policy()) == before
    with pytest.raises(ValueError, match="read-only"):
        mdp.P[0] = 0


@pytest.mark.parametrize("id", ["FrozenLake-v1", "CliffWalking-v1"])
def test_a_native_table_is_the_mdp_of_gymnasiums(id):
    native = pg.TabularMDP.from_env(pg.make(id), 0.9)
    theirs = pg.TabularMDP.from_env(gym.make(id), 0.9)
    for name in ("P", "R", "p0", "ends"):
        np.testing.assert_array_equal(getattr(native, name), getattr(theirs, name))


def test_an_mdp_is_an_environment():
    """Its episodes' mean return is J; 4 standard errors are left once in 16,000 runs."""
    gamma, policy = 0.9, pg.SoftmaxPolicy(1, A, features=pg.OneHotFeatures(S), dtype=np.float64)
    policy.theta[:] = np.random.default_rng(2).normal(size=policy.theta.size)
    P, R, p0 = arrays(ends=1)
    p0[:-1] += p0[-1] / (S - 1)  # an episode does not begin in its end
    p0[-1] = 0
    mdp = pg.TabularMDP(P, R, p0, gamma)
    env = pg.make("Tabular-v0", 500, mdp=mdp, seed=0, dtype=np.float64, max_episode_steps=300)
    batch = pg.collect(env, policy, episodes=4000)
    returns = pg.episode_return(
        batch.rewards, batch.terminated, batch.truncated, gamma=gamma, valid=batch.valid
    )[0]
    error = returns.std() / np.sqrt(len(returns))
    assert abs(returns.mean() - mdp.objective(policy)) < 4 * error


def test_an_mdp_stands_alone_in_make():
    mdp = pg.TabularMDP(*arrays(ends=1), 0.9)
    with pytest.raises(TypeError, match="mdp is a list, expected a TabularMDP"):
        pg.make("Tabular-v0", mdp=[1])
    with pytest.raises(TypeError, match="mdp stands for P, R, p0 and terminal"):
        pg.make("Tabular-v0", mdp=mdp, p0=mdp.p0)
