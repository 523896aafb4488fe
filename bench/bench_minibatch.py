"""PPO's minibatches: forward, loss, backward and Adam of a policy and a value function."""

import pytest

from pgfast.benchmark.minibatch import minibatches


@pytest.mark.parametrize("member", ["pgfast-1", "pgfast-2", "reference", "torch", "jax"])
def bench_minibatches(compare, member):
    compare(minibatches, member)
