"""Each algorithm's update is its pseudocode, written here in NumPy over public functions."""

from __future__ import annotations

import dataclasses
import re

import batches
import numpy as np
import pytest

import pgfast as pg

ALGORITHMS = [pg.PolicyGradient, pg.Reinforce, pg.NPG]


def a_policy(hidden=(), dtype=np.float64, seed=1):
    """A policy that is not the uniform one."""
    policy = pg.SoftmaxPolicy(4, 2, hidden=hidden, dtype=dtype, seed=seed)
    policy.theta += dtype(0.5) * pg.normal(policy.theta.shape, seed=seed, stream=99, dtype=dtype)
    return policy


def a_batch(policy, episodes=6, num_envs=4, seed=3):
    """Whole episodes of random rewards; some end truncated, and their lengths differ."""
    env = pg.make("CartPole-v1", num_envs, seed=seed, dtype=policy.dtype, max_episode_steps=11)
    batch = pg.collect(env, policy, episodes=episodes)
    rewards = pg.normal(batch.rewards.shape, seed=seed, stream=7, dtype=policy.dtype)
    return dataclasses.replace(batch, rewards=np.where(batch.valid, rewards, rewards.dtype.type(0)))


def trajectories(batch):
    """The rewards of each trajectory, as a list of lists."""
    return [list(batch.rewards[batch.valid[:, k], k]) for k in range(batch.rewards.shape[1])]


def gradient(policy, batch, weights):
    """g = 1/K Σₖ Σₜ wₖₜ ∇ log π(aₖₜ|sₖₜ), for weights as a list of lists."""
    scores = policy.scores(batch.observations, batch.actions)
    total = np.zeros_like(policy.theta)
    for k, trajectory in enumerate(weights):
        for t, weight in enumerate(trajectory):
            total += weight * scores[t, k]
    return total / len(weights)


def mean_gradient(policy, batch, weights):
    """g = 1/n Σₖ Σₜ wₖₜ ∇ log π(aₖₜ|sₖₜ), a mean over the n steps."""
    return gradient(policy, batch, weights) * len(weights) / batch.steps


def whole_returns(batch, gamma):
    """R(τ) = Σₜ γᵗ rₜ, on every step."""
    return [
        [sum(gamma**t * r for t, r in enumerate(rewards))] * len(rewards)
        for rewards in trajectories(batch)
    ]


def rewards_to_go(batch, gamma):
    """Gₜ = Σ_{k≥t} γᵏ⁻ᵗ rₖ."""
    return [
        [
            sum(gamma ** (k - t) * rewards[k] for k in range(t, len(rewards)))
            for t in range(len(rewards))
        ]
        for rewards in trajectories(batch)
    ]


def no_baseline(returns, k, t):
    return 0.0


def constant(returns, k, t):
    """The mean over all steps."""
    return np.mean([g for trajectory in returns for g in trajectory])


def time(returns, k, t):
    """The mean over the trajectories that still run at t."""
    return np.mean([trajectory[t] for trajectory in returns if t < len(trajectory)])


def leave_one_out(returns, k, t):
    """The mean over the others that still run at t; 0 where there is none."""
    others = [g[t] for m, g in enumerate(returns) if m != k and t < len(g)]
    return np.mean(others) if others else 0.0


BASELINES = {
    "none": no_baseline,
    "constant": constant,
    "time": time,
    "leave-one-out": leave_one_out,
}


def advantages(batch, gamma, baseline):
    """Gₜ − bₜ."""
    returns = rewards_to_go(batch, gamma)
    return [
        [g - baseline(returns, k, t) for t, g in enumerate(trajectory)]
        for k, trajectory in enumerate(returns)
    ]


def dense_fisher(policy, observations):
    """F = mean_b Σₐ π(a|s_b) ∇ log π(a|s_b) ∇ log π(a|s_b)ᵀ."""
    fisher = np.zeros((len(policy.theta), len(policy.theta)))
    for action in range(policy.actions):
        actions = np.full(len(observations), action)
        probs = np.exp(policy.log_prob(observations, actions))
        scores = policy.scores(observations, actions)
        fisher += (scores * probs[:, None]).T @ scores
    return fisher / len(observations)


def mean_kl_of_step(policy, batch, **settings):
    """Mean KL(old ‖ new) over the batch of one NPG step."""
    new = policy.copy()
    pg.NPG(**settings).learner(new).update(batch)
    return float(policy.kl(batch.valid_observations, new).mean())


def step_of(algorithm, policy, batch):
    """(θ′ − θ, stats) of one update; `policy` stays as it is."""
    new = policy.copy()
    stats = algorithm.learner(new).update(batch)
    return new.theta - policy.theta, stats


# --- policy gradient and REINFORCE ----------------------------------------------------------------


@pytest.mark.parametrize("hidden", [(), (8,)])
@pytest.mark.parametrize("gamma", [0.0, 0.9, 1.0])
def test_policy_gradient_is_its_pseudocode(gamma, hidden):
    """θ ← θ + α/K Σₖ Σₜ ∇ log π · R(τₖ), the whole return on every step."""
    policy = a_policy(hidden)
    batch = a_batch(policy)
    algorithm = pg.PolicyGradient(episodes=6, gamma=gamma, learning_rate=0.3, optimizer="sgd")
    step, stats = step_of(algorithm, policy, batch)
    expected = gradient(policy, batch, whole_returns(batch, gamma))
    np.testing.assert_allclose(step, 0.3 * expected, rtol=1e-10, atol=1e-13)
    assert stats["gradient_norm"] == pytest.approx(np.linalg.norm(expected), rel=1e-10)


@pytest.mark.parametrize("hidden", [(), (8,)])
@pytest.mark.parametrize("gamma", [0.0, 0.9, 1.0])
@pytest.mark.parametrize("baseline", BASELINES)
def test_reinforce_is_its_pseudocode(baseline, gamma, hidden):
    """θ ← θ + α/K Σₖ Σₜ ∇ log π · (Gₜₖ − bₜₖ)."""
    policy = a_policy(hidden)
    batch = a_batch(policy)
    algorithm = pg.Reinforce(
        episodes=6, gamma=gamma, learning_rate=0.3, optimizer="sgd", baseline=baseline
    )
    step, stats = step_of(algorithm, policy, batch)
    expected = gradient(policy, batch, advantages(batch, gamma, BASELINES[baseline]))
    np.testing.assert_allclose(step, 0.3 * expected, rtol=1e-10, atol=1e-13)
    assert stats["gradient_norm"] == pytest.approx(np.linalg.norm(expected), rel=1e-10)


def test_baseline_may_be_a_function():
    """A function gets (returns (T, N), valid (T, N)) and its result is subtracted."""
    policy = a_policy()
    batch = a_batch(policy)
    seen = []

    def half_of_the_first_row(returns, valid):
        seen.append((returns, valid))
        return np.where(valid, 0.5 * returns[0], 0.0)

    algorithm = pg.Reinforce(
        gamma=0.9, learning_rate=1.0, optimizer="sgd", baseline=half_of_the_first_row
    )
    step, _ = step_of(algorithm, policy, batch)
    expected = gradient(policy, batch, advantages(batch, 0.9, lambda g, k, t: 0.5 * g[k][0]))
    np.testing.assert_allclose(step, expected, rtol=1e-10, atol=1e-13)
    [(returns, valid)] = seen
    assert returns.shape == batch.rewards.shape
    assert returns.dtype == policy.dtype
    assert (valid == batch.valid).all()


@pytest.mark.parametrize("kind", [pg.Reinforce, pg.NPG])
def test_the_linear_and_the_optimal_baseline_by_name(kind):
    """They read the states of the batch, and the scores of the policy that acted."""
    policy = a_policy()
    batch = a_batch(policy)
    norms = pg.score_norms(policy, batch.observations, batch.actions)
    functions = {
        "linear": lambda g, valid: pg.linear_baseline(g, valid, batch.observations),
        "optimal": lambda g, valid: pg.optimal_baseline(g, valid, norms),
    }
    for name, function in functions.items():
        step, _ = step_of(kind(baseline=name, gamma=0.9), policy, batch)
        expected, _ = step_of(kind(baseline=function, gamma=0.9), policy, batch)
        np.testing.assert_array_equal(step, expected)
    with pytest.raises(ValueError, match="policy is None, expected the one that acted"):
        pg.Reinforce(baseline="optimal").weights(batch)


@pytest.mark.parametrize("kind", ["linear", "multi", "gaussian"])
def test_reinforce_weighs_the_masked_scores_of_every_policy(kind):
    """1/K Σₖ Σₜ ∇ log π(a|s) (G − b), with the masks of the batch, by its norms too."""
    policy = batches.a_policy(kind)
    batch = batches.a_batch(policy, whole=True, masked=kind in batches.MASKABLE)
    norms = np.square(policy.scores(batch.observations, batch.actions, masks=batch.masks))
    flags = batch.terminated, batch.truncated
    returns = pg.reward_to_go(batch.rewards, *flags, gamma=0.9)
    baseline = pg.optimal_baseline(returns, batch.valid, norms.sum(axis=-1))
    weights = np.where(batch.valid, returns - baseline, 0)
    score = policy.score(batch.observations, batch.actions, weights, masks=batch.masks)
    gradient = pg.Reinforce(gamma=0.9, baseline="optimal").gradient(policy, batch)
    np.testing.assert_allclose(gradient, score / batch.rewards.shape[1], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", [pg.PolicyGradient, pg.Reinforce])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0])
def test_discounted_states_weigh_less(kind, gamma):
    """With `discount_states` the weight of step t is γᵗ times as large; γ⁰ = 1 also for γ = 0."""
    policy = batches.a_policy("tanh")
    batch = batches.a_batch(policy, whole=True)
    settings = {} if kind is pg.PolicyGradient else {"baseline": "time"}
    algorithm = kind(gamma=gamma, discount_states=True, **settings)
    discounts = gamma ** np.arange(float(len(batch.rewards)))[:, None]
    weights = kind(gamma=gamma, **settings).weights(batch, policy)
    if kind is pg.Reinforce:
        weights = weights * discounts
    score = policy.score(batch.observations, batch.actions, weights)
    gradient = algorithm.gradient(policy, batch)
    np.testing.assert_allclose(gradient, score / batch.rewards.shape[1], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", [pg.Reinforce, pg.NPG])
def test_a_baseline_counts_only_on_steps_that_happened(kind):
    """What a baseline function gives behind an episode's end changes nothing."""
    policy = a_policy()
    batch = a_batch(policy)
    assert not batch.valid.all()

    def masked(returns, valid):
        return np.where(valid, 0.7, 0.0)

    def unmasked(returns, valid):
        return np.full_like(returns, 0.7)

    expected, _ = step_of(kind(baseline=masked), policy, batch)
    step, _ = step_of(kind(baseline=unmasked), policy, batch)
    assert (step == expected).all()


@pytest.mark.parametrize("kind", [pg.PolicyGradient, pg.Reinforce])
def test_weights_are_zero_where_no_step_happened(kind):
    """Weights are (T, K), and 0 behind an episode's end."""
    policy = a_policy()
    batch = a_batch(policy)
    assert not batch.valid.all()
    weights = kind().weights(batch)
    assert weights.shape == batch.rewards.shape
    assert weights.dtype == policy.dtype
    assert (weights[~batch.valid] == 0).all()
    assert (weights[batch.valid] != 0).any()


@pytest.mark.parametrize("kind", [pg.PolicyGradient, pg.Reinforce])
def test_adam_keeps_its_moments_from_update_to_update(kind):
    """Three updates equal Kingma & Ba's algorithm 1, climbing, on the same gradients."""
    policy = a_policy()
    extra = {"baseline": "time"} if kind is pg.Reinforce else {}
    algorithm = kind(gamma=0.9, learning_rate=0.02, optimizer="adam", **extra)
    learner = algorithm.learner(policy)
    theta, m, v = policy.theta.copy(), np.zeros(10), np.zeros(10)
    for k in range(1, 4):
        batch = a_batch(policy, seed=k)
        weights = (
            whole_returns(batch, 0.9)
            if kind is pg.PolicyGradient
            else advantages(batch, 0.9, BASELINES["time"])
        )
        g = gradient(policy, batch, weights)
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        theta += 0.02 * (m / (1 - 0.9**k)) / (np.sqrt(v / (1 - 0.999**k)) + 1e-8)
        learner.update(batch)
        np.testing.assert_allclose(policy.theta, theta, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_learners_of_the_same_settings_share_nothing(kind):
    """What one learner has seen does not change another's first step."""
    algorithm = kind()
    policy = a_policy()
    batch = a_batch(policy)
    first, _ = step_of(algorithm, policy, batch)
    busy = a_policy(seed=5)
    learner = algorithm.learner(busy)
    for seed in range(3):
        learner.update(a_batch(busy, seed=seed))
    second, _ = step_of(algorithm, policy, batch)
    assert (first == second).all()


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_update_changes_theta_in_place_and_nothing_else(kind):
    """The policy keeps its θ array, its dtype and its count of draws; the batch stays as it is."""
    policy = a_policy(dtype=np.float32)
    batch = a_batch(policy)
    theta, draws, before = policy.theta, policy.draws, policy.theta.copy()
    copies = {name: np.copy(value) for name, value in vars(batch).items() if value is not None}
    stats = kind().learner(policy).update(batch)
    assert policy.theta is theta
    assert policy.dtype == np.float32
    assert policy.draws == draws
    assert (theta != before).any()
    for name, value in copies.items():
        assert (getattr(batch, name) == value).all(), name
    assert all(type(value) is float for value in stats.values())


# --- natural policy gradient ----------------------------------------------------------------------


@pytest.mark.parametrize("hidden", [(), (8,)])
def test_npg_direction_solves_the_fisher_system(hidden):
    """‖(F + damping I) x − g‖ ≤ 1e-6 ‖g‖ with the dense F, enumerated over all actions."""
    policy = a_policy(hidden)
    batch = a_batch(policy, episodes=32)
    settings = {"gamma": 0.9, "baseline": "time", "damping": 1e-2, "max_iterations": 200}
    step, stats = step_of(pg.NPG(**settings), policy, batch)
    x = step / stats["step_size"]
    g = mean_gradient(policy, batch, advantages(batch, 0.9, BASELINES["time"]))
    damped = dense_fisher(policy, batch.valid_observations) + 1e-2 * np.eye(len(x))
    # The recursion's residual and the true one differ by rounding, 1e-12 or so.
    assert np.linalg.norm(damped @ x - g) <= (1e-6 + 1e-9) * np.linalg.norm(g)
    # The error that a residual of 1e-6 allows is 1e-6 times the condition number.
    exact = np.linalg.solve(damped, g)
    bound = 1e-6 * np.linalg.cond(damped)
    assert bound < 1e-3
    assert np.linalg.norm(x - exact) <= bound * np.linalg.norm(exact)


@pytest.mark.parametrize("hidden", [(), (8,)])
@pytest.mark.parametrize("damping", [1e-3, 0.1])
def test_npg_step_has_the_length_of_its_radius_in_the_damped_fisher_metric(hidden, damping):
    """½ (θ′ − θ)ᵀ (F + damping I) (θ′ − θ) = δ, with the dense F."""
    policy = a_policy(hidden)
    batch = a_batch(policy, episodes=32)
    step, _ = step_of(pg.NPG(kl_radius=0.03, damping=damping), policy, batch)
    metric = dense_fisher(policy, batch.valid_observations) + damping * np.eye(len(step))
    assert 0.5 * step @ metric @ step == pytest.approx(0.03, rel=1e-10)


def test_npg_step_of_a_nearly_deterministic_policy_is_bounded_by_the_damping():
    """|θ′ − θ| ≤ √(2 δ / damping), where F is nearly 0 and the gradient is not."""
    policy = pg.SoftmaxPolicy(4, 2, dtype=np.float64)
    policy.theta[-2] = 16.0
    batch = a_batch(policy, episodes=32)
    rewards = np.random.default_rng(0).normal(size=batch.rewards.shape) * batch.valid
    batch = dataclasses.replace(batch, rewards=rewards)
    step, stats = step_of(pg.NPG(kl_radius=0.01, damping=0.01), policy, batch)
    assert stats["gradient_norm"] > 0
    assert np.linalg.norm(step) <= np.sqrt(2 * 0.01 / 0.01) * (1 + 1e-9)


@pytest.mark.parametrize("baseline", BASELINES)
def test_npg_takes_each_baseline(baseline):
    """With one conjugate-gradient step the direction is g itself, g as REINFORCE has it."""
    policy = a_policy()
    batch = a_batch(policy)
    step, stats = step_of(pg.NPG(gamma=0.9, baseline=baseline, max_iterations=1), policy, batch)
    g = mean_gradient(policy, batch, advantages(batch, 0.9, BASELINES[baseline]))
    np.testing.assert_allclose(
        step / np.linalg.norm(step), g / np.linalg.norm(g), rtol=1e-9, atol=1e-12
    )
    assert stats["cg_iterations"] == 1
    assert stats["gradient_norm"] == pytest.approx(np.linalg.norm(g), rel=1e-10)


@pytest.mark.parametrize(("hidden", "damping"), [((), 1e-4), ((8,), 0.1)])
def test_npg_kl_is_the_radius_to_second_order(hidden, damping):
    """Where the third derivative is not 0, |KL/½dᵀFd − 1| falls as √δ: a quarter of δ halves it."""
    policy = a_policy(hidden)
    batch = a_batch(policy, episodes=32)
    fisher = dense_fisher(policy, batch.valid_observations)
    errors = []
    for radius in (1e-4, 2.5e-5, 6.25e-6):
        settings = {"kl_radius": radius, "damping": damping}
        step, _ = step_of(pg.NPG(**settings), policy, batch)
        quadratic = 0.5 * step @ fisher @ step
        assert quadratic <= radius  # the rest is what the damping takes
        errors.append(abs(mean_kl_of_step(policy, batch, **settings) / quadratic - 1))
    assert 1e-4 < errors[0] < 0.02  # small, and there is something to halve
    assert errors[1] / errors[0] == pytest.approx(0.5, rel=0.05)
    assert errors[2] / errors[1] == pytest.approx(0.5, rel=0.05)


def test_npg_kl_of_the_uniform_policy_is_the_radius_to_third_order():
    """Two equally probable actions are symmetric: half of δ halves |KL/δ − 1|."""
    policy = pg.SoftmaxPolicy(4, 2, dtype=np.float64)
    assert (policy.theta == 0).all()
    batch = a_batch(policy, episodes=32)
    errors = [
        abs(mean_kl_of_step(policy, batch, kl_radius=radius, damping=1e-9) / radius - 1)
        for radius in (4e-3, 2e-3, 1e-3)
    ]
    assert 1e-6 < errors[0] < 0.02
    assert errors[1] / errors[0] == pytest.approx(0.5, rel=0.05)
    assert errors[2] / errors[1] == pytest.approx(0.5, rel=0.05)


def test_npg_kl_of_a_little_damped_step_is_near_its_radius():
    """KL(old ‖ new) of a linear float32 policy's first step is within a tenth of kl_radius."""
    policy = pg.SoftmaxPolicy(4, 2)
    batch = pg.collect(pg.make("CartPole-v1", 64, seed=2), policy, episodes=64)
    assert mean_kl_of_step(policy, batch, damping=1e-4) == pytest.approx(0.01, rel=0.1)


def test_npg_step_does_not_depend_on_the_scale_of_the_rewards():
    """128 times the rewards give the same step bit for bit: powers of two are scaled exactly."""
    policy = a_policy()
    batch = a_batch(policy)
    step, _ = step_of(pg.NPG(), policy, batch)
    scaled, _ = step_of(pg.NPG(), policy, dataclasses.replace(batch, rewards=128 * batch.rewards))
    assert (scaled == step).all()


# --- one trajectory, no gradient ------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_one_trajectory_is_an_update(kind):
    """K = 1, the stochastic gradient: the whole update is that trajectory's."""
    policy = a_policy()
    batch = a_batch(policy, episodes=1)
    settings = {"episodes": 1, "gamma": 0.9}
    if kind is not pg.PolicyGradient:
        settings["baseline"] = "none"
    weights = whole_returns(batch, 0.9) if kind is pg.PolicyGradient else rewards_to_go(batch, 0.9)
    g = gradient(policy, batch, weights)
    if kind is pg.NPG:
        step, _ = step_of(kind(**settings, max_iterations=1), policy, batch)
        step *= np.linalg.norm(g) / np.linalg.norm(step)
    else:
        step, _ = step_of(kind(**settings, optimizer="sgd", learning_rate=1.0), policy, batch)
    np.testing.assert_allclose(step, g, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_one_trajectory_teaches_with_default_settings(kind):
    """episodes=1 and nothing else set: the policy changes, it does not stand still unseen."""
    policy = a_policy()
    step, _ = step_of(kind(episodes=1), policy, a_batch(policy, episodes=1))
    assert (step != 0).any()


@pytest.mark.parametrize(
    "algorithm",
    [
        pg.PolicyGradient(optimizer="adam"),
        pg.PolicyGradient(optimizer="sgd"),
        pg.Reinforce(optimizer="adam"),
        pg.Reinforce(optimizer="sgd"),
        pg.NPG(),
        pg.NPG(damping=0.0),
    ],
)
def test_no_gradient_no_step(algorithm):
    """Rewards that are all 0 leave θ as it is, bit for bit, and the numbers finite."""
    policy = a_policy()
    batch = a_batch(policy)
    batch = dataclasses.replace(batch, rewards=np.zeros_like(batch.rewards))
    before = policy.theta.copy()
    stats = algorithm.learner(policy).update(batch)
    assert (policy.theta == before).all()
    assert stats["gradient_norm"] == 0
    assert np.isfinite(list(stats.values())).all()
    assert stats.get("step_size", 0) == 0


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_settings_are_frozen_and_named(kind):
    """Settings can neither be changed nor given by position; equal ones are equal."""
    algorithm = kind(gamma=0.5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        algorithm.gamma = 0.9
    with pytest.raises(TypeError):
        kind(64)
    assert algorithm == kind(gamma=0.5)
    assert algorithm != kind(gamma=0.6)
    assert dataclasses.replace(algorithm, gamma=0.9).gamma == 0.9
    assert "gamma=0.5" in repr(algorithm)


BAD_VALUES = [
    *[(kind, "gamma", value, "[0, 1]") for kind in ALGORITHMS for value in (-0.1, 1.1, np.nan)],
    *[(kind, "episodes", value, "at least 1") for kind in ALGORITHMS for value in (0, -3)],
    *[
        (kind, "learning_rate", value, "> 0")
        for kind in (pg.PolicyGradient, pg.Reinforce)
        for value in (0.0, -1.0, np.nan, np.inf)
    ],
    (pg.PolicyGradient, "optimizer", "rmsprop", "'adam' or 'sgd'"),
    (pg.Reinforce, "optimizer", "Adam", "'adam' or 'sgd'"),
    (pg.Reinforce, "baseline", "tme", "'time'"),
    (pg.Reinforce, "baseline", "leave-out", "'leave-one-out'"),
    (pg.NPG, "baseline", "xyz", "'constant', 'leave-one-out', 'linear', 'none', 'optimal', 'time'"),
    *[(pg.NPG, "kl_radius", value, "> 0") for value in (0.0, -1.0, np.nan, np.inf)],
    *[(pg.NPG, "damping", value, ">= 0") for value in (-1.0, np.nan, np.inf)],
    (pg.NPG, "max_iterations", 0, "at least 1"),
]


@pytest.mark.parametrize(("kind", "name", "value", "expected"), BAD_VALUES)
def test_a_value_out_of_range_is_named(kind, name, value, expected):
    """ValueError tells class, argument, what was given and what was expected."""
    message = f"^{kind.__name__}: {name} is {re.escape(repr(value))}, .*{re.escape(expected)}"
    with pytest.raises(ValueError, match=message):
        kind(**{name: value})


BAD_TYPES = [
    *[(kind, "gamma", value) for kind in ALGORITHMS for value in ("0.9", None)],
    *[(kind, "episodes", value) for kind in ALGORITHMS for value in (2.0, "64", None)],
    (pg.PolicyGradient, "learning_rate", "0.1"),
    (pg.Reinforce, "learning_rate", None),
    (pg.Reinforce, "baseline", ["time"]),
    (pg.NPG, "kl_radius", "0.1"),
    (pg.NPG, "damping", None),
    (pg.NPG, "max_iterations", 2.5),
]


@pytest.mark.parametrize(("kind", "name", "value"), BAD_TYPES)
def test_a_value_of_another_type_is_named(kind, name, value):
    """The error tells class, argument and what was expected, not what Python stumbled over."""
    with pytest.raises((TypeError, ValueError), match=f"^{kind.__name__}: {name} .*expected"):
        kind(**{name: value})


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_an_unknown_setting_is_refused(kind):
    """A misspelt setting is a TypeError that shows it."""
    with pytest.raises(TypeError, match="gama"):
        kind(gama=0.9)
