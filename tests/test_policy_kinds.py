"""Policies of every kind have the same properties: network ∘ distribution, whatever they are."""

import copy
import itertools
import pickle

import numpy as np
import pytest
from batches import KINDS, MASKABLE, D, a_policy, some_masks

import pgfast as pg
from pgfast import reference

CASES = [(kind, False) for kind in KINDS] + [(kind, True) for kind in MASKABLE]
cases = pytest.mark.parametrize(("kind", "masked"), CASES)


def samples(policy, B, masked=False, seed=1):
    """Observations, actions, weights and masks."""
    rng = np.random.default_rng(seed)
    s = (1.0 + 2.0 * rng.normal(size=(B, D))).astype(policy.dtype)
    masks = some_masks(policy, (B,), seed) if masked else None
    a = policy.copy().sample(s, masks=masks)
    return s, a, rng.normal(size=B).astype(policy.dtype), masks


def quadrature(policy, s, masks=None):
    """Actions (M, B, ...) and their probabilities (M, B): sums over them are means under π.

    Discrete actions are enumerated. Of a Gaussian they are Gauss and Hermite's nodes, exact for
    polynomials of the action up to degree 9 in each dimension.
    """
    if isinstance(policy, pg.GaussianPolicy):
        nodes, weights = np.polynomial.hermite_e.hermegauss(5)
        mean, std = policy.mean(s), policy.std(s)
        pairs = list(itertools.product(range(5), repeat=2))
        n = np.array([[nodes[i], nodes[j]] for i, j in pairs])
        w = np.array([weights[i] * weights[j] for i, j in pairs]) / (2 * np.pi)
        return mean + std * n[:, None, :], np.broadcast_to(w[:, None], (len(w), len(s)))
    if isinstance(policy, pg.MultiSoftmaxPolicy):
        each = np.array(list(itertools.product(*map(range, policy.actions))))
    else:
        each = np.arange(policy.actions)
    actions = np.stack([np.broadcast_to(a, (len(s), *each.shape[1:])) for a in each])
    actions = np.ascontiguousarray(actions)
    return actions, np.stack([np.exp(policy.log_prob(s, a, masks=masks)) for a in actions])


def dense_fisher(policy, s, masks=None):
    """mean_b E_π[∇ log π ∇ log πᵀ]; of a Gaussian the integrand has degree 4."""
    total = 0.0
    for a, p in zip(*quadrature(policy, s, masks), strict=True):
        scores = policy.scores(s, a, masks=masks)
        total = total + np.einsum("b,bp,bq->pq", p, scores, scores)
    return total / len(s)


@cases
def test_probabilities_sum_to_one(kind, masked):
    """Σₐ π(a|s) = 1; a density's integral over a grid wide enough is 1."""
    policy = a_policy(kind)
    s, _, _, masks = samples(policy, 4, masked)
    if "gaussian" not in kind:
        _, p = quadrature(policy, s, masks)
        np.testing.assert_allclose(p.sum(axis=0), 1, rtol=1e-12)
        return
    mean, std = policy.mean(s), policy.std(s)
    x = np.linspace(-9, 9, 200)
    grid = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
    for b in range(len(s)):
        actions = np.ascontiguousarray(mean[b] + std[b] * grid)
        density = np.exp(policy.log_prob(np.repeat(s[b : b + 1], len(grid), axis=0), actions))
        integral = density.sum() * (x[1] - x[0]) ** 2 * std[b].prod()
        assert integral == pytest.approx(1, rel=1e-10)


@cases
def test_the_score_is_the_gradient_of_the_log_probability(kind, masked):
    """∇ Σ_b w_b log π(a_b|s_b), by central differences in every parameter."""
    policy = a_policy(kind)
    s, a, w, masks = samples(policy, 40, masked)
    h, theta = 1e-6, policy.theta.copy()
    score = policy.score(s, a, w, masks=masks)
    for i in range(len(theta)):
        values = []
        for sign in (1, -1):
            policy.theta[i] = theta[i] + sign * h
            values.append(w @ policy.log_prob(s, a, masks=masks))
        policy.theta[i] = theta[i]
        assert abs((values[0] - values[1]) / (2 * h) - score[i]) < 1e-6 * (1 + abs(score[i]))


@cases
def test_scores_sum_to_the_score(kind, masked):
    """score(w) = Σ_b w_b scores_b."""
    policy = a_policy(kind)
    s, a, w, masks = samples(policy, 700, masked)
    scores = policy.scores(s, a, masks=masks)
    np.testing.assert_allclose(
        w @ scores, policy.score(s, a, w, masks=masks), rtol=1e-9, atol=1e-10
    )
    np.testing.assert_allclose(
        scores.sum(axis=0), policy.score(s, a, masks=masks), rtol=1e-9, atol=1e-9
    )


@cases
def test_the_score_has_mean_zero_under_the_policy(kind, masked):
    """E_π[∇ log π] = 0 in every state: by enumeration, or by quadrature of a square."""
    policy = a_policy(kind)
    s, _, _, masks = samples(policy, 30, masked)
    mean = sum(
        p[:, None] * policy.scores(s, a, masks=masks)
        for a, p in zip(*quadrature(policy, s, masks), strict=True)
    )
    np.testing.assert_allclose(mean, 0, atol=1e-12)


@cases
def test_entropy_and_divergence_are_means_of_log_probabilities(kind, masked):
    """H = −E[log π], KL = E[log π − log π′] ≥ 0, and 0 at itself."""
    policy, other = a_policy(kind), a_policy(kind, seed=5)
    if other.normalizer is not None:  # the same units, so that both see the same
        other._restore_arrays({**policy.arrays(), "theta": other.theta})
    s, _, _, masks = samples(policy, 30, masked)
    entropy = kl = 0.0
    for a, p in zip(*quadrature(policy, s, masks), strict=True):
        log_p = policy.log_prob(s, a, masks=masks)
        log_q = other.log_prob(s, a, masks=masks)
        possible = p > 0  # 0 · log 0 = 0
        entropy = entropy - p * np.where(possible, log_p, 0)
        kl = kl + p * (np.where(possible, log_p, 0) - np.where(possible, log_q, 0))
    np.testing.assert_allclose(policy.entropy(s, masks=masks), entropy, rtol=1e-9, atol=1e-12)
    divergence = policy.kl(s, other, masks=masks)
    np.testing.assert_allclose(divergence, kl, rtol=1e-9, atol=1e-12)
    assert (divergence >= 0).all()
    assert masked or (divergence > 0).all()
    assert (policy.kl(s, policy.copy(), masks=masks) == 0).all()


@cases
def test_fisher_vector_products_are_those_of_the_dense_matrix(kind, masked):
    """F = mean E_π[∇ log π ∇ log πᵀ], symmetric and positive semi-definite; damping · v beside."""
    policy = a_policy(kind)
    s, _, _, masks = samples(policy, 50, masked)
    F, n = dense_fisher(policy, s, masks), len(policy.theta)
    products = np.stack(
        [policy.fisher_vector_product(s, e, masks=masks) for e in np.eye(n)], axis=1
    )
    scale = np.abs(F).max()
    np.testing.assert_allclose(products, F, rtol=1e-9, atol=1e-12 * scale)
    np.testing.assert_allclose(products, products.T, rtol=1e-9, atol=1e-12 * scale)
    assert np.linalg.eigvalsh(F).min() > -1e-12 * scale
    v = np.linspace(-1, 1, n)
    damped = policy.fisher_vector_product(s, v, 0.3, masks=masks)
    np.testing.assert_allclose(damped, F @ v + 0.3 * v, rtol=1e-8, atol=1e-11 * scale)


@cases
def test_the_fisher_matrix_is_the_hessian_of_the_divergence(kind, masked):
    """vᵀFv = d²/dh² mean KL(θ ‖ θ + h v) at h = 0."""
    policy = a_policy(kind)
    s, _, _, masks = samples(policy, 50, masked)
    v = np.random.default_rng(5).normal(size=policy.theta.shape)
    v /= np.linalg.norm(v)
    other, h, kl = policy.copy(), 1e-3, []
    for sign in (1, -1):
        other.theta = policy.theta + sign * h * v
        kl.append(policy.kl(s, other, masks=masks).mean())
    product = policy.fisher_vector_product(s, v, masks=masks)
    np.testing.assert_allclose(sum(kl) / h**2, v @ product, rtol=1e-4)


@cases
def test_the_natural_gradient_solves_the_damped_system(kind, masked):
    policy = a_policy(kind)
    s, _, _, masks = samples(policy, 60, masked)
    g = np.random.default_rng(3).normal(size=policy.theta.shape)
    result = policy.natural_gradient(
        s, g, damping=0.1, tolerance=1e-11, max_iterations=2000, masks=masks
    )
    assert result.status == "converged"
    exact = np.linalg.solve(dense_fisher(policy, s, masks) + 0.1 * np.eye(len(g)), g)
    np.testing.assert_allclose(result.x, exact, rtol=1e-6, atol=1e-7)


@cases
def test_the_mode_is_the_most_probable_action(kind, masked):
    policy = a_policy(kind)
    s, a, _, masks = samples(policy, 200, masked)
    mode = policy.mode(s, masks=masks)
    at_mode = policy.log_prob(s, mode, masks=masks)
    assert (at_mode >= policy.log_prob(s, a, masks=masks)).all()
    if "gaussian" in kind:
        np.testing.assert_array_equal(mode, policy.mean(s))
        return
    _, p = quadrature(policy, s, masks)
    np.testing.assert_allclose(np.exp(at_mode), p.max(axis=0), rtol=1e-12)


@pytest.mark.parametrize("kind", MASKABLE)
def test_a_forbidden_action_is_never_taken(kind):
    """Not sampled, not the mode; its probability is 0, whatever θ thinks of it."""
    policy = a_policy(kind)
    s, _, _, masks = samples(policy, 3000, masked=True)
    first = np.cumsum([0, *np.atleast_1d(policy.actions)[:-1]])
    for actions in (policy.sample(s, masks=masks), policy.mode(s, masks=masks)):
        columns = first + (actions if actions.ndim == 2 else actions[:, None])
        assert np.take_along_axis(masks, columns, axis=1).all()
    free = policy.sample(s)
    columns = first + (free if free.ndim == 2 else free[:, None])
    forbidden = ~np.take_along_axis(masks, columns, axis=1).all(axis=1)
    assert forbidden.sum() > 100
    log_prob = policy.log_prob(s, free, masks=masks)
    assert (log_prob[forbidden] == -np.inf).all()
    assert np.isfinite(log_prob[~forbidden]).all()
    assert np.isfinite(policy.entropy(s, masks=masks)).all()
    assert np.isfinite(policy.scores(s, free, masks=masks)).all()


@pytest.mark.parametrize("kind", MASKABLE)
def test_a_mask_that_allows_all_changes_nothing(kind):
    policy = a_policy(kind, np.float32)
    s, a, w, _ = samples(policy, 100)
    all_of_them = np.ones((100, np.sum(policy.actions)), bool)
    np.testing.assert_array_equal(policy.log_prob(s, a, masks=all_of_them), policy.log_prob(s, a))
    np.testing.assert_array_equal(policy.score(s, a, w, masks=all_of_them), policy.score(s, a, w))


@cases
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_does_not_depend_on_the_others(kind, masked, dtype):
    """The same bits for a row alone, in a tile's tail, and in the midst of a batch."""
    policy = a_policy(kind, dtype)
    s, a, _, masks = samples(policy, 600, masked)

    def of(rows):
        m = None if masks is None else masks[rows].copy()
        x, b = s[rows].copy(), a[rows].copy()
        return [
            policy.parameters(x),
            policy.log_prob(x, b, masks=m),
            policy.entropy(x, masks=m),
            policy.mode(x, masks=m),
            policy.scores(x, b, masks=m),
        ]

    whole = of(slice(None))
    for rows in (slice(0, 1), slice(7, 12), slice(500, 600), slice(31, 95)):
        for part, all_of_it in zip(of(rows), whole, strict=True):
            np.testing.assert_array_equal(part, all_of_it[rows])


@cases
def test_threads_do_not_change_a_bit(kind, masked, threads):
    policy = a_policy(kind, np.float32)
    s, a, w, masks = samples(policy, 10_000, masked)

    def run():
        return np.concatenate(
            [
                policy.score(s, a, w, masks=masks),
                policy.fisher_vector_product(s, policy.theta, masks=masks),
                policy.natural_gradient(s, policy.theta, max_iterations=5, masks=masks).x,
                policy.log_prob(s, a, masks=masks),
                policy.kl(s, a_policy(kind, np.float32, seed=2), masks=masks),
                policy.copy().sample(s, masks=masks).astype(np.float32).ravel(),
            ]
        )

    first, *others = threads(run)
    for other in others:
        np.testing.assert_array_equal(other, first)


@cases
def test_leading_dimensions_are_kept(kind, masked):
    policy = a_policy(kind)
    s, a, w, masks = samples(policy, 24, masked)

    def grid(x):
        return None if x is None else x.reshape(6, 4, *x.shape[1:])

    m = grid(masks)
    np.testing.assert_array_equal(
        policy.log_prob(grid(s), grid(a), masks=m), grid(policy.log_prob(s, a, masks=masks))
    )
    np.testing.assert_array_equal(
        policy.scores(grid(s), grid(a), masks=m), grid(policy.scores(s, a, masks=masks))
    )
    np.testing.assert_array_equal(
        policy.score(grid(s), grid(a), grid(w), masks=m), policy.score(s, a, w, masks=masks)
    )
    np.testing.assert_array_equal(
        policy.copy().sample(grid(s), masks=m), grid(policy.copy().sample(s, masks=masks))
    )
    np.testing.assert_array_equal(policy.parameters(grid(s)), grid(policy.parameters(s)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["made", "copy", "pickle", "deepcopy"])
def test_the_parameters_begin_with_a_line_of_the_cache(kind, way):
    """θ stands at a multiple of 64 bytes, however the policy came about, and is one array."""
    policy = a_policy(kind)
    if way == "copy":
        policy = policy.copy()
    elif way == "pickle":
        policy = pickle.loads(pickle.dumps(policy))
    elif way == "deepcopy":
        policy = copy.deepcopy(policy)
    assert policy.theta.ctypes.data % 64 == 0
    assert policy.theta.flags.c_contiguous


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["pickle", "copy", "deepcopy", "file"])
def test_a_policy_survives_every_way_of_copying(kind, way, tmp_path):
    """Same θ, features, statistics and draws: the same numbers from then on, and nothing shared."""
    policy = a_policy(kind, np.float32)
    s, a, _, _ = samples(policy, 50)
    policy.sample(s)
    if way == "file":
        policy.save(tmp_path / "policy.safetensors")
        twin = type(policy).load(tmp_path / "policy.safetensors")
    else:
        ways = {"pickle": lambda p: pickle.loads(pickle.dumps(p)), "deepcopy": copy.deepcopy}
        twin = ways.get(way, type(policy).copy)(policy)
    assert twin.config() == policy.config()
    np.testing.assert_array_equal(twin.log_prob(s, a), policy.log_prob(s, a))
    np.testing.assert_array_equal(twin.sample(s), policy.sample(s))
    before = policy.log_prob(s, a)
    twin.theta += 1
    twin.observe(100 * np.ones((10, D)))
    np.testing.assert_array_equal(policy.log_prob(s, a), before)


@pytest.mark.parametrize("kind", ["normalized", "both", "multi deep", "gaussian features"])
def test_a_normalizer_comes_before_features_and_layers(kind):
    """z(s) = f(φ(n(s))): the policy without one gives the same for normalized observations."""
    policy = a_policy(kind)
    plain = type(policy)(**{**policy.config(), "normalize_observations": False})
    plain.theta = policy.theta
    s = samples(policy, 40)[0]
    np.testing.assert_allclose(
        policy.parameters(s), plain.parameters(policy.normalizer(s)), rtol=1e-12, atol=1e-12
    )
    before = policy.parameters(s)
    policy.observe(s)
    assert (policy.parameters(s) != before).any()


@pytest.mark.parametrize("kind", KINDS)
def test_looking_changes_nothing(kind):
    """Only `observe` and `after_update` feed the normalizer."""
    policy = a_policy(kind)
    s, a, w, _ = samples(policy, 40)
    arrays = copy.deepcopy(policy.arrays())
    policy.sample(s)
    policy.mode(s)
    policy.score(s, a, w)
    policy.natural_gradient(s, policy.theta, max_iterations=3)
    for name, array in policy.arrays().items():
        np.testing.assert_array_equal(array, arrays[name])


@pytest.mark.parametrize("kind", KINDS)
def test_nan_goes_in_and_comes_out(kind):
    policy = a_policy(kind)
    s, a, w, _ = samples(policy, 70)
    s[40, 0] = np.nan
    log_prob = policy.log_prob(s, a)
    assert np.isnan(log_prob[40])
    assert np.isfinite(np.delete(log_prob, 40)).all()
    assert np.isnan(policy.score(s, a, w)).any()


def test_a_multi_softmax_is_a_product_of_softmaxes():
    """log π(a|s) = Σⱼ log πⱼ(aⱼ|s), each its own columns of θ."""
    policy = a_policy("multi")
    s, a, _, _ = samples(policy, 50)
    W, b = policy.theta[: 5 * D].reshape(D, 5), policy.theta[5 * D :]
    total = 0
    for j, columns in enumerate((slice(0, 2), slice(2, 5))):
        part = pg.SoftmaxPolicy(D, columns.stop - columns.start, dtype=np.float64)
        part.theta = np.concatenate([W[:, columns].ravel(), b[columns]])
        total = total + part.log_prob(s, np.ascontiguousarray(a[:, j]))
    np.testing.assert_allclose(policy.log_prob(s, a), total, rtol=1e-12)
    expected = reference.multi_softmax_sample(policy.parameters(s), [2, 3], seed=policy.seed)
    np.testing.assert_array_equal(policy.copy().sample(s), expected)


@pytest.mark.parametrize("kind", ["gaussian", "gaussian fixed", "gaussian network"])
def test_a_gaussian_is_its_twin_at_the_mean_and_sigma_that_it_tells(kind):
    policy = a_policy(kind)
    s, a, _, _ = samples(policy, 50)
    mean, log_std = policy.mean(s), np.log(policy.std(s))
    np.testing.assert_allclose(
        policy.log_prob(s, a), reference.gaussian_log_prob(mean, log_std, a), rtol=1e-10
    )
    np.testing.assert_allclose(
        policy.entropy(s), reference.gaussian_entropy(mean, log_std), rtol=1e-12
    )
    drawn = reference.gaussian_sample(mean, log_std, seed=policy.seed)
    np.testing.assert_allclose(policy.copy().sample(s), drawn, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("std", ["learned", "network"])
def test_sigma_is_held_up_by_its_floor(std):
    """Below min_std it stays there, log σ has no gradient, and `floored` says how often."""
    policy = pg.GaussianPolicy(1, 2, std=std, min_std=0.5, dtype=np.float64)
    s = np.array([[0.0], [1.0]])
    policy.theta[-2:] = np.log([0.1, 0.7])
    np.testing.assert_allclose(policy.std(s), [[0.5, 0.7]] * 2)
    assert policy.floored(s) == 0.5
    score = policy.score(s, policy.mean(s) + 1)
    assert score[-2] == 0
    assert score[-1] != 0
    before = policy.entropy(s)
    policy.theta[-2] -= 1
    np.testing.assert_array_equal(policy.entropy(s), before)


def test_a_learned_sigma_below_its_floor_can_rise_again():
    """After an update log σ is on the floor, where its gradient is not 0."""
    policy = pg.GaussianPolicy(1, 2, min_std=0.5, dtype=np.float64)
    policy.theta[-2:] = np.log([0.1, 0.7])
    s = np.zeros((3, 1))
    stats = policy.after_update(s)
    np.testing.assert_allclose(policy.theta[-2:], np.log([0.5, 0.7]))
    assert stats["floored"] == 0.5
    assert stats["log_std"] == pytest.approx(np.log([0.5, 0.7]).mean())
    assert policy.score(s, policy.mean(s) + 2)[-2] > 0


def test_a_fixed_sigma_is_no_parameter():
    policy = pg.GaussianPolicy(2, 3, std="fixed", initial_std=0.2, dtype=np.float64)
    assert len(policy.theta) == 3 * 3
    s = np.random.default_rng(0).normal(size=(5, 2))
    np.testing.assert_array_equal(policy.std(s), 0.2)
    assert policy.floored(s) == 0


@pytest.mark.parametrize("std", ["learned", "fixed", "network"])
def test_a_gaussian_begins_with_its_initial_sigma(std):
    policy = pg.GaussianPolicy(3, 2, hidden=(8,), std=std, initial_std=0.3, dtype=np.float64)
    s = np.random.default_rng(0).normal(size=(100, 3))
    np.testing.assert_allclose(policy.std(s), 0.3, rtol=0.1)
    assert np.abs(policy.mean(s)).max() < 0.1


def test_divergence_between_two_kinds_of_sigma():
    """KL needs the same actions only; σ may come from elsewhere."""
    learned = a_policy("gaussian")
    fixed = pg.GaussianPolicy(D, 2, std="fixed", initial_std=0.3, dtype=np.float64)
    s = samples(learned, 20)[0]
    expected = reference.gaussian_kl(
        learned.mean(s), np.log(learned.std(s)), fixed.mean(s), np.log(fixed.std(s))
    )
    np.testing.assert_allclose(learned.kl(s, fixed), expected, rtol=1e-10)


BAD_SETTINGS = [
    (pg.GaussianPolicy, (0, 1), {}, "GaussianPolicy: observation_size is 0, expected at least"),
    (pg.GaussianPolicy, (1, 0), {}, "GaussianPolicy: action_size is 0, expected at least"),
    (pg.GaussianPolicy, (1, 1), {"initial_std": 0.0}, "initial_std is 0.0, expected .* > 0"),
    (pg.GaussianPolicy, (1, 1), {"initial_std": -1.0}, "initial_std is -1.0, expected .* > 0"),
    (pg.GaussianPolicy, (1, 1), {"initial_std": np.nan}, "initial_std is nan, expected .* > 0"),
    (pg.GaussianPolicy, (1, 1), {"min_std": 0.0}, "min_std is 0.0, expected .* > 0"),
    (pg.GaussianPolicy, (1, 1), {"min_std": 2.0}, "min_std is 2.0, expected at most initial_std"),
    (pg.GaussianPolicy, (1, 1), {"std": "learnt"}, "'learned'"),
    (pg.MultiSoftmaxPolicy, (1, []), {}, "MultiSoftmaxPolicy: actions is empty"),
    (pg.MultiSoftmaxPolicy, (1, [2, 0]), {}, "MultiSoftmaxPolicy: actions is 0, expected at least"),
    (
        pg.SoftmaxPolicy,
        (2, 2),
        {"features": pg.PolynomialFeatures(3, 2)},
        "SoftmaxPolicy: features takes observations of size 3, expected 2",
    ),
]


@pytest.mark.parametrize(("kind", "sizes", "settings", "message"), BAD_SETTINGS)
def test_bad_settings_are_named(kind, sizes, settings, message):
    with pytest.raises(ValueError, match=message):
        kind(*sizes, **settings)


def test_features_of_another_type_are_named():
    with pytest.raises(TypeError, match="SoftmaxPolicy: features is a function, expected Features"):
        pg.SoftmaxPolicy(2, 2, features=lambda s: s)


def test_bad_masks_are_named():
    policy = a_policy("multi")
    s, a, _, _ = samples(policy, 2)
    masks = np.ones((2, 5), bool)
    masks[1, 2:] = False
    with pytest.raises(ValueError, match="log_prob: masks"):
        policy.log_prob(s, a, masks=masks)
    with pytest.raises(ValueError, match=r"sample: masks has shape \(2, 4\), expected \(2, 5\)"):
        policy.sample(s, masks=np.ones((2, 4), bool))
    with pytest.raises(TypeError, match="mode: masks has dtype float64, expected bool"):
        policy.mode(s, masks=np.ones((2, 5)))
    gaussian = a_policy("gaussian")
    with pytest.raises(ValueError, match="sample: masks go with discrete actions"):
        gaussian.sample(s, masks=np.ones((2, 2), bool))


def test_actions_of_another_kind_are_named():
    multi, gaussian = a_policy("multi"), a_policy("gaussian")
    s = np.zeros((2, D))
    with pytest.raises(ValueError, match="log_prob: actions"):
        multi.log_prob(s, np.array([[0, 3], [0, 0]]))
    with pytest.raises(ValueError, match="log_prob: actions"):
        multi.log_prob(s, np.zeros(2, np.int64))
    with pytest.raises(TypeError, match="log_prob: actions has dtype float32, expected float64"):
        gaussian.log_prob(s, np.zeros((2, 2), np.float32))
    with pytest.raises(ValueError, match=r"score: actions .*nan"):
        gaussian.score(s, np.full((2, 2), np.nan))


def test_divergence_from_another_kind_or_size_is_refused():
    s = np.zeros((1, D))
    with pytest.raises(TypeError, match="kl: other is a GaussianPolicy, expected a SoftmaxPolicy"):
        a_policy().kl(s, a_policy("gaussian"))
    other = pg.MultiSoftmaxPolicy(D, [3, 2], dtype=np.float64)  # as many logits, other dimensions
    with pytest.raises(ValueError, match="kl: other is a policy of other observations or actions"):
        a_policy("multi").kl(s, other)


@pytest.mark.parametrize(
    ("policy", "env"),
    [
        (pg.SoftmaxPolicy(4, 3), "CartPole-v1"),
        (pg.SoftmaxPolicy(3, 2), "CartPole-v1"),
        (pg.GaussianPolicy(4, 1), "CartPole-v1"),
        (pg.MultiSoftmaxPolicy(4, [2]), "CartPole-v1"),
        (pg.SoftmaxPolicy(3, 2), "Pendulum-v1"),
        (pg.GaussianPolicy(3, 2), "Pendulum-v1"),
        (pg.MultiSoftmaxPolicy(3, [5, 5]), "Pendulum-v1"),
        (pg.MultiSoftmaxPolicy(3, [1]), "Pendulum-v1"),
    ],
)
def test_a_policy_that_does_not_fit_an_environment_is_refused(policy, env):
    """Before anything runs, with what came and what was expected."""
    with pytest.raises((TypeError, ValueError), match=r"collect: .*expected"):
        pg.collect(pg.make(env, 2), policy, steps=1)
