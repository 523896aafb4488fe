"""Steps of every native environment, with random actions, beside Gymnasium's and others'.

CartPole's rows carry a limit: a step of its arithmetic alone, the states in the first-level cache.
"""

from functools import cache, partial

import pytest

from pgfast.benchmark.stepping import ALSO_ELSEWHERE, step
from pgfast.envs.native import NATIVE_ENVS

work = cache(partial)


@pytest.mark.parametrize("num_envs", [1, 64, 4096])
@pytest.mark.parametrize("member", ["pgfast-1", "pgfast-2", "core-1", "core-2", "gymnasium"])
@pytest.mark.parametrize("id", NATIVE_ENVS)
def bench_step(compare, id, num_envs, member):
    compare(work(step, id, num_envs), member)


@pytest.mark.parametrize("num_envs", [1, 64, 4096])
@pytest.mark.parametrize("member", ["gymnax", "envpool"])
@pytest.mark.parametrize("id", sorted(ALSO_ELSEWHERE))
def bench_step_elsewhere(compare, id, num_envs, member):
    compare(work(step, id, num_envs), member)
