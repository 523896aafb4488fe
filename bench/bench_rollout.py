"""`collect`: environments × steps × policy, learning data written."""

from functools import partial

import pytest

from pgfast.benchmark.stepping import collect

MEMBERS = pytest.mark.parametrize("member", ["pgfast-1", "pgfast-2", "python", "gymnasium"])
MLP = partial(collect, (64, 64))


@MEMBERS
def bench_collect_linear(compare, member):
    compare(collect, member)


@MEMBERS
def bench_collect_mlp(compare, member):
    compare(MLP, member)
