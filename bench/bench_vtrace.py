"""V-trace of 128 steps and 4096 environments; its twin, sum by sum, on 128 and 64."""

import numpy as np
import pytest

import pgfast
from pgfast import reference

T = 128


@pytest.mark.parametrize(
    ("module", "threads", "N"),
    [(reference, 1, 64), (pgfast, 1, 4096), (pgfast, 2, 4096)],
    ids=["reference", "pgfast-1", "pgfast-2"],
)
@pytest.mark.benchmark(group="vtrace, T=128 N=4096 float32")
def bench_vtrace(measure, rng, module, threads, N):
    r, ratios = rng.normal(size=(2, T, N)).astype(np.float32)
    v = rng.normal(size=(T + 1, N)).astype(np.float32)
    end, cut = rng.random((T, N)) < 0.01, rng.random((T, N)) < 0.002
    final = rng.normal(size=cut.sum()).astype(np.float32)
    arrays = r, v, ratios, end, cut
    kwargs = {"gamma": 0.99, "final_values": final}

    def check(answer):
        head = [np.ascontiguousarray(a[:, :64]) for a in arrays]
        first = final[np.argwhere(cut)[:, 1] < 64]
        expected = reference.vtrace(*head, gamma=0.99, final_values=first)
        for ours, theirs in zip(answer, expected, strict=True):
            np.testing.assert_allclose(ours[:, :64], theirs, rtol=1e-3, atol=1e-3)

    measure(
        lambda: module.vtrace(*arrays, **kwargs),
        work=T * N,
        unit="element",
        check=check,
        threads=threads,
    )
