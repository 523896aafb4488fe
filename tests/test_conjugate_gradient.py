"""Conjugate gradients."""

import numpy as np
import pytest

import pgfast as pg
from pgfast import reference


def spd(n, eigenvalues, seed=0):
    """A symmetric matrix with those eigenvalues, each as often as needed."""
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))
    return (q * np.resize(eigenvalues, n)) @ q.T


@pytest.mark.parametrize("solve", [pg.conjugate_gradient, reference.conjugate_gradient])
@pytest.mark.parametrize("distinct", [1, 2, 5])
def test_as_many_steps_as_distinct_eigenvalues(solve, distinct):
    A, b = spd(30, np.arange(1.0, distinct + 1)), np.random.default_rng(1).normal(size=30)
    result = solve(lambda v: A @ v, b, tolerance=1e-10)
    assert result.iterations == distinct
    assert result.status == "converged"
    np.testing.assert_allclose(A @ result.x, b, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_kernel_equals_its_twin(dtype):
    A = spd(40, np.linspace(0.5, 20, 40)).astype(dtype)
    b = np.random.default_rng(1).normal(size=40).astype(dtype)
    for kwargs in ({}, {"max_iterations": 3}, {"damping": 0.5}, {"tolerance": 1e-2}):
        ours = pg.conjugate_gradient(lambda v: A @ v, b, **kwargs)
        twin = reference.conjugate_gradient(lambda v: A @ v, b, **kwargs)
        assert ours.status == twin.status
        assert abs(ours.iterations - twin.iterations) <= (0 if dtype == np.float64 else 1)
        tolerance = 1e-9 if dtype == np.float64 else 1e-4
        np.testing.assert_allclose(ours.x, twin.x, rtol=tolerance, atol=tolerance)


def test_damping_is_added_to_the_diagonal():
    A, b = spd(12, np.linspace(1, 3, 12)), np.ones(12)
    x = pg.conjugate_gradient(lambda v: A @ v, b, damping=0.7, tolerance=1e-12).x
    np.testing.assert_allclose(x, np.linalg.solve(A + 0.7 * np.eye(12), b), rtol=1e-9)


def test_the_residual_is_relative_and_true():
    A, b = spd(50, np.logspace(0, 3, 50)), 1e6 * np.random.default_rng(1).normal(size=50)
    result = pg.conjugate_gradient(lambda v: A @ v, b, max_iterations=15)
    assert result.status == "max_iterations"
    assert result.iterations == 15
    true = np.linalg.norm(b - A @ result.x) / np.linalg.norm(b)
    np.testing.assert_allclose(result.residual, true, rtol=1e-6)


def test_each_step_lowers_the_error_in_the_matrix_norm():
    A, b = spd(30, np.logspace(0, 2, 30)), np.random.default_rng(3).normal(size=30)
    exact = np.linalg.solve(A, b)
    errors = []
    for k in range(1, 12):
        e = pg.conjugate_gradient(lambda v: A @ v, b, max_iterations=k).x - exact
        errors.append(e @ A @ e)
    assert (np.diff(errors) < 0).all()


def test_zero_is_solved_by_zero_without_a_product():
    result = pg.conjugate_gradient(lambda v: 1 / 0, np.zeros(3))
    assert result == (pytest.approx(np.zeros(3)), 0, 0.0, "converged")


def test_a_singular_system_that_has_a_solution_is_solved():
    A = np.diag([1.0, 2.0, 0.0])
    result = pg.conjugate_gradient(lambda v: A @ v, np.array([1.0, 1.0, 0.0]))
    assert result.status == "converged"
    np.testing.assert_allclose(result.x, [1, 0.5, 0])


def test_a_direction_without_positive_curvature_ends_the_solve():
    """x is from before the step: the zero start, or the sum of the good steps."""
    result = pg.conjugate_gradient(lambda v: -v, np.ones(3))
    assert result.status == "non_positive_curvature"
    np.testing.assert_array_equal(result.x, 0)
    A = np.diag([5.0, 4.0, -1.0])
    result = pg.conjugate_gradient(lambda v: A @ v, np.array([1.0, 1.0, 0.1]))
    assert result.status == "non_positive_curvature"
    assert result.iterations > 0
    assert np.isfinite(result.x).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_told(bad):
    assert pg.conjugate_gradient(lambda v: v, np.array([1.0, bad])).status == "non_finite"
    result = pg.conjugate_gradient(lambda v: bad * v, np.array([1.0, 2.0]))
    assert result.status == "non_finite"
    assert np.isfinite(result.x).all()


def test_bad_arguments_are_named():
    b = np.ones(3)

    def same(v):
        return v

    with pytest.raises(ValueError, match=r"tolerance is -1\.0, expected a finite number >= 0"):
        pg.conjugate_gradient(same, b, tolerance=-1)
    with pytest.raises(ValueError, match="damping is nan"):
        pg.conjugate_gradient(same, b, damping=np.nan)
    with pytest.raises(ValueError, match="max_iterations is 0, expected at least 1"):
        pg.conjugate_gradient(same, b, max_iterations=0)
    with pytest.raises(ValueError, match=r"b has shape \(1, 3\), expected \(P,\)"):
        pg.conjugate_gradient(same, b[None])
    with pytest.raises(ValueError, match=r"matvec\(v\) has shape \(2,\), expected \(3,\)"):
        pg.conjugate_gradient(lambda v: v[:2].copy(), b)
    with pytest.raises(TypeError, match=r"matvec\(v\) has dtype float32, expected float64"):
        pg.conjugate_gradient(lambda v: v.astype(np.float32), b)
    with pytest.raises(ZeroDivisionError):
        pg.conjugate_gradient(lambda v: 1 / 0, b)


@pytest.mark.parametrize("solve", [pg.conjugate_gradient, reference.conjugate_gradient])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_step_that_overflows_is_not_taken(solve):
    """A curvature of 1e-310 makes a step of 1e310: non_finite, and x is from before it."""
    result = solve(lambda v: np.array([1e-310, 0.0]) * v, np.ones(2))
    assert result.status == "non_finite"
    assert np.isfinite(result.x).all()
