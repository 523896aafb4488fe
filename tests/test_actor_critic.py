"""A2C and PPO: their updates against NumPy twins of the pseudocode, and the identities between."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from batches import KINDS, MASKABLE, D, a_batch, a_policy, step_of, with_rubbish

import pgfast as pg
from pgfast import reference
from pgfast.reference import algorithms as twins

CRITIC = pg.Critic(hidden=(5,), learning_rate=0.02)


def twin_of(policy):
    """The same policy in NumPy."""
    twin = reference.SoftmaxPolicy(
        D, 3, hidden=policy.hidden, activation=policy.activation, dtype=policy.dtype
    )
    twin.theta = policy.theta.copy()
    return twin


class Twin:
    """A learner of A2C or PPO in NumPy."""

    def __init__(self, algorithm, learner, prior=None):
        self.algorithm = algorithm
        self.policy = twin_of(learner.policy)
        self.prior = None if prior is None else twin_of(prior)
        self.value = reference.ValueFunction(D, hidden=algorithm.critic.hidden, dtype=np.float64)
        self.value.theta = learner.value.theta.copy()
        self.adam = twins.Adam(self.policy, algorithm.learning_rate)
        self.value_adam = twins.Adam(self.value, algorithm.critic.learning_rate)
        self.kl_penalty = getattr(algorithm, "kl_penalty", 0.0)
        self.updates = 0

    def values(self, observations):
        return self.value.predict(observations.reshape(-1, D)).reshape(observations.shape[:-1])

    def update(self, batch, progress=0.0):
        settings = self.algorithm
        values = np.zeros((len(batch.rewards) + 1, batch.rewards.shape[1]))
        values[:-1] = self.values(batch.observations)
        if batch.last_observations is not None:
            values[-1] = self.values(batch.last_observations)
        advantages = reference.gae(
            batch.rewards,
            values,
            batch.terminated,
            batch.truncated,
            gamma=settings.gamma,
            lam=settings.lam,
            final_values=self.values(batch.final_observations),
        )
        happened = np.ones(batch.rewards.shape, bool) if batch.valid is None else batch.valid
        targets = (advantages + values[:-1])[happened]
        advantages = advantages[happened]
        if settings.normalize_advantages:
            advantages = (advantages - advantages.mean()) / advantages.std()
        if settings.discount_states:
            advantages = advantages * settings.gamma ** time_of(batch)[happened]
        left = 1 - progress if settings.schedule == "linear" else 1
        self.adam.learning_rate = settings.learning_rate * left
        self.value_adam.learning_rate = settings.critic.learning_rate * left
        before = self.policy.logits(batch.observations[happened])
        extra = {"weighting": "log_prob"}
        if isinstance(settings, pg.PPO):
            extra = {
                "weighting": "ratio" if settings.clip is None else "clipped",
                "clip": settings.clip or 0.0,
                "kl_old": self.kl_penalty,
                "old_values": None if settings.value_clip is None else values[:-1][happened],
                "value_clip": settings.value_clip or 0.0,
                "epochs": settings.epochs,
                "batch_size": settings.batch_size,
                "kl_limit": np.inf if settings.target_kl is None else 1.5 * settings.target_kl,
            }
        steps = twins.climb_minibatches(
            self.policy,
            self.adam,
            batch.observations[happened],
            batch.actions[happened],
            batch.log_probs[happened],
            advantages,
            entropy=settings.entropy,
            kl_prior=settings.prior_kl,
            prior=self.prior,
            value=self.value,
            value_adam=self.value_adam,
            targets=targets,
            max_gradient_norm=settings.max_gradient_norm,
            seed=0,
            stream=self.updates,
            **extra,
        )
        if self.kl_penalty:
            after = self.policy.logits(batch.observations[happened])
            kl = reference.softmax_kl(before, after).mean()
            if kl > 1.5 * settings.kl_penalty_target:
                self.kl_penalty *= 2
            elif kl < settings.kl_penalty_target / 1.5:
                self.kl_penalty /= 2
        self.updates += 1
        return steps


def time_of(batch):
    """Steps since the episode's first one, counted column by column."""
    time = np.zeros(batch.rewards.shape, int)
    for n in range(time.shape[1]):
        t = 0 if batch.elapsed is None else batch.elapsed[n]
        for k in range(time.shape[0]):
            time[k, n] = t
            happened = batch.valid is None or batch.valid[k, n]
            t = 0 if batch.terminated[k, n] or batch.truncated[k, n] else t + happened
    return time


def compare(algorithm, policy, batches, prior=None, progress=0.0):
    """Learner and twin from batch to batch: the same θ of policy and value function."""
    learner = algorithm.learner(policy, prior)
    twin = Twin(algorithm, learner, prior)
    for made in batches:
        start = policy.theta.copy()
        log_probs = policy.log_prob(made.observations, made.actions)  # the policy that acts now
        batch = dataclasses.replace(made, log_probs=log_probs)
        stats = learner.update(batch, progress)
        steps = twin.update(batch, progress)
        assert stats["minibatches"] == steps
        np.testing.assert_allclose(policy.theta, twin.policy.theta, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(learner.value.theta, twin.value.theta, rtol=1e-9, atol=1e-11)
        assert (policy.theta != start).any()
        assert np.isfinite(list(stats.values())).all()
        if twin.kl_penalty:
            assert stats["kl_penalty"] == twin.kl_penalty
    return learner


def holes(batch):
    """The batch as NEXT_STEP gives it: the row behind an end only resets."""
    ends = batch.terminated | batch.truncated
    valid = np.ones_like(ends)
    for t in range(1, len(ends)):
        valid[t] = ~(ends[t - 1] & valid[t - 1])
    truncated = batch.truncated & valid
    finals = np.random.default_rng(0).normal(size=(truncated.sum(), D))
    return with_rubbish(
        dataclasses.replace(
            batch,
            valid=valid,
            terminated=batch.terminated & valid,
            truncated=truncated,
            final_observations=finals.astype(batch.rewards.dtype),
        ),
        0,
    )


# --- the pseudocode -------------------------------------------------------------------------------

VARIANTS = [
    {},
    {"gamma": 0.0, "lam": 0.0},
    {"gamma": 1.0, "lam": 1.0},
    {"gamma": 1.0, "lam": 0.0},
    {"gamma": 0.9, "lam": 0.5, "entropy": 0.3, "max_gradient_norm": None},
    {"gamma": 0.9, "discount_states": True, "normalize_advantages": True},
    {"schedule": "linear"},
]


@pytest.mark.parametrize("settings", VARIANTS)
@pytest.mark.parametrize("kind", ["linear", "tanh"])
def test_a2c_is_its_pseudocode(kind, settings):
    """Three updates in a row, of cut episodes, whole ones, and of rows that only reset."""
    policy = a_policy(kind)
    batches = [a_batch(policy, seed=1), a_batch(policy, seed=2, whole=True)]
    batches.append(holes(a_batch(policy, seed=3)))
    algorithm = pg.A2C(critic=CRITIC, learning_rate=0.03, **settings)
    compare(algorithm, policy, batches, progress=0.25)


@pytest.mark.parametrize(
    "settings",
    [
        {"normalize_advantages": False},
        {"clip": None, "epochs": 2},
        {"epochs": 3, "batch_size": 16, "clip": 0.05, "entropy": 0.2},
        {"epochs": 2, "batch_size": 23, "value_clip": 0.1, "max_gradient_norm": 0.05},
        {"epochs": 4, "batch_size": 20, "kl_penalty": 0.7, "kl_penalty_target": 0.02},
        {"epochs": 4, "batch_size": 20, "kl_penalty": 0.7, "kl_penalty_target": 1e-5},
        {"epochs": 2, "batch_size": None, "kl_penalty": 0.7, "kl_penalty_target": 5.0},
        {"epochs": 9, "batch_size": 16, "target_kl": 0.004},
        {"schedule": "linear", "gamma": 0.9, "discount_states": True},
    ],
)
@pytest.mark.parametrize("kind", ["linear", "tanh"])
def test_ppo_is_its_pseudocode(kind, settings):
    """Shuffled minibatches, clipping, penalties, the stop, the schedule: three updates in a row."""
    policy = a_policy(kind)
    batches = [a_batch(policy, seed=1), a_batch(policy, seed=2, whole=True)]
    batches.append(holes(a_batch(policy, seed=3)))
    algorithm = pg.PPO(critic=CRITIC, learning_rate=0.03, **settings)
    learner = compare(algorithm, policy, batches, progress=0.25)
    if algorithm.kl_penalty_target == 5.0:
        assert learner.kl_penalty == algorithm.kl_penalty / 8  # too strong three times
    if algorithm.kl_penalty_target == 1e-5:
        assert learner.kl_penalty == algorithm.kl_penalty * 8  # too weak
    if algorithm.target_kl is not None:
        assert learner.optimizer.count < 3 * 9 * 3  # it did stop


@pytest.mark.parametrize("kind", [pg.A2C, pg.PPO])
def test_the_penalty_toward_a_prior_is_its_pseudocode(kind):
    """− β mean KL(π_θ ‖ prior); the prior itself is not changed."""
    policy, prior = a_policy("tanh"), a_policy("tanh", seed=9)
    before = prior.theta.copy()
    algorithm = kind(critic=CRITIC, learning_rate=0.03, prior_kl=0.8)
    compare(algorithm, policy, [a_batch(policy, seed=1), a_batch(policy, seed=2)], prior=prior)
    assert (prior.theta == before).all()
    batch = a_batch(policy, seed=1)
    with_prior, stats = step_of(algorithm, policy, batch, prior)
    without, _ = step_of(algorithm, policy, batch)
    assert (with_prior != without).any()
    assert stats["kl_prior"] > 0


def test_a_strong_penalty_pulls_the_policy_to_its_prior():
    """With rewards of 0 the divergence from the prior falls, update by update."""
    policy, prior = a_policy("gaussian"), a_policy("gaussian", seed=9)
    algorithm = pg.A2C(critic=CRITIC, learning_rate=0.02, prior_kl=1.0)
    learner = algorithm.learner(policy, prior)
    batch = a_batch(policy, ends=1.0)
    batch = dataclasses.replace(batch, rewards=np.zeros_like(batch.rewards))
    learner.value.theta[:] = 0
    kl = [policy.kl(batch.observations, prior).mean()]
    for _ in range(60):
        learner.update(
            dataclasses.replace(batch, log_probs=policy.log_prob(batch.observations, batch.actions))
        )
        kl.append(policy.kl(batch.observations, prior).mean())
    assert kl[-1] < 0.05 * kl[0]


@pytest.mark.parametrize("kind", [pg.A2C, pg.PPO])
def test_normalized_rewards_are_those_of_the_running_statistics(kind):
    """Of this batch and those before it: then the update is that of such rewards."""
    policy = a_policy("tanh")
    learner = kind(critic=CRITIC, gamma=0.9, normalize_rewards=True).learner(policy)
    plain = kind(critic=CRITIC, gamma=0.9).learner(policy.copy())
    statistics = pg.RewardNormalizer(gamma=0.9)
    for seed in range(3):
        batch = a_batch(policy, seed=seed)
        batch = dataclasses.replace(batch, rewards=100 * batch.rewards)
        statistics.update(batch.rewards, batch.terminated, batch.truncated)
        learner.update(batch)
        plain.update(dataclasses.replace(batch, rewards=statistics(batch.rewards)))
        np.testing.assert_array_equal(policy.theta, plain.policy.theta)
        np.testing.assert_array_equal(learner.value.theta, plain.value.theta)


def test_a_second_learner_of_normalized_rewards_may_have_other_environments():
    """The statistics stay with the policy, the episodes under way don't."""
    policy = a_policy("tanh")
    algorithm = pg.A2C(critic=CRITIC, normalize_rewards=True)
    algorithm.learner(policy).update(a_batch(policy, N=5))
    count = policy.reward_normalizer.moments.count
    algorithm.learner(policy).update(a_batch(policy, N=3))
    assert policy.reward_normalizer.moments.count == count + 12 * 3


# --- identities -----------------------------------------------------------------------------------

BASE = {"critic": CRITIC, "learning_rate": 0.01, "normalize_advantages": False}


@pytest.mark.parametrize(
    ("kind", "masked"), [*((kind, False) for kind in KINDS), *((kind, True) for kind in MASKABLE)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ppo_with_one_epoch_and_no_clipping_is_a2c(kind, dtype, masked):
    """θ of both is equal bit for bit where the batch is one minibatch, for every policy."""
    policy = a_policy(kind, dtype)
    batch = a_batch(policy, T=40, N=9, masked=masked)
    a2c, ppo = pg.A2C(**BASE), pg.PPO(**BASE, epochs=1, batch_size=None, clip=None)
    one, _ = step_of(a2c, policy, batch)
    other, _ = step_of(ppo, policy, batch)
    clipped, _ = step_of(dataclasses.replace(ppo, clip=0.2), policy, batch)
    assert (one != 0).any()
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(one, clipped)  # ρ = 1: there is nothing to clip


def plain_step(algorithm, policy, batch):
    """The gradient that an algorithm steps along: Adam with a huge ε makes it the step itself."""
    new = policy.copy()
    learner = algorithm.learner(new)
    learner.optimizer = pg.Adam(1e9, epsilon=1e9)
    learner.update(batch)
    return new.theta - policy.theta, learner


PLAIN = {**BASE, "learning_rate": 1e9, "max_gradient_norm": None}


@pytest.mark.parametrize("kind", KINDS)
def test_a2c_steps_along_the_score_weighted_by_advantages(kind):
    """1/n Σ A ∇ log π, for every policy, with masks where there are any."""
    policy = a_policy(kind)
    batch = a_batch(policy, masked=kind in MASKABLE)
    step, _ = plain_step(pg.A2C(**PLAIN, gamma=0.9, lam=0.8), policy, batch)
    fresh = pg.A2C(**PLAIN).learner(policy).value
    values = np.concatenate(
        [fresh.predict(batch.observations), fresh.predict(batch.last_observations)[None]]
    )
    finals = fresh.predict(batch.final_observations)
    flags = batch.terminated, batch.truncated
    advantages = pg.gae(batch.rewards, values, *flags, gamma=0.9, lam=0.8, final_values=finals)
    score = policy.score(batch.observations, batch.actions, advantages, masks=batch.masks)
    np.testing.assert_allclose(step, score / batch.steps, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kind", ["tanh", "multi", "gaussian"])
def test_a2c_with_lambda_one_on_whole_episodes_is_reinforce_with_a_baseline(kind):
    """With V as the baseline and episodes that terminate, both climb the same gradient."""
    policy = a_policy(kind)
    batch = a_batch(policy, whole=True)
    ends = batch.terminated | batch.truncated
    batch = dataclasses.replace(
        batch,
        terminated=ends,
        truncated=np.zeros_like(ends),
        final_observations=batch.final_observations[:0],
    )
    step, _ = plain_step(pg.A2C(**PLAIN, gamma=0.9, lam=1.0), policy, batch)
    value = pg.A2C(**PLAIN).learner(policy).value
    baseline = pg.Reinforce(gamma=0.9, baseline=lambda g, valid: value.predict(batch.observations))
    gradient = baseline.gradient(policy, batch) * batch.rewards.shape[1] / batch.steps
    assert np.abs(gradient).max() > 1e-3
    np.testing.assert_allclose(step, gradient, rtol=1e-6, atol=1e-9)


def test_one_step_problems_weight_the_score_by_reward_less_value():
    """T = 1 is enough, and γ and λ play no part where every step ends its episode."""
    policy = a_policy("tanh")
    batch = a_batch(policy, T=1, N=50, ends=1.0)
    steps = [
        plain_step(pg.A2C(**PLAIN, gamma=gamma, lam=lam), policy, batch)[0]
        for gamma, lam in ((0.0, 0.0), (1.0, 1.0), (0.9, 0.3))
    ]
    value = pg.A2C(**PLAIN).learner(policy).value
    weights = batch.rewards - value.predict(batch.observations)
    score = policy.score(batch.observations, batch.actions, weights) / 50
    for step in steps:
        np.testing.assert_allclose(step, score, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("constant", [0.0, 3.0])
def test_a_constant_value_function_is_a_constant_baseline_of_bandits(constant):
    """Where every step terminates, A = r − c."""
    policy = a_policy("linear")
    batch = a_batch(policy, ends=1.0)
    batch = dataclasses.replace(batch, terminated=np.ones_like(batch.terminated))
    new = policy.copy()
    learner = pg.A2C(**PLAIN).learner(new)
    learner.value.theta[:] = 0
    learner.value.theta[-1] = constant
    learner.optimizer = pg.Adam(1e9, epsilon=1e9)
    learner.update(batch)
    score = policy.score(batch.observations, batch.actions, batch.rewards - constant)
    np.testing.assert_allclose(new.theta - policy.theta, score / batch.steps, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kind", [pg.A2C, pg.PPO])
def test_a_batch_of_one_is_an_update(kind):
    """One step of one environment. Its normalized advantage is 0: θ stays as it is."""
    policy = a_policy("tanh")
    batch = a_batch(policy, T=1, N=1)
    normalized = kind(critic=CRITIC, normalize_advantages=True)
    step, stats = step_of(normalized, policy, batch)
    assert (step == 0).all()
    assert np.isfinite(list(stats.values())).all()
    step, stats = step_of(
        dataclasses.replace(normalized, normalize_advantages=False), policy, batch
    )
    assert (step != 0).any()
    assert np.isfinite(list(stats.values())).all()


@pytest.mark.parametrize("kind", [pg.A2C, pg.PPO])
@pytest.mark.parametrize("shape", ["whole", "holes"])
def test_rows_that_did_not_happen_play_no_part(kind, shape):
    """Whatever stands in them, θ and V are the same bit for bit."""
    policy = a_policy("tanh")
    batch = a_batch(policy, whole=True) if shape == "whole" else holes(a_batch(policy))
    assert not batch.valid.all()
    learners = []
    for value in (0, 7.5):
        learner = kind(critic=CRITIC).learner(policy.copy())
        learner.update(with_rubbish(batch, value))
        learners.append(learner)
    one, other = learners
    np.testing.assert_array_equal(one.policy.theta, other.policy.theta)
    np.testing.assert_array_equal(one.value.theta, other.value.theta)


@pytest.mark.parametrize("kind", KINDS)
def test_ppo_stays_near_the_policy_that_acted_where_its_kl_is_limited(kind):
    """Ten epochs with a target stay nearer than ten epochs without one."""
    policy = a_policy(kind)
    batch = a_batch(policy, T=30)
    settings = {"critic": CRITIC, "learning_rate": 0.05, "batch_size": 64, "clip": None}

    def kl(**extra):
        step, stats = step_of(pg.PPO(**settings, **extra), policy, batch)
        new = policy.copy()
        new.theta += step
        return policy.kl(batch.observations, new).mean(), stats["minibatches"]

    (free, all_of_them), (held, some) = kl(), kl(target_kl=0.01)
    assert held < free
    assert some < all_of_them == 10 * 3


# --- settings -------------------------------------------------------------------------------------

BAD = [
    (pg.A2C, {"steps": 0}, "steps"),
    (pg.A2C, {"lam": 1.1}, r"lam is 1.1, expected a number in \[0, 1\]"),
    (pg.A2C, {"learning_rate": 0.0}, "learning_rate is 0.0, expected a finite number > 0"),
    (pg.A2C, {"schedule": "cosine"}, "schedule is 'cosine', expected 'constant' or 'linear'"),
    (pg.A2C, {"entropy": -0.1}, "entropy is -0.1, expected a finite number >= 0"),
    (pg.A2C, {"prior_kl": np.nan}, "prior_kl is nan, expected a finite number >= 0"),
    (pg.A2C, {"max_gradient_norm": 0.0}, "max_gradient_norm is 0.0, expected .* > 0"),
    (pg.PPO, {"epochs": 0}, "epochs"),
    (pg.PPO, {"batch_size": 0}, "batch_size"),
    (pg.PPO, {"clip": 0.0}, "clip is 0.0, expected a finite number > 0"),
    (pg.PPO, {"value_clip": -1.0}, "value_clip is -1.0, expected a finite number > 0"),
    (pg.PPO, {"target_kl": np.inf}, "target_kl is inf, expected a finite number > 0"),
    (pg.PPO, {"kl_penalty": -1.0}, "kl_penalty is -1.0, expected a finite number >= 0"),
    (pg.PPO, {"kl_penalty_target": 0.0}, "kl_penalty_target is 0.0, expected .* > 0"),
]


@pytest.mark.parametrize(("kind", "settings", "message"), BAD)
def test_a_value_out_of_range_is_named(kind, settings, message):
    with pytest.raises(ValueError, match=f"^{kind.__name__}: {message}"):
        kind(**settings)


def test_bad_critics_are_named():
    with pytest.raises(TypeError, match="A2C: critic is a dict, expected a Critic"):
        pg.A2C(critic={})
    with pytest.raises(ValueError, match=r"Critic: learning_rate is 0.0, expected .* > 0"):
        pg.Critic(learning_rate=0.0)
    with pytest.raises(ValueError, match=r"Critic: ridge is -1.0, expected .* >= 0"):
        pg.Critic(ridge=-1.0)
    with pytest.raises(ValueError, match="Critic: degree"):
        pg.Critic(degree=0)
    with pytest.raises(ValueError, match="Critic: fit is 'never', expected 'after' or 'before'"):
        pg.Critic(fit="never")
    with pytest.raises(TypeError, match="Critic: policy is a StateActionSoftmaxPolicy"):
        pg.A2C().learner(pg.StateActionSoftmaxPolicy(2, 3))


@pytest.mark.parametrize("kind", [pg.A2C, pg.PPO])
def test_a_prior_of_another_kind_is_refused(kind):
    policy, name = a_policy("multi"), kind.__name__
    with pytest.raises(TypeError, match=f"{name}: prior is a SoftmaxPolicy, expected a Multi"):
        kind().learner(policy, a_policy("linear"))
    with pytest.raises(TypeError, match=f"{name}: prior has dtype float32, expected float64"):
        kind().learner(policy, a_policy("multi", np.float32))
    other = pg.MultiSoftmaxPolicy(D, [3, 2], dtype=np.float64)
    batch = a_batch(policy)
    with pytest.raises(ValueError, match="the prior is a policy of other observations or actions"):
        kind().learner(policy, other).update(batch)
    gaussian = a_policy("gaussian")
    with pytest.raises(ValueError, match="the prior has another kind of sigma"):
        kind().learner(gaussian, a_policy("gaussian fixed")).update(a_batch(gaussian))


def test_a_batch_in_which_nothing_happened_is_refused():
    policy = a_policy()
    batch = a_batch(policy, whole=True)
    batch = dataclasses.replace(
        batch,
        valid=np.zeros_like(batch.valid),
        terminated=np.zeros_like(batch.valid),
        truncated=np.zeros_like(batch.valid),
        final_observations=batch.final_observations[:0],
    )
    before = policy.theta.copy()
    with pytest.raises(ValueError, match="expected one at least"):
        pg.A2C().learner(policy).update(batch)
    assert (policy.theta == before).all()
