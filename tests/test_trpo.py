"""TRPO: its step against a NumPy twin, its radius, and no step rather than a bad one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from batches import KINDS, MASKABLE, D, a_batch, a_policy, step_of
from test_actor_critic import twin_of

import pgfast as pg
from pgfast.reference import algorithms as twins


def constant(returns, valid):
    """A baseline that is read from nothing."""
    return np.full_like(returns, 0.3)


def rewards_to_go(batch, gamma):
    return pg.reward_to_go(batch.rewards, batch.terminated, batch.truncated, gamma=gamma)


@pytest.mark.parametrize("accept", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("kl_radius", [1e-3, 0.1, 3.0])
@pytest.mark.parametrize("kind", ["linear", "tanh"])
def test_trpo_is_its_pseudocode(kind, kl_radius, accept):
    """The Fisher system solved directly, then the first try that fits."""
    taken = []
    for seed in range(5):
        policy = a_policy(kind, seed=seed)
        batch = a_batch(policy, whole=True, seed=seed, N=12)
        settings = {
            "kl_radius": kl_radius,
            "damping": 0.05,
            "max_backtracks": 4,
            "shrink": 0.6,
            "accept": accept,
        }
        algorithm = pg.TRPO(gamma=0.9, baseline=constant, max_iterations=1000, **settings)
        step, stats = step_of(algorithm, policy, batch)
        twin = twin_of(policy)
        happened = batch.valid
        backtracks = twins.trust_region_step(
            twin,
            batch.observations[happened],
            batch.actions[happened],
            (rewards_to_go(batch, 0.9) - 0.3)[happened],
            **settings,
        )
        assert (stats["accepted"] == 1) == (backtracks is not None)
        if backtracks is not None:
            assert stats["backtracks"] == backtracks
        taken.append(backtracks)
        # Conjugate gradients stop at a residual of 1e-6.
        np.testing.assert_allclose(policy.theta + step, twin.theta, rtol=1e-4, atol=1e-5)
    if kl_radius == 3.0 and accept == 1.0:
        assert None in taken  # a step that promises too much is not taken
    if kl_radius == 1e-3 and accept == 0.1:
        assert taken.count(0) >= 3


@pytest.mark.parametrize("kind", KINDS)
def test_trpo_never_leaves_its_radius(kind):
    """Over many batches: the exact mean KL(old ‖ new) over the batch is at most δ."""
    accepted = refused = 0
    for seed in range(12):
        for kl_radius in (1e-4, 1e-2, 1.0):
            policy = a_policy(kind, seed=seed)
            batch = a_batch(policy, whole=True, seed=seed, masked=kind in MASKABLE)
            algorithm = pg.TRPO(kl_radius=kl_radius, accept=0.3, damping=1e-3, max_backtracks=3)
            step, stats = step_of(algorithm, policy, batch)
            new = policy.copy()
            new.theta += step
            kl = policy.kl(batch.valid_observations, new, masks=batch.valid_masks).mean()
            assert kl <= kl_radius * (1 + 1e-9)
            if stats["accepted"]:
                accepted += 1
                assert kl == pytest.approx(stats["kl"], rel=1e-6, abs=1e-12)
                assert stats["improvement"] > 0
            else:
                refused += 1
                assert (step == 0).all()
    assert accepted >= 20


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_theta_is_restored_bit_for_bit_where_no_step_is_accepted(dtype):
    """A radius far beyond what the quadratic model holds for, and one try: often there is none."""
    refused = 0
    for seed in range(30):
        policy = a_policy("tanh", dtype, seed=seed)
        batch = a_batch(policy, whole=True, seed=seed)
        before = policy.theta.copy()
        algorithm = pg.TRPO(kl_radius=30.0, accept=1.0, max_backtracks=1, shrink=0.9)
        stats = algorithm.learner(policy).update(batch)
        if not stats["accepted"]:
            refused += 1
            assert (policy.theta == before).all()
            assert stats["kl"] == stats["improvement"] == 0
    assert refused >= 10


@pytest.mark.parametrize("kind", ["tanh", "multi", "gaussian"])
def test_a_first_try_that_fits_is_the_step_of_npg(kind):
    """Inside a small radius nothing is to search: both take the same step."""
    policy = a_policy(kind)
    batch = a_batch(policy, whole=True, N=20)
    settings = {"kl_radius": 1e-6, "damping": 0.05, "baseline": constant, "max_iterations": 500}
    trpo, stats = step_of(pg.TRPO(**settings), policy, batch)
    npg, _ = step_of(pg.NPG(**settings), policy, batch)
    assert stats["backtracks"] == 0
    np.testing.assert_allclose(trpo, npg, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_npg_steps_to_its_radius_to_second_order(kind):
    """½ dᵀ(F + damping) d = δ, and the KL is what is left of it without the damping."""
    policy = a_policy(kind)
    batch = a_batch(policy, whole=True, N=30, masked=kind in MASKABLE)
    step, _ = step_of(pg.NPG(kl_radius=1e-6, damping=1e-2), policy, batch)
    new = policy.copy()
    new.theta += step
    kl = policy.kl(batch.valid_observations, new, masks=batch.valid_masks).mean()
    product = policy.fisher_vector_product(
        batch.valid_observations, step, 1e-2, masks=batch.valid_masks
    )
    assert 0.5 * step @ product == pytest.approx(1e-6, rel=1e-9)
    assert kl == pytest.approx(1e-6 - 0.5e-2 * step @ step, rel=0.01)


@pytest.mark.parametrize("kind", [pg.NPG, pg.TRPO])
def test_steps_of_every_environment_with_a_critic(kind):
    """GAE instead of whole returns: the first step is that of the critic's advantages."""
    policy = a_policy("tanh")
    batch = a_batch(policy, T=20)
    critic = pg.Critic(hidden=(5,))
    settings = {"gamma": 0.9, "lam": 0.8, "kl_radius": 1e-5, "max_iterations": 500}
    algorithm = kind(episodes=None, steps=20, critic=critic, **settings)
    step, stats = step_of(algorithm, policy, batch)
    value = critic.value_function(policy)
    values = np.concatenate(
        [value.predict(batch.observations), value.predict(batch.last_observations)[None]]
    )
    advantages = pg.gae(
        batch.rewards,
        values,
        batch.terminated,
        batch.truncated,
        gamma=0.9,
        lam=0.8,
        final_values=value.predict(batch.final_observations),
    )
    g = policy.score(batch.observations, batch.actions, advantages) / batch.steps
    assert stats["gradient_norm"] == pytest.approx(np.linalg.norm(g), rel=1e-9)
    flat = batch.observations.reshape(-1, D)
    x = policy.natural_gradient(flat, g, damping=1e-2, max_iterations=500).x
    # A residual of 1e-6 in the worst direction of F + damping, whose condition is below 100.
    assert np.linalg.norm(step / np.linalg.norm(step) - x / np.linalg.norm(x)) < 1e-4


@pytest.mark.parametrize("kind", [pg.NPG, pg.TRPO])
@pytest.mark.parametrize("whole", [False, True])
def test_a_critic_that_is_fitted_before(kind, whole):
    """V solves for the discounted rewards that follow; then the advantages are taken with it."""
    policy = a_policy("linear")
    batch = a_batch(policy, T=20, whole=whole)
    critic = pg.Critic(degree=2, fit="before")
    amount = {"episodes": 20} if whole else {"episodes": None, "steps": 20}
    algorithm = kind(critic=critic, gamma=0.9, lam=0.8, kl_radius=1e-5, **amount)
    learner = algorithm.learner(policy.copy())
    theta = pg.normal(learner.advantages.value.theta.shape, seed=5, dtype=np.float64)
    learner.advantages.value.theta = theta  # what it learned from batches before
    stats = learner.update(batch)

    value = critic.value_function(policy)
    value.theta = theta
    finals = value.predict(batch.final_observations) if len(batch.final_observations) else None
    last = None if whole else value.predict(batch.last_observations)
    targets = np.zeros(batch.rewards.shape)
    after = np.zeros(batch.rewards.shape[1]) if whole else last
    cut = iter(reversed(range(int(batch.truncated.sum()))))
    for t in reversed(range(len(targets))):
        for n in reversed(range(targets.shape[1])):
            follows = after[n]
            if batch.truncated[t, n]:
                follows = finals[next(cut)]
            if batch.terminated[t, n]:
                follows = 0
            targets[t, n] = after[n] = batch.rewards[t, n] + 0.9 * follows
    fit = value.fit(batch.observations, targets, valid=batch.valid)
    np.testing.assert_allclose(learner.advantages.value.theta, value.theta, rtol=1e-9, atol=1e-12)
    assert stats["explained_variance"] == pytest.approx(fit.explained_variance, rel=1e-9)
    values = value.of_rollout(batch.observations, batch.last_observations)
    finals = value.predict(batch.final_observations) if finals is not None else np.zeros(0)
    advantages = pg.gae(
        batch.rewards,
        values,
        batch.terminated,
        batch.truncated,
        gamma=0.9,
        lam=0.8,
        final_values=finals,
    )
    if whole:
        advantages = np.where(batch.valid, advantages, 0)
    g = policy.score(batch.observations, batch.actions, advantages) / batch.steps
    assert stats["gradient_norm"] == pytest.approx(np.linalg.norm(g), rel=1e-9)


@pytest.mark.parametrize("kind", [pg.NPG, pg.TRPO])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0])
def test_discounted_states_weigh_less(kind, gamma):
    """With `discount_states` step t has weight γᵗ, 1 at t = 0 also where γ = 0."""
    policy = a_policy("linear")
    batch = a_batch(policy, whole=True)
    algorithm = kind(gamma=gamma, baseline="none", discount_states=True)
    _, stats = step_of(algorithm, policy, batch)
    weights = rewards_to_go(batch, gamma) * gamma ** np.arange(12.0)[:, None] * batch.valid
    g = policy.score(batch.observations, batch.actions, weights) / batch.steps
    assert stats["gradient_norm"] == pytest.approx(np.linalg.norm(g), rel=1e-9)


def test_one_step_problems_are_steps_too():
    """T = 1: the gradient is the mean of score times reward less its mean."""
    policy = a_policy("multi")
    batch = a_batch(policy, T=1, N=40, whole=True)
    _, stats = step_of(pg.TRPO(baseline="constant"), policy, batch)
    weights = batch.rewards - batch.rewards.mean()
    g = policy.score(batch.observations, batch.actions, weights) / 40
    assert stats["gradient_norm"] == pytest.approx(np.linalg.norm(g), rel=1e-9)
    assert stats["accepted"] == 1


@pytest.mark.parametrize("kind", [pg.NPG, pg.TRPO])
def test_a_batch_of_one_is_an_update(kind):
    policy = a_policy("tanh")
    batch = a_batch(policy, T=1, N=1, whole=True)
    step, stats = step_of(kind(episodes=1, baseline="none"), policy, batch)
    assert np.isfinite(list(stats.values())).all()
    assert np.isfinite(step).all()
    assert (step != 0).any()


def test_no_gradient_no_step():
    policy = a_policy("tanh")
    batch = a_batch(policy, whole=True)
    batch = dataclasses.replace(batch, rewards=np.zeros_like(batch.rewards))
    step, stats = step_of(pg.TRPO(), policy, batch)
    assert (step == 0).all()
    assert stats["accepted"] == 0
    assert np.isfinite(list(stats.values())).all()


BAD = [
    ({"kl_radius": 0.0}, "kl_radius is 0.0, expected a finite number > 0"),
    ({"kl_radius": -1.0}, "kl_radius is -1.0, expected a finite number > 0"),
    ({"damping": -1e-3}, "damping is -0.001, expected a finite number >= 0"),
    ({"max_backtracks": -1}, "max_backtracks"),
    ({"shrink": 0.0}, "shrink is 0.0, expected"),
    ({"shrink": 1.0}, r"shrink is 1.0, expected a number in \(0, 1\)"),
    ({"accept": 1.5}, r"accept is 1.5, expected a number in \[0, 1\]"),
    ({"steps": 10}, "episodes is 64 and steps is 10, expected one of them"),
    ({"episodes": None}, "episodes is None and steps is None, expected one of them"),
    ({"episodes": None, "steps": 10}, "critic is None with steps=10, expected a Critic"),
    ({"lam": -0.1}, r"lam is -0.1, expected a number in \[0, 1\]"),
    ({"baseline": "tim"}, "'time'"),
]


@pytest.mark.parametrize(("settings", "message"), BAD)
def test_a_value_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=f"^TRPO: .*{message}"):
        pg.TRPO(**settings)


@pytest.mark.parametrize(
    "kind", [pg.PolicyGradient, pg.Reinforce, pg.NPG, pg.TRPO, pg.CompatibleActorCritic]
)
def test_a_prior_is_refused_where_there_is_no_penalty_toward_one(kind):
    with pytest.raises(
        ValueError, match=f"^{kind.__name__}: prior is a SoftmaxPolicy, expected None"
    ):
        kind().learner(a_policy(), a_policy())
