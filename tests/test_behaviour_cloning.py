"""Behaviour cloning: weighted maximum likelihood, against its twin and against a teacher."""

from __future__ import annotations

import numpy as np
import pytest
from batches import KINDS, MASKABLE, D, a_policy, some_masks
from test_actor_critic import twin_of

import pgfast as pg
from pgfast.reference import algorithms as twins


def demonstrations(teacher, B, masked=False, seed=2):
    """Observations, the teacher's actions, and masks."""
    rng = np.random.default_rng(seed)
    s = (1.0 + 2.0 * rng.normal(size=(B, D))).astype(teacher.dtype)
    masks = some_masks(teacher, (B,)) if masked else None
    return s, teacher.copy().sample(s, masks=masks), masks


@pytest.mark.parametrize("entropy", [0.0, 0.3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["linear", "tanh"])
def test_cloning_is_its_pseudocode(kind, weighted, entropy):
    """Minibatches of Adam steps up the mean of w log π + c_H H."""
    teacher, policy = a_policy(kind, seed=3), a_policy(kind)
    s, a, _ = demonstrations(teacher, 70)
    w = np.random.default_rng(0).random(70) if weighted else None
    twin = twin_of(policy)
    adam = twins.Adam(twin, 0.02)
    likelihoods = pg.behaviour_cloning(
        policy, s, a, weights=w, epochs=3, batch_size=32, learning_rate=0.02, entropy=entropy
    )
    for epoch in range(3):
        twins.climb_minibatches(
            twin,
            adam,
            s,
            a,
            np.zeros(70),
            np.ones(70) if w is None else w,
            entropy=entropy,
            batch_size=32,
            seed=0,
            stream=2**31 + epoch,
        )
    np.testing.assert_allclose(policy.theta, twin.theta, rtol=1e-9, atol=1e-11)
    assert likelihoods.shape == (3,)


@pytest.mark.parametrize("kind", KINDS)
def test_cloning_in_one_batch_climbs_the_weighted_likelihood(kind):
    """What it returns is mean w log π before each epoch's step, and it rises."""
    teacher, policy = a_policy(kind, seed=3), a_policy(kind)
    if policy.normalizer is not None:
        policy._restore_arrays({**teacher.arrays(), "theta": policy.theta})
    s, a, masks = demonstrations(teacher, 400, kind in MASKABLE)
    w = np.random.default_rng(0).random(400)
    before = (w * policy.log_prob(s, a, masks=masks)).mean()
    likelihoods = pg.behaviour_cloning(
        policy, s, a, weights=w, masks=masks, epochs=30, batch_size=400, learning_rate=0.01
    )
    assert likelihoods[0] == pytest.approx(before, rel=1e-12)
    assert (np.diff(likelihoods) > 0).all()
    after = (w * policy.log_prob(s, a, masks=masks)).mean()
    assert after > likelihoods[-1]


@pytest.mark.parametrize("kind", ["linear", "features", "multi", "gaussian"])
def test_cloning_recovers_its_teacher(kind):
    """The likelihood of a linear policy is concave: the teacher is found but for the sample."""
    teacher, student = a_policy(kind, seed=3), a_policy(kind, seed=4)
    s, a, _ = demonstrations(teacher, 20_000)
    far = teacher.kl(s, student).mean()
    pg.behaviour_cloning(student, s, a, epochs=30, batch_size=500, learning_rate=0.03)
    pg.behaviour_cloning(student, s, a, epochs=10, batch_size=5000, learning_rate=0.003)
    near = teacher.kl(s, student).mean()
    assert far > 0.1
    # P / 2B is what maximum likelihood is off by in the mean; 5 times that for the climb.
    assert near < 5 * len(teacher.theta) / (2 * 20_000)


def test_samples_of_weight_zero_teach_nothing():
    """Half of the actions are wrong; weights of zero leave only the others."""
    teacher, policy = a_policy("linear", seed=3), a_policy("linear")
    s, a, _ = demonstrations(teacher, 400)
    w = np.ones(400)
    w[200:] = 0
    wrong = a.copy()
    wrong[200:] = 2 - wrong[200:]
    one, other = policy.copy(), policy.copy()
    pg.behaviour_cloning(one, s, a, weights=w, epochs=5)
    pg.behaviour_cloning(other, s, wrong, weights=w, epochs=5)
    np.testing.assert_array_equal(one.theta, other.theta)


def test_cloning_takes_time_and_environments_as_leading_dimensions():
    policy = a_policy("multi")
    s, a, _ = demonstrations(a_policy("multi", seed=3), 60)
    one, other = policy.copy(), policy.copy()
    pg.behaviour_cloning(one, s, a)
    pg.behaviour_cloning(other, s.reshape(12, 5, D), a.reshape(12, 5, 2))
    np.testing.assert_array_equal(one.theta, other.theta)


def test_cloning_is_the_same_on_any_number_of_threads(threads):
    teacher = a_policy("tanh", np.float32, seed=3)
    s, a, _ = demonstrations(teacher, 8000)

    def run():
        policy = a_policy("tanh", np.float32)
        pg.behaviour_cloning(policy, s, a, epochs=2, batch_size=4000)
        return policy.theta

    first, *others = threads(run)
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_bad_input_is_named():
    policy = a_policy("linear")
    s, a, _ = demonstrations(policy, 10)
    name = "behaviour_cloning"
    with pytest.raises(TypeError, match=f"{name}: policy is a int, expected a policy"):
        pg.behaviour_cloning(3, s, a)
    with pytest.raises(ValueError, match=f"{name}: epochs is 0"):
        pg.behaviour_cloning(policy, s, a, epochs=0)
    with pytest.raises(ValueError, match=f"{name}: entropy is -1"):
        pg.behaviour_cloning(policy, s, a, entropy=-1)
    with pytest.raises(ValueError, match="learning_rate is 0"):
        pg.behaviour_cloning(policy, s, a, learning_rate=0)
    with pytest.raises(ValueError, match=r"actions has shape \(9,\), expected \(10,\)"):
        pg.behaviour_cloning(policy, s, a[:9])
    with pytest.raises(TypeError, match="observations has dtype float32, expected float64"):
        pg.behaviour_cloning(policy, s.astype(np.float32), a)
    with pytest.raises(ValueError, match="actions"):
        pg.behaviour_cloning(policy, s, a + 3)


@pytest.mark.parametrize("bad", ["observations", "weights"])
def test_numbers_that_are_not_finite_leave_the_policy_as_it_was(bad):
    policy = pg.SoftmaxPolicy(2, 3, hidden=(4,))
    before = policy.theta.copy()
    data = {"observations": np.ones((5, 2), np.float32), "weights": np.ones(5, np.float32)}
    data[bad][2] = np.nan
    with pytest.raises(ValueError, match="theta is what it was before"):
        pg.behaviour_cloning(
            policy, data["observations"], np.zeros(5, np.int64), weights=data["weights"]
        )
    np.testing.assert_array_equal(policy.theta, before)


def test_a_forbidden_action_of_weight_zero_teaches_nothing():
    policy, twin = pg.SoftmaxPolicy(2, 3), pg.SoftmaxPolicy(2, 3)
    s = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    a, w = np.zeros(6, np.int64), np.ones(6, np.float32)
    masks = np.ones((6, 3), bool)
    masks[2, 0], w[2] = False, 0
    pg.behaviour_cloning(policy, s, a, weights=w, masks=masks, epochs=2)
    assert np.isfinite(policy.theta).all()
    a[2] = 1  # another action of no weight
    pg.behaviour_cloning(twin, s, a, weights=w, masks=masks, epochs=2)
    np.testing.assert_array_equal(policy.theta, twin.theta)
