"""The least squares of compatible critics and of ridge regression: Σ w x xᵀ, and the solve."""

import numpy as np
import pytest

from pgfast import _core

B, P = 16_384, 130


@pytest.mark.parametrize("member", ["reference", "pgfast-1", "pgfast-2"])
@pytest.mark.benchmark(group=f"weighted Gram matrix, B={B} P={P} float64")
def bench_weighted_gram(measure, rng, member):
    rows = rng.normal(size=(B, P))
    weights = rng.uniform(size=B)
    expected = rows.T @ (weights[:, None] * rows)
    measure(
        lambda: (
            rows.T @ (weights[:, None] * rows)
            if member == "reference"
            else _core.weighted_gram(rows, weights)
        ),
        work=B,
        unit="sample",
        check=lambda G: np.testing.assert_allclose(G, expected, rtol=1e-3, atol=1.0),
        threads=2 if member == "pgfast-2" else 1,
    )


@pytest.mark.parametrize("member", ["reference", "pgfast-1"])
@pytest.mark.benchmark(group=f"positive semidefinite solve, P={P} float64")
def bench_semidefinite_solve(measure, rng, member):
    factor = rng.normal(size=(P, P))
    matrix, b = factor @ factor.T + np.eye(P), rng.normal(size=P)

    def twin():
        """By eigenvalues, which tell the rank, as the kernel does it."""
        return np.linalg.pinv(matrix, hermitian=True) @ b

    expected = np.linalg.solve(matrix, b)
    measure(
        lambda: twin() if member == "reference" else _core.semidefinite_solve(matrix, b)[0],
        work=1,
        unit="solve",
        check=lambda x: np.testing.assert_allclose(x, expected, rtol=1e-6, atol=1e-8),
    )
