"""The softmax distribution as plain functions."""

import numpy as np
import pytest

import pgfast as pg
from pgfast import reference

try:
    import torch
except ImportError:
    torch = None

TOLERANCE = {np.float32: 2e-6, np.float64: 1e-13}


def logits_and_actions(shape, dtype, scale=2.0, seed=0):
    rng = np.random.default_rng(seed)
    z = (scale * rng.normal(size=shape)).astype(dtype)
    return z, rng.integers(0, shape[-1], shape[:-1])


def probabilities(z):
    """pi(a) for every a, from log_prob."""
    A = z.shape[-1]
    return np.stack(
        [np.exp(pg.softmax_log_prob(z, np.full(z.shape[:-1], a))) for a in range(A)], axis=-1
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (33, 2), (100, 17), (4, 9, 5), (1000, 3)])
def test_functions_equal_their_twins(shape, dtype):
    z, a = logits_and_actions(shape, dtype)
    other, _ = logits_and_actions(shape, dtype, seed=1)
    tolerance = {"rtol": 10 * TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    for name, arguments in [
        ("softmax_log_prob", (z, a)),
        ("softmax_score", (z, a)),
        ("softmax_entropy", (z,)),
        ("softmax_kl", (z, other)),
    ]:
        result = getattr(pg, name)(*arguments)
        assert result.dtype == dtype
        np.testing.assert_allclose(result, getattr(reference, name)(*arguments), **tolerance)


def test_samples_equal_their_twin():
    """Same draws, same rule; float64, where no draw falls between two roundings."""
    z, _ = logits_and_actions((5000, 6), np.float64)
    for index in (0, 1, 2, 5):
        np.testing.assert_array_equal(
            pg.softmax_sample(z, seed=7, index=index),
            reference.softmax_sample(z, seed=7, index=index),
        )


def test_the_score_has_mean_zero_under_the_policy():
    z, _ = logits_and_actions((50, 7), np.float64)
    p = probabilities(z)
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-14)
    mean = sum(p[:, a, None] * pg.softmax_score(z, np.full(50, a)) for a in range(7))
    np.testing.assert_allclose(mean, 0, atol=1e-15)


def test_the_score_is_the_gradient_of_the_log_probability():
    z, a = logits_and_actions((20, 5), np.float64)
    h, score = 1e-6, pg.softmax_score(z, a)
    for i in range(5):
        step = h * np.eye(5)[i]
        slope = (pg.softmax_log_prob(z + step, a) - pg.softmax_log_prob(z - step, a)) / (2 * h)
        np.testing.assert_allclose(score[:, i], slope, atol=1e-9)


def test_entropy_and_kl_are_their_sums():
    z, _ = logits_and_actions((50, 7), np.float64)
    other, _ = logits_and_actions((50, 7), np.float64, seed=1)
    p, q = probabilities(z), probabilities(other)
    np.testing.assert_allclose(pg.softmax_entropy(z), -(p * np.log(p)).sum(-1), rtol=1e-12)
    kl = pg.softmax_kl(z, other)
    np.testing.assert_allclose(kl, (p * np.log(p / q)).sum(-1), rtol=1e-10)
    assert (kl > 0).all()
    np.testing.assert_allclose(pg.softmax_kl(z, z + 3), 0, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_logits_stay_exact(dtype):
    largest = np.finfo(dtype).max / 4
    z = np.array([[0, largest], [-largest, largest], [1e4, 1e4], [0, -np.inf]], dtype)
    ones, zeros = np.array([1, 1, 1, 1]), np.array([0, 0, 0, 0])
    np.testing.assert_array_equal(pg.softmax_log_prob(z, ones)[:2], 0)
    assert pg.softmax_log_prob(z, zeros)[3] == 0
    assert pg.softmax_log_prob(z, ones)[3] == -np.inf
    np.testing.assert_allclose(pg.softmax_entropy(z), [0, 0, np.log(2), 0], rtol=1e-6)
    np.testing.assert_array_equal(pg.softmax_score(z, zeros)[[0, 1, 3]], [[1, -1], [1, -1], [0, 0]])
    np.testing.assert_array_equal(pg.softmax_sample(z, seed=0)[[0, 1, 3]], [1, 1, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_samples_follow_the_probabilities(dtype):
    """Chi-squared with 5 degrees of freedom, 24.1 at 1 in 5,000."""
    n, z = 100_000, np.array([0.0, 1.0, -1.0, 0.5, 2.0, -3.0], dtype)
    drawn = pg.softmax_sample(np.tile(z, (n, 1)), seed=1)
    expected = n * probabilities(z[None])[0]
    chi_squared = ((np.bincount(drawn, minlength=6) - expected) ** 2 / expected).sum()
    assert chi_squared < 24.1


def test_an_action_without_probability_is_never_drawn():
    z = np.tile(np.array([-np.inf, 0.0, -np.inf, 0.0, -np.inf], np.float32), (10_000, 1))
    assert set(pg.softmax_sample(z, seed=2).tolist()) == {1, 3}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_does_not_depend_on_the_others(dtype):
    """The same bits for a row alone, in a tile's tail, and in the midst of a batch."""
    z, a = logits_and_actions((700, 5), dtype)
    whole = pg.softmax_log_prob(z, a), pg.softmax_score(z, a), pg.softmax_entropy(z)
    for rows in (slice(0, 1), slice(5, 8), slice(600, 700), slice(33, 95)):
        part = z[rows].copy(), a[rows].copy()
        np.testing.assert_array_equal(pg.softmax_log_prob(*part), whole[0][rows])
        np.testing.assert_array_equal(pg.softmax_score(*part), whole[1][rows])
        np.testing.assert_array_equal(pg.softmax_entropy(part[0]), whole[2][rows])


def test_nan_goes_in_and_comes_out():
    z, a = logits_and_actions((40, 3), np.float32)
    z[7, 1] = np.nan
    for result in (pg.softmax_log_prob(z, a), pg.softmax_entropy(z), pg.softmax_kl(z, z)):
        assert np.isnan(result[7])
        assert np.isfinite(np.delete(result, 7)).all()
    assert np.isnan(pg.softmax_score(z, a)[7]).all()
    assert 0 <= pg.softmax_sample(z, seed=0)[7] < 3


def masks(shape, seed=3):
    """Each action allowed with probability 0.6; one of each sample always."""
    rng = np.random.default_rng(seed)
    mask = rng.random(shape) < 0.6
    np.put_along_axis(mask, rng.integers(0, shape[-1], (*shape[:-1], 1)), True, axis=-1)
    return mask


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (33, 2), (100, 17), (4, 9, 5)])
def test_masked_functions_equal_their_twins(shape, dtype):
    z, a = logits_and_actions(shape, dtype)
    other, _ = logits_and_actions(shape, dtype, seed=1)
    mask = masks(shape)
    tolerance = {"rtol": 10 * TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    for name, arguments in [
        ("softmax_log_prob", (z, a)),
        ("softmax_score", (z, a)),
        ("softmax_entropy", (z,)),
        ("softmax_kl", (z, other)),
    ]:
        result = getattr(pg, name)(*arguments, mask=mask)
        expected = getattr(reference, name)(*arguments, mask=mask)
        np.testing.assert_allclose(result, expected, **tolerance)
    if dtype == np.float64:
        np.testing.assert_array_equal(
            pg.softmax_sample(z, seed=7, index=3, mask=mask),
            reference.softmax_sample(z, seed=7, index=3, mask=mask),
        )


def test_the_logit_of_a_forbidden_action_counts_for_nothing():
    """NaN, infinity or anything else: not one bit of any result changes."""
    z, a = logits_and_actions((60, 5), np.float32)
    mask = masks(z.shape)
    for rubbish in (np.nan, np.inf, -np.inf, 1e38):
        spoiled = np.where(mask, z, np.float32(rubbish))
        for name, arguments in [
            ("softmax_log_prob", (a,)),
            ("softmax_score", (a,)),
            ("softmax_entropy", ()),
            ("softmax_kl", (z,)),
        ]:
            function = getattr(pg, name)
            np.testing.assert_array_equal(
                function(spoiled, *arguments, mask=mask), function(z, *arguments, mask=mask)
            )
        drawn = pg.softmax_sample(spoiled, seed=1, mask=mask)
        np.testing.assert_array_equal(drawn, pg.softmax_sample(z, seed=1, mask=mask))


def test_a_mask_leaves_a_softmax_over_the_allowed_actions():
    z, _ = logits_and_actions((1, 6), np.float64)
    mask = np.array([[True, False, True, True, False, False]])
    few = z[:, mask[0]]
    assert pg.softmax_entropy(z, mask=mask) == pytest.approx(pg.softmax_entropy(few), rel=1e-15)
    for i, a in enumerate(np.flatnonzero(mask)):
        log_p = pg.softmax_log_prob(z, np.array([a]), mask=mask)
        assert log_p == pytest.approx(pg.softmax_log_prob(few, np.array([i])), rel=1e-15)
        score = pg.softmax_score(z, np.array([a]), mask=mask)
        np.testing.assert_array_equal(score[~mask], 0)
        expected = pg.softmax_score(few, np.array([i]))[0]
        np.testing.assert_allclose(score[mask], expected, rtol=1e-14)
    for a in np.flatnonzero(~mask):
        assert pg.softmax_log_prob(z, np.array([a]), mask=mask) == -np.inf


def test_a_mask_with_one_action_leaves_no_choice():
    """Entropy, score and KL are 0, not NaN from 0 · log 0."""
    z, _ = logits_and_actions((50, 4), np.float32)
    only = np.arange(50) % 4
    mask = np.arange(4) == only[:, None]
    np.testing.assert_array_equal(pg.softmax_entropy(z, mask=mask), 0)
    np.testing.assert_array_equal(pg.softmax_kl(z, -z, mask=mask), 0)
    np.testing.assert_array_equal(pg.softmax_log_prob(z, only, mask=mask), 0)
    np.testing.assert_array_equal(pg.softmax_score(z, only, mask=mask), 0)
    np.testing.assert_array_equal(pg.softmax_sample(z, seed=0, mask=mask), only)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_masked_samples_follow_the_probabilities(dtype):
    """Chi-squared with 3 degrees of freedom, 19.7 at 1 in 5,000; nothing forbidden is drawn."""
    n, z = 100_000, np.array([0.0, 1.0, 9.0, 0.5, 2.0, 3.0], dtype)
    mask = np.array([True, True, False, True, True, False])
    drawn = pg.softmax_sample(np.tile(z, (n, 1)), seed=5, mask=np.tile(mask, (n, 1)))
    count = np.bincount(drawn, minlength=6)
    np.testing.assert_array_equal(count[~mask], 0)
    expected = n * probabilities(z[None, mask])[0]
    assert ((count[mask] - expected) ** 2 / expected).sum() < 19.7


@pytest.mark.parametrize(
    "call",
    [
        lambda z, a, m: pg.softmax_log_prob(z, a, mask=m),
        lambda z, a, m: pg.softmax_score(z, a, mask=m),
        lambda z, a, m: pg.softmax_entropy(z, mask=m),
        lambda z, a, m: pg.softmax_kl(z, z, mask=m),
        lambda z, a, m: pg.softmax_sample(z, seed=0, mask=m),
    ],
    ids=["log_prob", "score", "entropy", "kl", "sample"],
)
def test_a_mask_that_forbids_everything_is_an_error(call):
    z, a = logits_and_actions((2, 4, 3), np.float32)
    mask = np.ones(z.shape, bool)
    mask[1, 2] = False
    with pytest.raises(ValueError, match=r"softmax_\w+: mask forbids every action of sample 6$"):
        call(z, a, mask)


def test_results_have_the_same_bits_on_1_to_4_threads(threads):
    z, a = logits_and_actions((9000, 5), np.float32)
    mask = masks(z.shape)
    for function in (
        lambda: pg.softmax_log_prob(z, a, mask=mask),
        lambda: pg.softmax_score(z, a, mask=mask),
        lambda: pg.softmax_entropy(z, mask=mask),
        lambda: pg.softmax_kl(z, -z, mask=mask),
        lambda: pg.softmax_sample(z, seed=4, mask=mask),
    ):
        first, *others = threads(function)
        for other in others:
            np.testing.assert_array_equal(first, other)


@pytest.mark.skipif(torch is None, reason="PyTorch is not installed")
@pytest.mark.parametrize("masked", [False, True])
def test_the_softmax_agrees_with_pytorch(masked):
    z, _ = logits_and_actions((200, 7), np.float64)
    other, _ = logits_and_actions((200, 7), np.float64, seed=1)
    mask = masks(z.shape) if masked else np.ones(z.shape, bool)
    a = pg.softmax_sample(z, seed=0, mask=mask)

    def distribution(array):
        logits = torch.from_numpy(array).requires_grad_()
        allowed = logits.masked_fill(~torch.from_numpy(mask), torch.finfo(torch.float64).min)
        return logits, torch.distributions.Categorical(logits=allowed)

    (x, p), (_, q) = distribution(z), distribution(other)
    log_prob = p.log_prob(torch.from_numpy(a))
    (score,) = torch.autograd.grad(log_prob.sum(), x, retain_graph=True)
    kl = torch.distributions.kl_divergence(p, q)
    for ours, theirs in [
        (pg.softmax_log_prob(z, a, mask=mask), log_prob),
        (pg.softmax_score(z, a, mask=mask), score),
        (pg.softmax_entropy(z, mask=mask), p.entropy()),
        (pg.softmax_kl(z, other, mask=mask), kl),
    ]:
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-10, atol=1e-13)
