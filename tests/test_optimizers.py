"""SGD and Adam."""

import numpy as np
import pytest

import pgfast as pg
from pgfast import reference


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 7, 64, 1001])
def test_adam_equals_its_twin(size, dtype):
    rng = np.random.default_rng(0)
    theta = rng.normal(size=size).astype(dtype)
    twin, m, v = theta.astype(np.float64), np.zeros(size), np.zeros(size)
    adam = pg.Adam(0.1, betas=(0.8, 0.95), epsilon=1e-6)
    for k in range(1, 20):
        gradient = rng.normal(size=size).astype(dtype)
        adam.descend(theta, gradient)
        twin, m, v = reference.adam_step(
            twin, gradient.astype(np.float64), m, v, k, -0.1, 0.8, 0.95, 1e-6
        )
    tolerance = 2e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(theta, twin, rtol=tolerance, atol=tolerance)


def test_the_first_step_of_adam_has_the_length_of_the_learning_rate():
    theta = np.zeros(3)
    pg.Adam(0.25).ascend(theta, np.array([1e-3, -4.0, 1e5]))
    np.testing.assert_allclose(theta, [0.25, -0.25, 0.25], rtol=1e-4)


@pytest.mark.parametrize("make", [pg.SGD, pg.Adam])
def test_ascend_and_descend_are_each_others_opposite(make):
    up, down, g = np.zeros(5), np.zeros(5), np.arange(1.0, 6)
    climber, other = make(0.1), make(0.1)
    for _ in range(4):
        climber.ascend(up, g)
        other.descend(down, g)
    np.testing.assert_array_equal(up, -down)
    assert (up > 0).all()


def test_sgd_is_a_multiple_of_the_gradient():
    theta, g = np.arange(4.0), np.array([1.0, -2.0, 0.5, 0.0])
    pg.SGD(0.1).descend(theta, g)
    np.testing.assert_allclose(theta, reference.sgd_step(np.arange(4.0), g, -0.1), rtol=1e-15)


@pytest.mark.parametrize("make", [pg.SGD, pg.Adam])
def test_both_find_the_minimum_of_a_parabola(make):
    theta, target = np.zeros(3), np.array([1.0, -2.0, 0.5])
    optimizer = make(0.05)
    for _ in range(500):
        optimizer.descend(theta, theta - target)
    np.testing.assert_allclose(theta, target, atol=1e-3)


def test_bad_arguments_are_named_and_change_nothing():
    with pytest.raises(ValueError, match="SGD: learning_rate is 0, expected a finite number > 0"):
        pg.SGD(0)
    with pytest.raises(ValueError, match="Adam: learning_rate is nan"):
        pg.Adam(np.nan)
    with pytest.raises(ValueError, match="Adam: betas is "):
        pg.Adam(0.1, betas=(0.9, 1.0))
    adam, theta = pg.Adam(0.1), np.ones(3)
    with pytest.raises(ValueError, match=r"adam_step: gradient has shape \(2,\), expected \(3,\)"):
        adam.ascend(theta, np.ones(2))
    with pytest.raises(TypeError, match="gradient has dtype float32, expected float64"):
        adam.ascend(theta, np.ones(3, np.float32))
    theta.flags.writeable = False
    with pytest.raises(ValueError, match="theta is read-only, expected a writable array"):
        adam.ascend(theta, np.ones(3))
    np.testing.assert_array_equal(theta, 1)
    assert adam.count == 0
