"""The diagonal Gaussian as plain functions."""

import math

import numpy as np
import pytest

import pgfast as pg
from pgfast import reference

try:
    import torch
except ImportError:
    torch = None

TOLERANCE = {np.float32: 2e-5, np.float64: 1e-12}


def gaussians(leading, size, dtype, seed=0, shared=False):
    """Mean, log σ and one action for each sample."""
    rng = np.random.default_rng(seed)
    mean = rng.normal(size=(*leading, size)).astype(dtype)
    log_std = (0.5 * rng.normal(size=size if shared else mean.shape)).astype(dtype)
    actions = mean + rng.normal(size=mean.shape).astype(dtype)
    return mean, log_std, actions


def quadrature(mean, log_std):
    """Gauss–Hermite: pairs (x, weight) of each dimension's own Gaussian, exact to degree 39."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    for node, weight in zip(nodes, weights / np.sqrt(2 * np.pi), strict=True):
        yield mean + np.exp(log_std) * node, weight


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(("leading", "size"), [((1,), 1), ((33,), 2), ((100,), 17), ((4, 9), 3)])
def test_functions_equal_their_twins(leading, size, shared, dtype):
    mean, log_std, actions = gaussians(leading, size, dtype, shared=shared)
    other, other_log_std, _ = gaussians(leading, size, dtype, seed=1)
    tolerance = {"rtol": TOLERANCE[dtype], "atol": size * TOLERANCE[dtype] / 10}
    for name, arguments in [
        ("gaussian_log_prob", (mean, log_std, actions)),
        ("gaussian_score", (mean, log_std, actions)),
        ("gaussian_entropy", (mean, log_std)),
        ("gaussian_kl", (mean, log_std, other, other_log_std)),
        ("gaussian_kl", (other, other_log_std, mean, log_std)),
    ]:
        results = getattr(pg, name)(*arguments)
        twins = getattr(reference, name)(*arguments)
        if name != "gaussian_score":
            results, twins = (results,), (twins,)
        for result, twin in zip(results, twins, strict=True):
            assert result.dtype == dtype
            assert result.shape == twin.shape
            np.testing.assert_allclose(result, twin, **tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_samples_equal_their_twin(size, dtype):
    """Same draws, same rule, up to rounding."""
    mean, log_std, _ = gaussians((2000,), size, dtype)
    tolerance = 30 * np.finfo(dtype).eps
    for index in (0, 1, 2, 5):
        drawn = pg.gaussian_sample(mean, log_std, seed=7, index=index)
        assert drawn.dtype == dtype
        expected = reference.gaussian_sample(mean, log_std, seed=7, index=index)
        np.testing.assert_allclose(drawn, expected, rtol=tolerance, atol=tolerance)


def test_one_log_std_for_all_is_the_same_in_each_row():
    mean, log_std, actions = gaussians((70,), 3, np.float32, shared=True)
    rows = np.tile(log_std, (70, 1))
    for name, arguments in [
        ("gaussian_log_prob", (actions,)),
        ("gaussian_score", (actions,)),
        ("gaussian_entropy", ()),
    ]:
        function = getattr(pg, name)
        np.testing.assert_array_equal(
            function(mean, log_std, *arguments), function(mean, rows, *arguments)
        )
    np.testing.assert_array_equal(
        pg.gaussian_kl(mean, log_std, -mean, rows), pg.gaussian_kl(mean, rows, -mean, log_std)
    )
    np.testing.assert_array_equal(
        pg.gaussian_sample(mean, log_std, seed=1), pg.gaussian_sample(mean, rows, seed=1)
    )


def test_the_score_has_mean_zero_under_the_policy():
    mean, log_std, _ = gaussians((50,), 4, np.float64)
    by_mean, by_log_std = np.zeros((2, 50, 4))
    for x, weight in quadrature(mean, log_std):
        d_mean, d_log_std = pg.gaussian_score(mean, log_std, x)
        by_mean += weight * d_mean
        by_log_std += weight * d_log_std
    np.testing.assert_allclose(by_mean, 0, atol=1e-10)
    np.testing.assert_allclose(by_log_std, 0, atol=1e-10)


def test_the_fisher_metric_is_the_mean_of_score_times_score():
    """diag(1/σ², 2), by quadrature: the twin that the policies' products are held to."""
    mean, log_std, _ = gaussians((50,), 3, np.float64)
    uu, uv, vv = np.zeros((3, 50, 3))
    for x, weight in quadrature(mean, log_std):
        d_mean, d_log_std = pg.gaussian_score(mean, log_std, x)
        uu += weight * d_mean**2
        uv += weight * d_mean * d_log_std
        vv += weight * d_log_std**2
    ones = np.ones_like(mean)
    by_mean, by_log_std = reference.distributions.gaussian_fisher(mean, log_std, ones, ones)
    np.testing.assert_allclose(uu, by_mean, rtol=1e-10)
    np.testing.assert_allclose(vv, by_log_std, rtol=1e-10)
    np.testing.assert_allclose(uv, 0, atol=1e-10)


def test_the_score_is_the_gradient_of_the_log_density():
    mean, log_std, x = gaussians((20,), 3, np.float64)
    h, (d_mean, d_log_std) = 1e-6, pg.gaussian_score(mean, log_std, x)
    for i in range(3):
        step = h * np.eye(3)[i]
        for score, up, down in [
            (d_mean, (mean + step, log_std), (mean - step, log_std)),
            (d_log_std, (mean, log_std + step), (mean, log_std - step)),
        ]:
            slope = (pg.gaussian_log_prob(*up, x) - pg.gaussian_log_prob(*down, x)) / (2 * h)
            np.testing.assert_allclose(score[:, i], slope, rtol=1e-8, atol=1e-8)


def test_the_density_integrates_to_one():
    """The trapezium rule, which is exact to rounding for a Gaussian on a grid this fine."""
    mean, log_std = np.array([[0.7]]), np.array([-0.3])
    x = np.linspace(-12, 12, 2001)[:, None]
    p = np.exp(pg.gaussian_log_prob(np.tile(mean, (2001, 1)), log_std, x))
    assert p.sum() * (x[1, 0] - x[0, 0]) == pytest.approx(1, rel=1e-12)


def test_entropy_and_kl_are_their_integrals():
    """E[−log π] and E[log π − log π′], by quadrature, exact for these polynomials."""
    mean, log_std, _ = gaussians((50,), 1, np.float64)
    other, other_log_std, _ = gaussians((50,), 1, np.float64, seed=1)
    entropy, kl = np.zeros((2, 50))
    for x, weight in quadrature(mean, log_std):
        log_p = pg.gaussian_log_prob(mean, log_std, x)
        entropy -= weight * log_p
        kl += weight * (log_p - pg.gaussian_log_prob(other, other_log_std, x))
    np.testing.assert_allclose(pg.gaussian_entropy(mean, log_std), entropy, rtol=1e-10, atol=1e-10)
    result = pg.gaussian_kl(mean, log_std, other, other_log_std)
    np.testing.assert_allclose(result, kl, rtol=1e-10, atol=1e-10)
    assert (result > 0).all()


def test_entropy_and_kl_are_sums_over_the_dimensions():
    mean, log_std, _ = gaussians((50,), 4, np.float64)
    other, other_log_std, _ = gaussians((50,), 4, np.float64, seed=1)
    all_four = (mean, log_std, other, other_log_std)
    columns = [[array[:, i : i + 1].copy() for array in all_four] for i in range(4)]
    entropy = sum(pg.gaussian_entropy(*arrays[:2]) for arrays in columns)
    np.testing.assert_allclose(pg.gaussian_entropy(mean, log_std), entropy, rtol=1e-13, atol=1e-13)
    kl = sum(pg.gaussian_kl(*arrays) for arrays in columns)
    np.testing.assert_allclose(pg.gaussian_kl(mean, log_std, other, other_log_std), kl, rtol=1e-13)


def test_the_fisher_metric_is_the_curvature_of_kl():
    mean, log_std, _ = gaussians((50,), 3, np.float64)
    rng, h = np.random.default_rng(4), 1e-3
    u, v = rng.normal(size=(2, 50, 3))
    ahead = pg.gaussian_kl(mean, log_std, mean + h * u, log_std + h * v)
    behind = pg.gaussian_kl(mean, log_std, mean - h * u, log_std - h * v)
    by_mean, by_log_std = reference.distributions.gaussian_fisher(mean, log_std, u, v)
    expected = (u * by_mean + v * by_log_std).sum(axis=-1)
    np.testing.assert_allclose((ahead + behind) / h**2, expected, rtol=1e-4)


def test_kl_between_neighbours_keeps_its_digits():
    """float32 beside float64: t = 10⁻³, where e²ᵗ − 1 − 2t in float32 would be off by a tenth."""
    log_std = np.array([[1e-3], [-1e-3], [3e-4]], np.float32)
    zero = np.zeros((3, 1), np.float32)
    kl = pg.gaussian_kl(zero, log_std, zero, zero)
    exact = [0.5 * math.expm1(2 * t) - t for t in log_std[:, 0].astype(float)]
    np.testing.assert_allclose(kl, exact, rtol=1e-3)
    np.testing.assert_array_equal(pg.gaussian_kl(zero, log_std, zero, log_std), 0)


def normal_cdf(x):
    return np.array([math.erf(value / math.sqrt(2)) / 2 + 0.5 for value in x])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_samples_are_normal_in_every_dimension(dtype):
    """Kolmogorov–Smirnov with a false alarm in at most 1 of 10,000 for each dimension.

    P(sup |Fₙ − F| > ε) ≤ 2 exp(−2nε²) (Dvoretzky, Kiefer, Wolfowitz and Massart).
    """
    n, size = 50_000, 3
    mean = np.array([0.0, -2.0, 5.0], dtype)
    log_std = np.array([0.0, -1.0, 1.5], dtype)
    drawn = pg.gaussian_sample(np.tile(mean, (n, 1)), log_std, seed=3)
    epsilon = math.sqrt(math.log(2 / 1e-4) / (2 * n))
    standard = (drawn - mean) / np.exp(log_std)
    for a in range(size):
        cdf = normal_cdf(np.sort(standard[:, a]).astype(np.float64))
        ranks = np.arange(n + 1) / n
        assert max(np.abs(cdf - ranks[1:]).max(), np.abs(cdf - ranks[:-1]).max()) < epsilon


def test_dimensions_and_draws_are_uncorrelated():
    """Five standard errors: each correlation fails by chance once in 1.7 million seeds."""
    n = 40_000
    mean, log_std = np.zeros((n, 4)), np.zeros(4)
    now = pg.gaussian_sample(mean, log_std, seed=3, index=0)
    then = pg.gaussian_sample(mean, log_std, seed=3, index=1)
    other = pg.gaussian_sample(mean, log_std, seed=4, index=0)
    both = np.concatenate([now, then, other], axis=1)
    for columns in (both, both**2 - 1):
        correlation = np.corrcoef(columns, rowvar=False) - np.eye(12)
        assert np.abs(correlation).max() < 5 / math.sqrt(n)
    neighbours = np.corrcoef(now[:-1, 0], now[1:, 0])[0, 1]
    assert abs(neighbours) < 5 / math.sqrt(n)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_does_not_depend_on_the_others_or_on_the_threads(dtype, threads):
    mean, log_std, x = gaussians((9000,), 3, dtype)
    other, other_log_std, _ = gaussians((9000,), 3, dtype, seed=1)

    def everything(rows):
        m, s, a, o, t = (array[rows].copy() for array in (mean, log_std, x, other, other_log_std))
        return (
            pg.gaussian_log_prob(m, s, a),
            *pg.gaussian_score(m, s, a),
            pg.gaussian_entropy(m, s),
            pg.gaussian_kl(m, s, o, t),
        )

    first, *others = threads(lambda: everything(slice(None)))
    for results in others:
        for result, expected in zip(results, first, strict=True):
            np.testing.assert_array_equal(result, expected)
    for rows in (slice(0, 1), slice(5, 8), slice(600, 707), slice(33, 95)):
        for result, whole in zip(everything(rows), first, strict=True):
            np.testing.assert_array_equal(result, whole[rows])
    drawn, *again = threads(lambda: pg.gaussian_sample(mean, log_std, seed=2, index=5))
    for each in again:
        np.testing.assert_array_equal(each, drawn)
    part = pg.gaussian_sample(mean[:70].copy(), log_std[:70].copy(), seed=2, index=5)
    np.testing.assert_array_equal(part, drawn[:70])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("level", [-50.0, 50.0])
def test_extreme_log_std_stays_exact(level, dtype):
    mean, log_std = np.array([[0.5, -1.0]], dtype), np.array([level, level], dtype)
    log_prob = pg.gaussian_log_prob(mean, log_std, mean)
    tolerance = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(log_prob, -2 * level - np.log(2 * np.pi), rtol=tolerance)
    entropy = pg.gaussian_entropy(mean, log_std)
    np.testing.assert_allclose(entropy, 2 * level + np.log(2 * np.pi * np.e), rtol=tolerance)
    d_mean, d_log_std = pg.gaussian_score(mean, log_std, mean)
    np.testing.assert_array_equal(d_mean, 0)
    np.testing.assert_array_equal(d_log_std, -1)
    np.testing.assert_array_equal(pg.gaussian_kl(mean, log_std, mean, log_std), 0)
    drawn = pg.gaussian_sample(mean, log_std, seed=0)
    assert np.isfinite(drawn).all()
    if level < 0:
        np.testing.assert_array_equal(drawn, mean)
    far = pg.gaussian_log_prob(mean, np.zeros(2, dtype), mean + dtype(1e6))
    np.testing.assert_allclose(far, -1e12, rtol=1e-6)


@pytest.mark.parametrize(("dtype", "bound"), [(np.float32, -87.0), (np.float64, -708.0)])
def test_no_sigma_is_smaller_than_the_dtype_can_hold(dtype, bound):
    mean, x = np.zeros((1, 1), dtype), np.zeros((1, 1), dtype)
    at, below = np.array([bound], dtype), np.array([bound * 10], dtype)
    np.testing.assert_array_equal(
        pg.gaussian_log_prob(mean, below, x), pg.gaussian_log_prob(mean, at, x)
    )
    assert pg.gaussian_score(mean, at, x)[1] == -1
    assert pg.gaussian_score(mean, below, x)[1] == 0


def test_below_the_floor_the_twin_has_no_slope_and_on_it_one():
    """The floor that policies put under log σ, as the twin has it."""
    mean, x = np.zeros((3, 1)), np.ones((3, 1))
    log_std = np.array([[-1.0], [-2.0], [-3.0]])
    twin = reference.gaussian_score(mean, log_std, x, floor=-2.0)
    expected = reference.gaussian_score(mean, np.maximum(log_std, -2), x)
    np.testing.assert_array_equal(twin[0], expected[0])
    np.testing.assert_array_equal(twin[1][:2], expected[1][:2])
    assert twin[1][2] == 0


def test_nan_in_a_mean_comes_out_in_its_row():
    mean, log_std, x = gaussians((40,), 3, np.float32)
    mean[7, 1] = np.nan
    results = [
        pg.gaussian_log_prob(mean, log_std, x),
        pg.gaussian_kl(mean, log_std, x, log_std),
        pg.gaussian_kl(x, log_std, mean, log_std),
        pg.gaussian_score(mean, log_std, x)[0][:, 1],
        pg.gaussian_sample(mean, log_std, seed=0)[:, 1],
    ]
    for result in results:
        assert np.isnan(result[7])
        assert np.isfinite(np.delete(result, 7)).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_log_std_and_actions_have_to_be_finite(bad):
    mean, log_std, x = gaussians((4,), 2, np.float64)
    spoiled = log_std.copy()
    spoiled[2, 1] = bad
    for name, arguments in [
        ("gaussian_log_prob", (mean, spoiled, x)),
        ("gaussian_score", (mean, spoiled, x)),
        ("gaussian_entropy", (mean, spoiled)),
        ("gaussian_kl", (mean, spoiled, mean, log_std)),
    ]:
        with pytest.raises(ValueError, match=f"{name}: log_std holds {bad}, expected finite"):
            getattr(pg, name)(*arguments)
    with pytest.raises(ValueError, match=f"gaussian_sample: log_std holds {bad}, expected finite"):
        pg.gaussian_sample(mean, spoiled, seed=0)
    with pytest.raises(ValueError, match=f"gaussian_kl: other_log_std holds {bad}"):
        pg.gaussian_kl(mean, log_std, mean, spoiled)
    for name in ("gaussian_log_prob", "gaussian_score"):
        with pytest.raises(ValueError, match=f"{name}: actions holds {bad}, expected finite"):
            getattr(pg, name)(mean, log_std, spoiled)


def test_a_log_std_of_another_size_is_an_error():
    mean, _, x = gaussians((4,), 2, np.float32)
    with pytest.raises(ValueError, match=r"log_std has shape \(3,\), expected \(2,\)"):
        pg.gaussian_log_prob(mean, np.zeros(3, np.float32), x)
    with pytest.raises(ValueError, match=r"log_std has shape \(1, 2\), expected \(4, 2\)"):
        pg.gaussian_log_prob(mean, np.zeros((1, 2), np.float32), x)
    with pytest.raises(TypeError, match="log_std has dtype float64, expected float32"):
        pg.gaussian_entropy(mean, np.zeros(2))


@pytest.mark.skipif(torch is None, reason="PyTorch is not installed")
def test_the_gaussian_agrees_with_pytorch():
    mean, log_std, x = gaussians((200,), 3, np.float64)
    other, other_log_std, _ = gaussians((200,), 3, np.float64, seed=1)

    def distribution(*arrays):
        m, s = (torch.from_numpy(array).requires_grad_() for array in arrays)
        normal = torch.distributions.Normal(m, s.exp())
        return m, s, torch.distributions.Independent(normal, 1)

    (m, s, p), (_, _, q) = distribution(mean, log_std), distribution(other, other_log_std)
    log_prob = p.log_prob(torch.from_numpy(x))
    by_mean, by_log_std = torch.autograd.grad(log_prob.sum(), (m, s), retain_graph=True)
    d_mean, d_log_std = pg.gaussian_score(mean, log_std, x)
    for ours, theirs in [
        (pg.gaussian_log_prob(mean, log_std, x), log_prob),
        (d_mean, by_mean),
        (d_log_std, by_log_std),
        (pg.gaussian_entropy(mean, log_std), p.entropy()),
        (
            pg.gaussian_kl(mean, log_std, other, other_log_std),
            torch.distributions.kl_divergence(p, q),
        ),
    ]:
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-12, atol=1e-12)
