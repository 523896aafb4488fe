"""One minibatch of PPO: forward, loss, backward and Adam of a policy and a value function."""

import pytest

from pgfast.benchmark.minibatch import minibatch


@pytest.mark.parametrize("member", ["pgfast-1", "pgfast-2", "reference", "torch", "jax"])
def bench_minibatch(compare, member):
    compare(minibatch, member)
