"""The compatible actor-critic: least squares over scores, and its incremental update."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from batches import KINDS, MASKABLE, a_batch, a_policy, step_of
from test_actor_critic import holes, time_of

import pgfast as pg
from pgfast.reference import algorithms as twins

EXACT = {"max_iterations": 2000, "damping": 0.05}


def rewards_to_go(batch, gamma):
    return pg.reward_to_go(batch.rewards, batch.terminated, batch.truncated, gamma=gamma)


def happened_scores(policy, batch):
    masks = None if batch.masks is None else batch.masks[batch.valid]
    return policy.scores(batch.observations[batch.valid], batch.actions[batch.valid], masks=masks)


# --- batch ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_w_is_the_least_squares_solution(kind):
    """θ′ − θ = α w, with w of the dense normal equations, for every policy."""
    policy = a_policy(kind)
    batch = a_batch(policy, whole=True, N=20, masked=kind in MASKABLE)
    algorithm = pg.CompatibleActorCritic(gamma=0.9, baseline="none", learning_rate=0.3, **EXACT)
    learner = algorithm.learner(policy.copy())
    learner.update(batch)
    targets = rewards_to_go(batch, 0.9)[batch.valid]
    w = twins.compatible_weights(happened_scores(policy, batch), targets, 0.05)
    # Conjugate gradients stop at a residual of 1e-6 of the right side's norm.
    np.testing.assert_allclose(learner.w, w, rtol=1e-4, atol=1e-5 * np.abs(w).max())
    np.testing.assert_allclose(learner.policy.theta - policy.theta, 0.3 * learner.w, rtol=1e-9)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0])
def test_discounted_states_weigh_less_in_the_least_squares(gamma):
    """With `discount_states` the square of step t has weight γᵗ."""
    policy = a_policy("linear")
    batch = a_batch(policy, whole=True, N=30)
    settings = {"gamma": gamma, "baseline": "none", "discount_states": True, "learning_rate": 1.0}
    step, _ = step_of(pg.CompatibleActorCritic(**settings, **EXACT), policy, batch)
    weights = gamma ** time_of(batch)[batch.valid].astype(float)
    targets = rewards_to_go(batch, gamma)[batch.valid]
    w = twins.compatible_weights(happened_scores(policy, batch), targets, 0.05, weights)
    np.testing.assert_allclose(step, w, rtol=1e-4, atol=1e-5 * np.abs(w).max())


def test_the_critic_has_mean_zero_under_the_policy():
    """Σₐ π(a|s) ∇ log π(a|s)ᵀw = 0 in every state: it is an advantage."""
    policy = a_policy("tanh")
    learner = pg.CompatibleActorCritic(baseline="none").learner(policy.copy())
    batch = a_batch(policy, whole=True, N=20)
    learner.update(batch)
    s = batch.observations[0]
    mean = 0.0
    for action in range(3):
        a = np.full(len(s), action)
        mean = mean + np.exp(policy.log_prob(s, a)) * (policy.scores(s, a) @ learner.w)
    np.testing.assert_allclose(mean, 0, atol=1e-12 * np.abs(learner.w).max())


def test_its_direction_is_the_natural_gradient_by_the_empirical_fisher_matrix():
    """w = (1/n Σ score scoreᵀ + damping)⁻¹ g, g the gradient of REINFORCE."""
    policy = a_policy("gaussian")
    batch = a_batch(policy, whole=True, N=20)
    algorithm = pg.CompatibleActorCritic(gamma=0.9, baseline="time", learning_rate=1.0, **EXACT)
    step, stats = step_of(algorithm, policy, batch)
    scores = happened_scores(policy, batch)
    g = pg.Reinforce(gamma=0.9, baseline="time").gradient(policy, batch)
    g *= batch.rewards.shape[1] / batch.steps
    fisher = scores.T @ scores / len(scores)
    w = np.linalg.solve(fisher + 0.05 * np.eye(len(g)), g)
    np.testing.assert_allclose(step, w, rtol=1e-4, atol=1e-5 * np.abs(w).max())
    assert stats["gradient_norm"] == pytest.approx(np.linalg.norm(g), rel=1e-9)


def test_max_step_bounds_the_divergence():
    """α²/2 wᵀF̂w ≤ δ: a smaller step in the same direction, or the same one where it is allowed."""
    policy = a_policy("tanh")
    batch = a_batch(policy, whole=True, N=20)
    settings = {"learning_rate": 5.0, "baseline": "none", **EXACT}
    free, _ = step_of(pg.CompatibleActorCritic(**settings), policy, batch)
    held, stats = step_of(pg.CompatibleActorCritic(max_step=1e-3, **settings), policy, batch)
    scores = happened_scores(policy, batch)
    assert 0.5 * ((scores @ held) ** 2).mean() == pytest.approx(1e-3, rel=1e-6)
    np.testing.assert_allclose(
        held / np.linalg.norm(held), free / np.linalg.norm(free), rtol=1e-9, atol=1e-12
    )
    assert stats["step_size"] < 5.0
    same, _ = step_of(pg.CompatibleActorCritic(max_step=1e9, **settings), policy, batch)
    np.testing.assert_array_equal(same, free)


def test_steps_of_every_environment_with_a_critic():
    """GAE for the targets; rows that only reset play no part."""
    policy = a_policy("linear")
    batch = holes(a_batch(policy, T=30))
    critic = pg.Critic(hidden=(5,))
    settings = {"episodes": None, "steps": 30, "gamma": 0.9, "lam": 0.8, "learning_rate": 1.0}
    algorithm = pg.CompatibleActorCritic(critic=critic, **settings, **EXACT)
    step, _ = step_of(algorithm, policy, batch)
    value = critic.value_function(policy)
    values = np.concatenate(
        [value.predict(batch.observations), value.predict(batch.last_observations)[None]]
    )
    targets = pg.gae(
        batch.rewards,
        values,
        batch.terminated,
        batch.truncated,
        gamma=0.9,
        lam=0.8,
        final_values=value.predict(batch.final_observations),
    )[batch.valid]
    w = twins.compatible_weights(happened_scores(policy, batch), targets, 0.05)
    np.testing.assert_allclose(step, w, rtol=1e-4, atol=1e-5 * np.abs(w).max())


# --- incremental ----------------------------------------------------------------------------------


def incremental(policy, batches, gamma=0.9, **settings):
    """Learner and twin over the same batches."""
    algorithm = pg.CompatibleActorCritic(update="incremental", gamma=gamma, **settings)
    learner = algorithm.learner(policy)
    theta, w = policy.theta.copy(), np.zeros_like(policy.theta)
    twin = policy.copy()

    def climb(direction):
        twin.theta += algorithm.learning_rate * direction

    for batch in batches:
        twin.theta = theta
        happened = np.ones(batch.rewards.shape, bool) if batch.valid is None else batch.valid

        def scores_at(t, n, batch=batch):
            masks = None if batch.masks is None else batch.masks[t, n : n + 1]
            s, a = batch.observations[t, n : n + 1], batch.actions[t, n : n + 1]
            return twin.scores(s, a, masks=masks)[0]

        w = twins.compatible_incremental(
            scores_at,
            climb,
            w,
            batch.rewards,
            batch.terminated | batch.truncated,
            happened,
            time_of(batch),
            gamma=gamma,
            critic_rate=algorithm.critic_rate,
        )
        theta = twin.theta.copy()
        stats = learner.update(batch)
        assert np.isfinite(list(stats.values())).all()
        np.testing.assert_allclose(learner.w, w, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(policy.theta, theta, rtol=1e-9, atol=1e-12)
    return learner


@pytest.mark.parametrize("gamma", [0.0, 0.9, 1.0])
@pytest.mark.parametrize("kind", ["linear", "multi", "gaussian"])
def test_the_incremental_update_is_its_pseudocode(kind, gamma):
    """Of cut episodes, whole ones, and rows that only reset, one after the other."""
    policy = a_policy(kind)
    batches = [
        a_batch(policy, seed=1, masked=kind == "multi"),
        a_batch(policy, seed=2, whole=True),
        holes(a_batch(policy, seed=3)),
    ]
    small = 0.1 if kind == "gaussian" else 1.0  # its scores are not bounded
    rates = {"learning_rate": 0.05 * small, "critic_rate": 0.2 * small}
    learner = incremental(policy, batches, gamma, **rates)
    assert (learner.w != 0).any()


def test_time_goes_on_from_batch_to_batch_in_the_incremental_update():
    """γᵗ counts from the episode's beginning, also where that lies before the batch."""
    policy = a_policy("linear")
    batch = dataclasses.replace(a_batch(policy), elapsed=np.array([3, 0, 7, 1, 2]))
    incremental(policy, [batch], learning_rate=0.05, critic_rate=0.2)


@pytest.mark.parametrize("N", [1, 6])
def test_the_incremental_update_learns_from_one_step_problems(N):
    """T = 1, and every step ends its episode: w ← w − β mean (scoreᵀw − r) score."""
    policy = a_policy("linear")
    batch = a_batch(policy, T=1, N=N, whole=True)
    before = policy.theta.copy()
    scores = policy.scores(batch.observations[0], batch.actions[0])
    learner = incremental(policy, [batch], learning_rate=0.5, critic_rate=0.2)
    w = 0.2 * (batch.rewards[0][:, None] * scores).mean(axis=0)
    np.testing.assert_allclose(learner.w, w, rtol=1e-12)
    np.testing.assert_allclose(policy.theta, before + 0.5 * w, rtol=1e-12)


def test_one_environment_goes_on_behind_a_row_that_only_resets():
    """The row of the reset is passed over, not taken for the end of the batch."""
    policy = a_policy("linear")
    batch = holes(a_batch(policy, T=20, N=1, ends=0.3))
    gap = np.flatnonzero(~batch.valid[:, 0])[0]
    assert gap < 17
    learner = incremental(policy.copy(), [batch], learning_rate=0.05, critic_rate=0.2)
    shorter = dataclasses.replace(
        batch,
        **{
            name: getattr(batch, name)[: gap + 1]
            for name in ("observations", "actions", "log_probs", "rewards", "valid")
        },
        terminated=batch.terminated[: gap + 1],
        truncated=batch.truncated[: gap + 1],
    )
    short = incremental(policy.copy(), [shorter], learning_rate=0.05, critic_rate=0.2)
    assert (learner.w != short.w).any()


BAD = [
    ({"update": "online"}, "update is 'online', expected 'batch' or 'incremental'"),
    ({"learning_rate": 0.0}, "learning_rate is 0.0, expected a finite number > 0"),
    ({"critic_rate": -1.0}, "critic_rate is -1.0, expected a finite number > 0"),
    ({"max_step": 0.0}, "max_step is 0.0, expected a finite number > 0"),
    ({"damping": -1.0}, "damping is -1.0, expected a finite number >= 0"),
    ({"max_iterations": 0}, "max_iterations"),
    ({"episodes": None, "steps": 5}, "critic is None with steps=5, expected a Critic"),
]


@pytest.mark.parametrize(("settings", "message"), BAD)
def test_a_value_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=f"^CompatibleActorCritic: {message}"):
        pg.CompatibleActorCritic(**settings)
