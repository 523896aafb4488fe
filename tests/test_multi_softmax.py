"""The product of several softmax distributions as plain functions."""

import itertools

import numpy as np
import pytest

import pgfast as pg
from pgfast import reference

TOLERANCE = {np.float32: 4e-6, np.float64: 1e-13}
SIZE_LISTS = [(1,), (4,), (2, 3), (3, 1, 5), (11,) * 6]


def setting(leading, sizes, dtype, seed=0):
    """Logits, other logits, actions and a mask that allows an action of every dimension."""
    rng = np.random.default_rng(seed)
    z, other = (
        (2 * rng.normal(size=(*leading, sum(sizes)))).astype(dtype),
        (2 * rng.normal(size=(*leading, sum(sizes)))).astype(dtype),
    )
    actions = np.stack([rng.integers(0, size, leading) for size in sizes], axis=-1)
    mask = rng.random(z.shape) < 0.6
    mask[..., np.cumsum(sizes) - 1] = True
    return z, other, actions, mask


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("leading", [(1,), (33,), (4, 9)])
@pytest.mark.parametrize("sizes", SIZE_LISTS)
def test_functions_equal_their_twins(sizes, leading, dtype):
    z, other, actions, mask = setting(leading, sizes, dtype)
    tolerance = {
        "rtol": 10 * TOLERANCE[dtype],
        "atol": len(sizes) * TOLERANCE[dtype],
    }
    for allowed in (None, mask):
        for name, arguments in [
            ("multi_softmax_log_prob", (z, actions, sizes)),
            ("multi_softmax_score", (z, actions, sizes)),
            ("multi_softmax_entropy", (z, sizes)),
            ("multi_softmax_kl", (z, other, sizes)),
        ]:
            result = getattr(pg, name)(*arguments, mask=allowed)
            assert result.dtype == dtype
            expected = getattr(reference, name)(*arguments, mask=allowed)
            np.testing.assert_allclose(result, expected, **tolerance)


@pytest.mark.parametrize("sizes", SIZE_LISTS)
def test_samples_equal_their_twin(sizes):
    z, _, _, mask = setting((3000,), sizes, np.float64)
    for index, allowed in [(0, None), (1, mask), (5, None)]:
        drawn = pg.multi_softmax_sample(z, sizes, seed=7, index=index, mask=allowed)
        expected = reference.multi_softmax_sample(z, sizes, seed=7, index=index, mask=allowed)
        np.testing.assert_array_equal(drawn, expected)


def test_one_dimension_is_the_softmax_distribution():
    z, other, actions, mask = setting((70,), (5,), np.float32)
    for name, arguments in [("log_prob", (actions,)), ("score", (actions,)), ("kl", (other,))]:
        ours = getattr(pg, f"multi_softmax_{name}")(z, *arguments, (5,), mask=mask)
        single = [a[..., 0] if a is actions else a for a in arguments]
        theirs = getattr(pg, f"softmax_{name}")(z, *single, mask=mask)
        np.testing.assert_array_equal(ours, theirs)
    drawn = pg.multi_softmax_sample(z, (5,), seed=3, index=9, mask=mask)
    np.testing.assert_array_equal(drawn[:, 0], pg.softmax_sample(z, seed=3, index=9, mask=mask))


@pytest.mark.parametrize("masked", [False, True])
def test_over_all_combinations_of_actions(masked):
    """Σ p = 1, mean score 0, entropy and KL are their sums, the Fisher metric E[score scoreᵀ]."""
    sizes = (3, 2, 4)
    z, other, _, mask = setting((20,), sizes, np.float64)
    keywords = {"mask": mask if masked else None}
    total, entropy, kl = np.zeros(20), np.zeros(20), np.zeros(20)
    mean, fisher = np.zeros((20, 9)), np.zeros((20, 9, 9))
    for combination in itertools.product(*map(range, sizes)):
        a = np.tile(combination, (20, 1))
        log_p = pg.multi_softmax_log_prob(z, a, sizes, **keywords)
        log_q = pg.multi_softmax_log_prob(other, a, sizes, **keywords)
        p, possible = np.exp(log_p), np.isfinite(log_p)
        score = pg.multi_softmax_score(z, a, sizes, **keywords)
        total += p
        entropy[possible] -= p[possible] * log_p[possible]
        kl[possible] += p[possible] * (log_p[possible] - log_q[possible])
        mean += p[:, None] * score
        fisher += p[:, None, None] * score[:, :, None] * score[:, None, :]
    np.testing.assert_allclose(total, 1, rtol=1e-13)
    np.testing.assert_allclose(mean, 0, atol=1e-14)
    np.testing.assert_allclose(
        pg.multi_softmax_entropy(z, sizes, **keywords), entropy, rtol=1e-12, atol=1e-14
    )
    np.testing.assert_allclose(
        pg.multi_softmax_kl(z, other, sizes, **keywords), kl, rtol=1e-11, atol=1e-14
    )
    for i in range(9):
        column = reference.distributions.multi_softmax_fisher(
            z, np.tile(np.eye(9)[i], (20, 1)), sizes, **keywords
        )
        np.testing.assert_allclose(column, fisher[:, i], atol=1e-14)


def test_the_score_is_the_gradient_of_the_log_probability():
    sizes = (3, 2)
    z, _, actions, _ = setting((20,), sizes, np.float64)
    h, score = 1e-6, pg.multi_softmax_score(z, actions, sizes)
    for i in range(5):
        step = h * np.eye(5)[i]
        up = pg.multi_softmax_log_prob(z + step, actions, sizes)
        down = pg.multi_softmax_log_prob(z - step, actions, sizes)
        np.testing.assert_allclose(score[:, i], (up - down) / (2 * h), atol=1e-9)


def test_dimensions_are_drawn_independently():
    """The joint counts of 2 × 3 actions; chi-squared with 5 degrees, 24.1 at 1 in 5,000."""
    n, sizes = 100_000, (2, 3)
    z = np.array([0.0, 1.0, 0.3, -0.5, 1.0], np.float32)
    drawn = pg.multi_softmax_sample(np.tile(z, (n, 1)), sizes, seed=1)
    count = np.bincount(3 * drawn[:, 0] + drawn[:, 1], minlength=6)
    p, q = np.exp(z[:2]) / np.exp(z[:2]).sum(), np.exp(z[2:]) / np.exp(z[2:]).sum()
    expected = n * np.outer(p, q).ravel()
    assert ((count - expected) ** 2 / expected).sum() < 24.1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_does_not_depend_on_the_others_or_on_the_threads(dtype, threads):
    sizes = (2, 5)
    z, other, actions, mask = setting((9000,), sizes, dtype)

    def everything(rows):
        arrays = z[rows].copy(), other[rows].copy(), actions[rows].copy(), mask[rows].copy()
        return (
            pg.multi_softmax_log_prob(arrays[0], arrays[2], sizes, mask=arrays[3]),
            pg.multi_softmax_score(arrays[0], arrays[2], sizes, mask=arrays[3]),
            pg.multi_softmax_entropy(arrays[0], sizes, mask=arrays[3]),
            pg.multi_softmax_kl(arrays[0], arrays[1], sizes, mask=arrays[3]),
        )

    first, *others = threads(lambda: everything(slice(None)))
    for results in others:
        for result, expected in zip(results, first, strict=True):
            np.testing.assert_array_equal(result, expected)
    for rows in (slice(0, 1), slice(600, 707), slice(33, 95)):
        for result, whole in zip(everything(rows), first, strict=True):
            np.testing.assert_array_equal(result, whole[rows])
    drawn, *drawn_again = threads(lambda: pg.multi_softmax_sample(z, sizes, seed=2, mask=mask))
    for again in drawn_again:
        np.testing.assert_array_equal(again, drawn)
    np.testing.assert_array_equal(
        pg.multi_softmax_sample(z[:70].copy(), sizes, seed=2, mask=mask[:70].copy()), drawn[:70]
    )


def test_extreme_logits_stay_exact():
    z = np.array([[1e308, -1e308, 0, 1e4, 1e4]])
    sizes = (2, 3)
    assert pg.multi_softmax_log_prob(z, np.array([[0, 1]]), sizes) == pytest.approx(-np.log(2))
    assert pg.multi_softmax_entropy(z, sizes) == pytest.approx(np.log(2))
    score = pg.multi_softmax_score(z, np.array([[0, 1]]), sizes)
    np.testing.assert_array_equal(score, [[0, 0, 0, 0.5, -0.5]])


def test_errors_name_the_dimension():
    z, other, actions, mask = setting((6,), (2, 3), np.float32)
    mask[4, 2:] = False
    expected = "multi_softmax_entropy: mask forbids every action of dimension 1 of sample 4"
    with pytest.raises(ValueError, match=expected):
        pg.multi_softmax_entropy(z, (2, 3), mask=mask)
    actions[3, 0] = 2
    expected = "actions holds 2 in dimension 0, expected 0 <= action < 2"
    with pytest.raises(ValueError, match=expected):
        pg.multi_softmax_log_prob(z, actions, (2, 3))
    with pytest.raises(ValueError, match=r"logits has shape \(6, 5\), expected \(\.\.\., 6\)"):
        pg.multi_softmax_entropy(z, (3, 3))
    with pytest.raises(ValueError, match=r"multi_softmax_kl: len\(sizes\) is 0, expected at least"):
        pg.multi_softmax_kl(z, other, ())
    with pytest.raises(ValueError, match="sizes is 0, expected at least 1"):
        pg.multi_softmax_sample(z, (5, 0), seed=0)
    with pytest.raises(ValueError, match="logits has shape"):
        pg.multi_softmax_entropy(z, (2**62, 2**62, 2**62))
    with pytest.raises(TypeError, match="sizes is a int, expected a sequence"):
        pg.multi_softmax_entropy(z, 5)
