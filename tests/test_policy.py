"""Policies: every gradient against enumeration, finite differences and PyTorch."""

import copy
import itertools
import pickle

import numpy as np
import pytest

import pgfast as pg
from pgfast import reference

try:
    import torch
except ImportError:
    torch = None

KINDS = ["linear", "tanh", "relu", "deep", "state-action"]
D, A, J = 5, 3, 7


def make(kind, dtype=np.float64, seed=0):
    """A policy of each network with a random theta, its twin, and a function for observations."""
    rng = np.random.default_rng(seed)
    if kind == "state-action":
        policy = pg.StateActionSoftmaxPolicy(A, J, dtype=dtype, seed=seed)
        twin = reference.StateActionSoftmaxPolicy(A, J, dtype=dtype, seed=seed)
        shape = (A, J)
    else:
        hidden = {"linear": (), "tanh": (16,), "relu": (9,), "deep": (33, 17, 4)}[kind]
        kwargs = {"hidden": hidden, "activation": "relu" if kind == "relu" else "tanh"}
        policy = pg.SoftmaxPolicy(D, A, dtype=dtype, seed=seed, **kwargs)
        twin = reference.SoftmaxPolicy(D, A, dtype=dtype, seed=seed, **kwargs)
        shape = (D,)
    policy.theta = twin.theta = (0.5 * rng.normal(size=policy.theta.shape)).astype(dtype)

    def samples(B):
        observations = rng.normal(size=(B, *shape)).astype(dtype)
        return observations, rng.integers(0, A, B), rng.normal(size=B).astype(dtype)

    return policy, twin, samples


def all_actions(policy, s):
    """pi(a|s) (B, A) and the scores (B, A, P) of every action."""
    B = len(s)
    p = np.stack([np.exp(policy.log_prob(s, np.full(B, a))) for a in range(A)], axis=1)
    return p, np.stack([policy.scores(s, np.full(B, a)) for a in range(A)], axis=1)


def dense_fisher(policy, s):
    """mean_b sum_a pi(a|s_b) grad log pi grad log pi', by enumeration."""
    p, scores = all_actions(policy, s)
    return np.einsum("ba,bap,baq->pq", p, scores, scores) / len(s)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("B", [1, 2, 31, 33, 100, 1500])
def test_every_method_equals_its_twin(kind, B, dtype):
    policy, twin, samples = make(kind, dtype)
    other, other_twin, _ = make(kind, dtype, seed=1)
    s, a, w = samples(B)
    v = np.random.default_rng(2).normal(size=policy.theta.shape).astype(dtype)
    pairs = {
        "logits": (policy.logits(s), twin.logits(s)),
        "log_prob": (policy.log_prob(s, a), twin.log_prob(s, a)),
        "entropy": (policy.entropy(s), twin.entropy(s)),
        "kl": (policy.kl(s, other), twin.kl(s, other_twin)),
        "score": (policy.score(s, a, w) / B, twin.score(s, a, w) / B),
        "unweighted score": (policy.score(s, a) / B, twin.score(s, a) / B),
        "scores": (policy.scores(s[:40], a[:40]), twin.scores(s[:40], a[:40])),
        "fisher_vector_product": (
            policy.fisher_vector_product(s, v, 0.1),
            twin.fisher_vector_product(s, v, dtype(0.1)),
        ),
    }
    tolerance = 2e-4 if dtype == np.float32 else 1e-10
    for name, (ours, theirs) in pairs.items():
        assert ours.dtype == dtype, name
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance, err_msg=name)
    np.testing.assert_array_equal(policy.mode(s), twin.mode(s))


@pytest.mark.parametrize("kind", KINDS)
def test_samples_equal_their_twin(kind):
    """float64, where no draw falls between two roundings; the count of draws goes on."""
    policy, twin, samples = make(kind)
    s, _, _ = samples(500)
    for _ in range(5):
        np.testing.assert_array_equal(policy.sample(s), twin.sample(s))


@pytest.mark.parametrize("kind", KINDS)
def test_the_score_is_the_gradient_of_the_log_probability(kind):
    """Central differences in every parameter."""
    policy, _, samples = make(kind)
    s, a, w = samples(40)
    h, score = 1e-6, policy.score(s, a, w)
    theta = policy.theta.copy()
    for i in range(len(theta)):
        values = []
        for sign in (1, -1):
            policy.theta[i] = theta[i] + sign * h
            values.append(w @ policy.log_prob(s, a))
        policy.theta[i] = theta[i]
        assert abs((values[0] - values[1]) / (2 * h) - score[i]) < 1e-7


@pytest.mark.parametrize("kind", KINDS)
def test_the_score_has_mean_zero_under_the_policy(kind):
    """Exactly, by enumeration."""
    policy, _, samples = make(kind)
    s, _, _ = samples(30)
    p, scores = all_actions(policy, s)
    np.testing.assert_allclose(np.einsum("ba,bap->bp", p, scores), 0, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_the_sum_of_scores_is_the_score(kind):
    policy, _, samples = make(kind)
    s, a, w = samples(700)
    np.testing.assert_allclose(
        w @ policy.scores(s, a), policy.score(s, a, w), rtol=1e-9, atol=1e-11
    )


@pytest.mark.parametrize("kind", KINDS)
def test_fisher_vector_products_are_those_of_the_dense_matrix(kind):
    """Which is symmetric and positive semi-definite."""
    policy, _, samples = make(kind)
    s, _, _ = samples(50)
    F, n = dense_fisher(policy, s), len(policy.theta)
    products = np.stack([policy.fisher_vector_product(s, e) for e in np.eye(n)], axis=1)
    np.testing.assert_allclose(products, F, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(products, products.T, rtol=1e-10, atol=1e-14)
    assert np.linalg.eigvalsh(F).min() > -1e-13
    v = np.ones(n)
    np.testing.assert_allclose(policy.fisher_vector_product(s, v, 0.3), F @ v + 0.3, rtol=1e-9)


@pytest.mark.parametrize("kind", ["linear", "tanh", "deep", "state-action"])
def test_the_fisher_matrix_is_the_hessian_of_the_divergence(kind):
    """v'Fv = d^2/dh^2 mean KL(theta, theta + h v) at h = 0."""
    policy, _, samples = make(kind)
    s, _, _ = samples(50)
    v = np.random.default_rng(5).normal(size=policy.theta.shape)
    v /= np.linalg.norm(v)
    other, h, kl = policy.copy(), 1e-3, []
    for sign in (1, -1):
        other.theta = policy.theta + sign * h * v
        kl.append(policy.kl(s, other).mean())
    np.testing.assert_allclose(sum(kl) / h**2, v @ policy.fisher_vector_product(s, v), rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_natural_gradient_solves_the_damped_system(kind):
    policy, _, samples = make(kind)
    s, _, _ = samples(60)
    g = np.random.default_rng(3).normal(size=policy.theta.shape)
    result = policy.natural_gradient(s, g, damping=0.1, tolerance=1e-10, max_iterations=500)
    assert result.status == "converged"
    exact = np.linalg.solve(dense_fisher(policy, s) + 0.1 * np.eye(len(g)), g)
    np.testing.assert_allclose(result.x, exact, rtol=1e-7, atol=1e-8)


@pytest.mark.skipif(torch is None, reason="PyTorch is not installed")
@pytest.mark.parametrize("kind", ["linear", "tanh", "relu", "deep"])
def test_scores_and_fisher_products_agree_with_pytorch(kind):
    """Autograd in float64, to 1e-9: the score, and the Fisher product as the Hessian of the KL."""
    policy, twin, samples = make(kind)
    s, a, w = samples(200)
    v = np.random.default_rng(5).normal(size=policy.theta.shape)
    activation = torch.relu if kind == "relu" else torch.tanh

    def log_probs(theta):
        x = torch.from_numpy(s)
        start = 0
        sizes = twin.network.sizes
        for layer, (i, o) in enumerate(itertools.pairwise(sizes)):
            weights = theta[start : start + i * o].reshape(i, o)
            x = x @ weights + theta[start + i * o : start + (i + 1) * o]
            start += (i + 1) * o
            x = activation(x) if layer + 2 < len(sizes) else x
        return torch.log_softmax(x, dim=-1)

    theta = torch.from_numpy(policy.theta.copy()).requires_grad_()
    objective = (
        torch.from_numpy(w) * log_probs(theta)[torch.arange(200), torch.from_numpy(a)]
    ).sum()
    (score,) = torch.autograd.grad(objective, theta)
    np.testing.assert_allclose(policy.score(s, a, w), score.numpy(), rtol=1e-9, atol=1e-9)

    old = log_probs(theta).detach()
    kl = (old.exp() * (old - log_probs(theta))).sum(dim=-1).mean()
    (gradient,) = torch.autograd.grad(kl, theta, create_graph=True)
    (product,) = torch.autograd.grad(gradient @ torch.from_numpy(v), theta)
    ours = policy.fisher_vector_product(s, v)
    np.testing.assert_allclose(ours, product.numpy(), rtol=1e-9, atol=1e-9)


@pytest.mark.skipif(torch is None, reason="PyTorch is not installed")
def test_a_cpu_tensor_is_taken_as_it_is():
    policy, _, samples = make("tanh", np.float32)
    s, a, _ = samples(10)
    ours = policy.log_prob(torch.from_numpy(s), torch.from_numpy(a))
    np.testing.assert_array_equal(ours, policy.log_prob(s, a))


@pytest.mark.parametrize("kind", KINDS)
def test_leading_dimensions_are_kept(kind):
    policy, _, samples = make(kind)
    s, a, w = samples(24)
    shape = (6, 4)
    S, grid_a, grid_w = s.reshape(*shape, *s.shape[1:]), a.reshape(shape), w.reshape(shape)
    assert policy.logits(S).shape == (*shape, A)
    assert policy.scores(S, grid_a).shape == (*shape, len(policy.theta))
    np.testing.assert_array_equal(policy.log_prob(S, grid_a).ravel(), policy.log_prob(s, a))
    np.testing.assert_array_equal(policy.entropy(S).ravel(), policy.entropy(s))
    np.testing.assert_array_equal(policy.mode(S).ravel(), policy.mode(s))
    np.testing.assert_array_equal(policy.score(S, grid_a, grid_w), policy.score(s, a, w))
    np.testing.assert_array_equal(policy.copy().sample(S).ravel(), policy.copy().sample(s))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_a_row_does_not_depend_on_the_others(kind, dtype):
    """The same bits for a row alone, in a tile's tail, and in the midst of a batch."""
    policy, _, samples = make(kind, dtype)
    s, a, _ = samples(1200)
    whole = policy.logits(s), policy.log_prob(s, a)
    for rows in (slice(0, 1), slice(7, 12), slice(1000, 1200), slice(31, 95)):
        np.testing.assert_array_equal(policy.logits(s[rows].copy()), whole[0][rows])
        np.testing.assert_array_equal(
            policy.log_prob(s[rows].copy(), a[rows].copy()), whole[1][rows]
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_place_in_memory_does_not_change_a_bit(dtype):
    policy, _, samples = make("deep", dtype)
    s, a, w = samples(300)
    size = np.dtype(dtype).itemsize
    raw = np.empty(s.nbytes + 128, np.uint8)
    first = (-raw.ctypes.data) % 64
    results = []
    for offset in range(0, 64, size):
        moved = raw[first + offset : first + offset + s.nbytes].view(dtype).reshape(s.shape)
        moved[...] = s
        results.append(policy.score(moved, a, w))
    for result in results:
        np.testing.assert_array_equal(result, results[0])


@pytest.mark.parametrize("kind", KINDS)
def test_threads_do_not_change_a_bit(kind, threads):
    policy, _, samples = make(kind, np.float32)
    s, a, w = samples(20_000)

    def run():
        return np.concatenate(
            [
                policy.score(s, a, w),
                policy.fisher_vector_product(s, policy.theta),
                policy.natural_gradient(s, policy.theta, max_iterations=5).x,
                policy.log_prob(s, a),
                policy.copy().sample(s).astype(np.float32),
            ]
        )

    first, *others = threads(run)
    for other in others:
        np.testing.assert_array_equal(other, first)


@pytest.mark.parametrize("kind", KINDS)
def test_samples_of_weight_zero_add_nothing(kind):
    """Whole tiles of them are passed over, whatever they hold."""
    policy, _, samples = make(kind)
    s, a, w = samples(200)
    w[50:180] = 0
    kept = w != 0
    clean = policy.score(s[kept].copy(), a[kept], w[kept])
    np.testing.assert_allclose(policy.score(s, a, w), clean, rtol=1e-12, atol=1e-13)
    s[64:160] = np.nan
    np.testing.assert_allclose(policy.score(s, a, w), clean, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_nan_goes_in_and_comes_out(kind):
    policy, _, samples = make(kind)
    s, a, w = samples(70)
    s[40].flat[0] = np.nan
    assert np.isnan(policy.log_prob(s, a)[40])
    assert np.isfinite(np.delete(policy.log_prob(s, a), 40)).all()
    assert np.isnan(policy.score(s, a, w)).any()
    policy.theta[:] = np.nan
    assert np.isnan(policy.entropy(s)).all()


def test_a_seed_gives_the_initial_parameters_and_the_samples():
    s = np.zeros((1000, D), np.float32)
    one, same, other = (pg.SoftmaxPolicy(D, A, hidden=(8,), seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.theta, same.theta)
    assert (one.theta != other.theta).any()
    first = one.sample(s)
    np.testing.assert_array_equal(first, same.sample(s))
    assert (first != one.sample(s)).any()


def test_hidden_layers_begin_orthogonal_and_the_policy_nearly_uniform():
    policy = pg.SoftmaxPolicy(4, 3, hidden=(64, 32), dtype=np.float64)
    W1, W2 = policy.theta[:256].reshape(4, 64), policy.theta[320 : 320 + 2048].reshape(64, 32)
    np.testing.assert_allclose(W1 @ W1.T, 2 * np.eye(4), atol=1e-12)
    np.testing.assert_allclose(W2.T @ W2, 2 * np.eye(32), atol=1e-12)
    s = np.random.default_rng(0).normal(size=(100, 4))
    assert (policy.entropy(s) > np.log(3) - 1e-3).all()


def test_theta_is_changed_in_place_or_assigned_never_cast():
    policy = pg.SoftmaxPolicy(2, 2)
    theta = policy.theta
    policy.theta += np.ones(6, np.float32)
    policy.theta = np.full(6, 3, np.float32)
    assert policy.theta is theta
    np.testing.assert_array_equal(theta, 3)
    with pytest.raises(TypeError, match="theta: has dtype float64, expected float32"):
        policy.theta = np.zeros(6)
    with pytest.raises(ValueError, match=r"theta: has shape \(5,\), expected \(6,\)"):
        policy.theta = np.zeros(5, np.float32)


def test_a_copy_is_its_own():
    policy, _, samples = make("tanh")
    s, _, _ = samples(50)
    policy.sample(s)
    twin = policy.copy()
    np.testing.assert_array_equal(policy.sample(s), twin.sample(s))
    twin.theta += 1
    assert (twin.theta != policy.theta).all()


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="SoftmaxPolicy: observation_size is 0, expected at least"):
        pg.SoftmaxPolicy(0, 2)
    with pytest.raises(TypeError, match="SoftmaxPolicy: actions is a float, expected an int"):
        pg.SoftmaxPolicy(4, 2.0)
    with pytest.raises(ValueError, match="hidden is 0, expected at least 1"):
        pg.SoftmaxPolicy(4, 2, hidden=(0,))
    with pytest.raises(ValueError, match="activation is 'gelu', expected 'tanh' or 'relu'"):
        pg.SoftmaxPolicy(4, 2, activation="gelu")
    with pytest.raises(TypeError, match="dtype is float16, expected float32 or float64"):
        pg.SoftmaxPolicy(4, 2, dtype=np.float16)
    with pytest.raises(ValueError, match="seed is -1"):
        pg.SoftmaxPolicy(4, 2, seed=-1)
    s = np.zeros((1, 4), np.float32)
    with pytest.raises(ValueError, match="kl: other is a policy of other observations or actions"):
        pg.SoftmaxPolicy(4, 2).kl(s, pg.SoftmaxPolicy(4, 3))
    with pytest.raises(TypeError, match="kl: other is a StateActionSoftmaxPolicy"):
        pg.SoftmaxPolicy(4, 2).kl(s, pg.StateActionSoftmaxPolicy(2, 4))


@pytest.mark.parametrize("kind", KINDS)
def test_a_policy_can_be_sent_to_another_process(kind):
    """Pickled and deep-copied it has the same theta, and goes on with the same draws."""
    policy, _, samples = make(kind, np.float32)
    s, _, _ = samples(50)
    policy.sample(s)
    twins = pickle.loads(pickle.dumps(policy)), copy.deepcopy(policy)
    actions = policy.sample(s)
    for twin in twins:
        np.testing.assert_array_equal(twin.theta, policy.theta)
        np.testing.assert_array_equal(twin.sample(s), actions)
