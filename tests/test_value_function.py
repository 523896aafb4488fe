"""Value functions: the exact fit, the twin's minibatches, the gradient, and their files."""

import pickle

import numpy as np
import pytest

import pgfast as pg
from pgfast import reference

HIDDEN = [(), (8,), (16, 8)]


def data(B=200, D=3, dtype=np.float64, seed=0):
    """Observations, and targets that are a function of them and noise."""
    rng = np.random.default_rng(seed)
    s = rng.normal(size=(B, D)).astype(dtype)
    y = 3 + 2 * np.sin(s).sum(axis=1) + 0.1 * rng.normal(size=B)
    return s, y.astype(dtype)


def pair(hidden, D=3, activation="tanh", seed=4):
    """A value function and its twin with the same θ, which is not zero."""
    value = pg.ValueFunction(D, hidden=hidden, activation=activation, dtype=np.float64, seed=seed)
    value.theta += 0.1 * pg.normal(value.theta.shape, seed=9, dtype=np.float64)
    twin = reference.ValueFunction(D, hidden=hidden, activation=activation, seed=seed)
    twin.theta[:] = value.theta
    return value, twin


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("hidden", HIDDEN)
def test_predictions_and_gradients_equal_the_twin(hidden, activation):
    value, twin = pair(hidden, activation=activation)
    for B in (1, 31, 33, 1500):
        s, y = data(B)
        np.testing.assert_allclose(value.predict(s), twin.predict(s), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(
            value.gradient(s, y), twin.gradient(s, y), rtol=1e-11, atol=1e-12
        )


@pytest.mark.parametrize("hidden", HIDDEN)
def test_the_gradient_is_that_of_the_mean_squared_error(hidden):
    """Central differences of mean (V − y)²."""
    value, _ = pair(hidden)
    s, y = data(40)
    gradient, theta = value.gradient(s, y), value.theta.copy()
    for p in range(len(theta)):
        losses = []
        for h in (1e-5, -1e-5):
            value.theta = theta + h * np.eye(len(theta))[p]
            losses.append(np.mean((value.predict(s) - y) ** 2))
        assert gradient[p] == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("ridge", [0.0, 1e-5, 1.0, 1e3])
def test_a_linear_fit_is_the_ridge_solution(ridge):
    """Against least squares with √ridge I below; where it ends the gradient of the penalised error
    is zero, and whatever θ was before does not matter."""
    value, twin = pair(())
    s, y = data()
    result = value.fit(s, y, ridge=ridge)
    twin.fit(s, y, ridge=ridge)
    np.testing.assert_allclose(value.theta, twin.theta, rtol=1e-11, atol=1e-11)
    penalty = np.append(2 * ridge * value.theta[:-1], 0) / len(y)
    np.testing.assert_allclose(value.gradient(s, y) + penalty, 0, atol=1e-12)
    v = value.predict(s)
    assert result.damping == 0
    assert result.loss == pytest.approx(np.mean((v - y) ** 2), rel=1e-12)
    assert result.explained_variance == pytest.approx(1 - (y - v).var() / y.var(), rel=1e-12)


def test_a_linear_function_is_found_exactly():
    s, _ = data(B=5000, D=7)
    y = s @ np.arange(7.0) - 4
    value = pg.ValueFunction(7, dtype=np.float64)
    assert value.fit(s, y, ridge=0.0).explained_variance == pytest.approx(1, abs=1e-14)
    np.testing.assert_allclose(value.theta, [*np.arange(7.0), -4], atol=1e-12)


def test_a_large_mean_and_other_units_cost_no_digits():
    """Observations of 1e6 ± 1 and of 1e-6, as positions and angles may be."""
    s, _ = data(B=500, D=2)
    y = s @ np.array([2.0, 3.0])
    value = pg.ValueFunction(2, dtype=np.float64)
    moved = s * [1.0, 1e-6] + [1e6, 0.0]
    assert value.fit(moved, y, ridge=0.0).damping == 0
    np.testing.assert_allclose(value.theta[:2], [2, 3e6], rtol=1e-9)
    np.testing.assert_allclose(value.predict(moved), y, atol=1e-8)


@pytest.mark.parametrize("case", ["twice", "constant", "few samples", "one sample"])
def test_a_singular_system_is_damped_and_told(case):
    """The fit still predicts the targets as well as any."""
    s, y = data(B=60)
    if case == "twice":
        s = np.concatenate([s, s], axis=1)
    if case == "constant":
        s[:, 1] = 0.1
    if case == "few samples":
        s, y = data(B=3, D=5)
    if case == "one sample":
        s, y = data(B=1)
    value = pg.ValueFunction(s.shape[1], dtype=np.float64)
    result = value.fit(s, y, ridge=0.0)
    assert 0 < result.damping < 1e-8
    best = np.linalg.lstsq(np.c_[s, np.ones(len(s))], y, rcond=None)[0]
    np.testing.assert_allclose(
        value.predict(s), np.c_[s, np.ones(len(s))] @ best, rtol=1e-6, atol=1e-6
    )
    assert np.abs(value.theta).max() < 100
    assert value.fit(s, y, ridge=1e-3).damping == 0


@pytest.mark.parametrize("hidden", [(8,), (16, 8)])
@pytest.mark.parametrize("batch_size", [1, 7, 64, 1000])
def test_minibatches_equal_the_twin(hidden, batch_size):
    """The order of samples, the scaling and every step of Adam, over two fits.

    A gradient's rounding, 1e-16, moves a step of Adam by up to 0.01 · 1e-16 / 1e-8, and the last
    layer by 256 times that, its unit in the second fit.
    """
    value, twin = pair(hidden)
    s, y = data(B=53)
    for scale in (1.0, 100.0):
        kwargs = {"epochs": 3, "batch_size": batch_size, "learning_rate": 0.01}
        value.fit(s, scale * y, **kwargs)
        twin.fit(s, scale * y, **kwargs)
        np.testing.assert_allclose(value.theta, twin.theta, rtol=1e-9, atol=3e-8)
    assert value.fits == twin.fits == 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_network_learns_what_a_line_cannot(activation, dtype):
    s, _ = data(B=1000, D=1, dtype=dtype)
    y = 500 + 100 * np.abs(s[:, 0])
    line = pg.ValueFunction(1, dtype=dtype).fit(s, y)
    value = pg.ValueFunction(1, hidden=(32, 32), activation=activation, dtype=dtype)
    network = value.fit(s, y, epochs=30, learning_rate=3e-3)
    assert line.explained_variance < 0.2
    assert network.explained_variance > 0.98
    assert value.predict(s).dtype == dtype


@pytest.mark.parametrize("hidden", [(), (16,)])
def test_the_scale_of_the_targets_does_not_matter(hidden):
    """Targets 2¹⁰ times larger give 2¹⁰ times the values, to the last bit, from V = 0 on."""
    s, y = data()
    results = []
    for scale in (1.0, 1024.0):
        value = pg.ValueFunction(3, hidden=hidden, dtype=np.float64)
        last = (hidden or (3,))[-1] + 1
        value.theta[-last:] = 0
        value.fit(s, scale * y, ridge=0.0)
        results.append(value.predict(s) / scale)
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("hidden", HIDDEN)
def test_samples_that_do_not_count_are_not_read(hidden):
    """NaN where nothing happened leaves no trace; any leading dimensions are taken."""
    s, y = data(B=120)
    valid = np.random.default_rng(1).random((30, 4)) < 0.7
    grid_s, grid_y = s.reshape(30, 4, 3), y.reshape(30, 4)
    dirty_s = np.where(valid[..., None], grid_s, np.nan)
    dirty_y = np.where(valid, grid_y, np.nan)
    one, two = pair(hidden)[0], pair(hidden)[0]
    np.testing.assert_allclose(
        one.gradient(dirty_s, dirty_y, valid=valid),
        one.gradient(grid_s[valid], grid_y[valid]),
        rtol=1e-13,
        atol=1e-14,
    )
    first = one.fit(dirty_s, dirty_y, valid=valid)
    assert first == two.fit(np.ascontiguousarray(grid_s[valid]), grid_y[valid])
    np.testing.assert_array_equal(one.theta, two.theta)
    assert one.predict(grid_s).shape == (30, 4)


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_leaves_theta_alone(hidden, bad):
    value, _ = pair(hidden)
    s, y = data()
    y[17] = bad
    before = value.theta.copy()
    assert not np.isfinite(value.fit(s, y).loss)
    np.testing.assert_array_equal(value.theta, before)
    s, y = data()
    s[3, 1] = bad
    assert np.isnan(value.fit(s, y).loss) or hidden  # tanh(inf) is a number
    assert np.isfinite(value.theta).all()


@pytest.mark.parametrize("hidden", HIDDEN)
def test_constant_targets(hidden):
    """Nothing varies, so nothing is explained; and nothing is divided by zero."""
    value, _ = pair(hidden)
    s, _ = data()
    result = value.fit(s, np.full(len(s), 7.0), epochs=50, learning_rate=1e-2)
    assert result.explained_variance == 0
    np.testing.assert_allclose(value.predict(s), 7, atol=0.3 if hidden else 1e-12)


@pytest.mark.parametrize("hidden", HIDDEN)
def test_threads_do_not_change_a_bit(threads, hidden):
    s, y = data(B=20_000, D=6, dtype=np.float32)

    def run():
        value = pg.ValueFunction(6, hidden=hidden, seed=1)
        value.fit(s, y, epochs=1, batch_size=4096)
        return value.theta, value.predict(s), value.gradient(s, y)

    first, *others = threads(run)
    for other in others:
        for a, b in zip(first, other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_the_same_seed_gives_the_same_fit_and_the_next_one_another_order():
    s, y = data()
    values = [pg.ValueFunction(3, hidden=(8,), dtype=np.float64, seed=n) for n in (0, 0, 1)]
    assert (values[0].theta == values[1].theta).all()
    assert (values[0].theta != values[2].theta).any()
    for value in values:
        value.fit(s, y)
    assert (values[0].theta == values[1].theta).all()
    again = values[0].copy()
    again.fits = 0
    values[0].fit(s, y)
    again.fit(s, y)
    assert (values[0].theta != again.theta).any()


def test_the_first_theta():
    """Orthogonal layers of gain √2 and 1, biases 0, and not those of a policy of the same seed."""
    value = pg.ValueFunction(5, hidden=(8,), dtype=np.float64, seed=3)
    first, last = value.theta[:40].reshape(5, 8), value.theta[48:56]
    np.testing.assert_allclose(first @ first.T, 2 * np.eye(5), atol=1e-12)
    np.testing.assert_allclose(last @ last, 1, rtol=1e-12)
    assert (value.theta[40:48] == 0).all()
    assert value.theta[56] == 0
    policy = pg.SoftmaxPolicy(5, 2, hidden=(8,), dtype=np.float64, seed=3)
    assert (policy.theta[:40] != value.theta[:40]).all()
    assert (pg.ValueFunction(5).theta == 0).all()


@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_copy_a_pickle_and_a_file_go_on_in_the_same_way(hidden, tmp_path):
    value, _ = pair(hidden)
    s, y = data()
    value.fit(s, y)
    value.save(tmp_path / "value.safetensors")
    others = [
        value.copy(),
        pickle.loads(pickle.dumps(value)),
        pg.ValueFunction.load(tmp_path / "value.safetensors"),
    ]
    value.fit(s, y)
    for other in others:
        assert other.config() == value.config()
        other.fit(s, y)
        assert other.fits == value.fits == 2
        np.testing.assert_array_equal(other.theta, value.theta)
    with pytest.raises(FileExistsError, match="expected a new file"):
        value.save(tmp_path / "value.safetensors")


def test_a_file_that_is_no_value_function(tmp_path):
    pg.SoftmaxPolicy(2, 2).save(tmp_path / "policy.safetensors")
    with pytest.raises(ValueError, match="does not describe a value function"):
        pg.ValueFunction.load(tmp_path / "policy.safetensors")
    (tmp_path / "text").write_text("no tensors")
    with pytest.raises(ValueError, match="no whole safetensors file"):
        pg.ValueFunction.load(tmp_path / "text")
    with pytest.raises(FileNotFoundError, match="is no file, expected a value function"):
        pg.ValueFunction.load(tmp_path / "nothing")
    with pytest.raises(ValueError, match=r"theta has shape \(5,\), expected \(4,\)"):
        pg.ValueFunction.restore(pg.ValueFunction(3).config(), np.zeros(5), 0)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"ridge": -1.0}, r"fit: ridge is -1.0, expected a finite number >= 0"),
        ({"ridge": np.nan}, "fit: ridge is nan"),
        ({"epochs": 0}, "fit: epochs is 0, expected at least 1"),
        ({"batch_size": 0}, "fit: batch_size is 0, expected at least 1"),
        ({"learning_rate": 0.0}, "fit: learning_rate is 0.0, expected a finite number > 0"),
        ({"valid": np.zeros(200, bool)}, "fit: valid is False everywhere"),
    ],
)
def test_settings_out_of_range_are_named(kwargs, message):
    s, y = data()
    with pytest.raises(ValueError, match=message):
        pg.ValueFunction(3, dtype=np.float64).fit(s, y, **kwargs)


def test_bad_constructions_are_named():
    with pytest.raises(ValueError, match="ValueFunction: observation_size is 0"):
        pg.ValueFunction(0)
    with pytest.raises(ValueError, match="ValueFunction: activation is 'gelu'"):
        pg.ValueFunction(1, activation="gelu")
    with pytest.raises(TypeError, match="ValueFunction: dtype is int64"):
        pg.ValueFunction(1, dtype=np.int64)
    value = pg.ValueFunction(1)
    with pytest.raises(ValueError, match=r"theta: has shape \(3,\), expected \(2,\)"):
        value.theta = np.zeros(3, np.float32)
    with pytest.raises(TypeError, match="theta: has dtype float64, expected float32"):
        value.theta = np.zeros(2)


def test_a_copy_sees_observations_in_the_same_units(tmp_path):
    """A normalizer goes with a copy and a pickle; a file has no place for it and says so."""
    normalizer = pg.ObservationNormalizer(2)
    normalizer.update(np.random.default_rng(0).normal(3, 5, (50, 2)))
    value = pg.ValueFunction(2, hidden=(8,), normalizer=normalizer, dtype=np.float64)
    s = np.random.default_rng(1).normal(3, 5, (9, 2))
    for twin in (value.copy(), pickle.loads(pickle.dumps(value))):
        np.testing.assert_array_equal(twin.predict(s), value.predict(s))
    with pytest.raises(ValueError, match="has a normalizer"):
        value.save(tmp_path / "value")
