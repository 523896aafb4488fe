"""One contract for all kernels: what they take, and what they say to what they don't.

Each entry of KERNELS makes a valid call: a function of named arrays. The tests spoil one array at a
time and look for the error that names it, its fault and what was expected.
"""

import pickle
import re

import numpy as np
import pytest

import pgfast as pg
from pgfast import _core
from pgfast.envs.native import NATIVE_ENVS

T, N, B, D, A = 4, 3, 6, 5, 3
POLICY = pg.SoftmaxPolicy(D, A, hidden=(4,))
STATE_ACTION = pg.StateActionSoftmaxPolicy(A, D)
GAUSSIAN, MULTI = pg.GaussianPolicy(D, 2), pg.MultiSoftmaxPolicy(D, [2, 3])
LINEAR_VALUE, VALUE = pg.ValueFunction(D), pg.ValueFunction(D, hidden=(4,))


def flags():
    return np.zeros((T, N), bool)


def real(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def actions(*shape):
    return np.zeros(shape, np.int64)


def with_policy(name, policy=POLICY, **others):
    """A call of a policy's method on keyword arrays."""
    return lambda **arrays: getattr(policy, name)(**arrays, **others)


PHI = pg.FourierFeatures([-1] * D, [1] * D, order=1)
MDP = pg.TabularMDP(np.full((A, 2, A), 1 / A), np.ones((A, 2)), np.eye(A)[0], 0.9)
EPISODES = {"rewards": real(T, N), "terminated": flags(), "truncated": flags()}
SAMPLES = {"observations": real(B, D), "actions": actions(B)}
FEATURES = {"observations": real(B, A, D), "actions": actions(B)}
REGRESSION = {
    "observations": real(B, D),
    "targets": real(B),
    "valid": np.ones(B, bool),
}
THETA = real(len(POLICY.theta))


def climb_minibatches(*, theta, m, v, observations, actions, masks, log_probs, advantages, valid):
    """One minibatch without a value function."""
    adam = theta, m, v, 0, 0.1, 0.9, 0.999, 1e-8
    samples = observations, actions, masks, log_probs, advantages, valid
    surrogate = "clipped", 0.2, 0.1, 0.1, 0.0
    settings = 1, B, 0.5, np.inf, 0, 0
    return _core.climb_minibatches(POLICY._kernel, adam, *samples, surrogate, None, None, *settings)


def climb_with_value(*, targets, old_values):
    """The same beside a value function."""
    adam = THETA.copy(), 0 * THETA, 0 * THETA, 0, 0.1, 0.9, 0.999, 1e-8
    samples = real(B, D), actions(B), None, real(B), real(B), None
    phi = VALUE.theta.copy()
    value_adam = phi, 0 * phi, 0 * phi, 0, 0.1, 0.9, 0.999, 1e-8
    value = VALUE._kernel, value_adam, targets, old_values, 0.2
    surrogate = "ratio", 0.0, 0.0, 0.0, 0.0
    settings = 1, B, 0.5, np.inf, 0, 0
    return _core.climb_minibatches(
        POLICY._kernel, adam, *samples, surrogate, None, value, *settings
    )


def trust_region_step(**arrays):
    """A step with a small radius."""
    return _core.trust_region_step(
        POLICY._kernel,
        **arrays,
        kl_radius=0.01,
        damping=0.1,
        tolerance=1e-6,
        max_iterations=5,
        max_backtracks=5,
        shrink=0.5,
        accept=0.1,
    )


SIZES = (A, 2)
LOGITS = {"logits": real(B, A), "mask": np.ones((B, A), bool)}
MULTI_LOGITS = {"logits": real(B, A + 2), "mask": np.ones((B, A + 2), bool)}
GAUSSIANS = {"mean": real(B, A), "log_std": real(B, A)}

KERNELS = {
    "episode_return": (
        lambda **k: pg.episode_return(**k, gamma=0.9),
        {**EPISODES, "valid": ~flags()},
    ),
    "reward_to_go": (
        lambda **k: pg.reward_to_go(**k, gamma=0.9),
        {**EPISODES, "last_values": real(N), "final_values": real(0)},
    ),
    "gae": (
        lambda **k: pg.gae(**k, gamma=0.9, lam=0.9),
        {**EPISODES, "values": real(T + 1, N), "final_values": real(0)},
    ),
    "lambda_return": (
        lambda **k: pg.lambda_return(**k, gamma=0.9, lam=0.9),
        {**EPISODES, "values": real(T + 1, N), "final_values": real(0)},
    ),
    "n_step_return": (
        lambda **k: pg.n_step_return(**k, gamma=0.9, n=2),
        {**EPISODES, "values": real(T + 1, N), "final_values": real(0)},
    ),
    "vtrace": (
        lambda **k: pg.vtrace(**k, gamma=0.9),
        {
            **EPISODES,
            "values": real(T + 1, N),
            "log_ratios": real(T, N),
            "final_values": real(0),
        },
    ),
    "finished_returns": (_core.finished_returns, {**EPISODES, "running": np.zeros(N)}),
    "explained_variance": (
        pg.explained_variance,
        {"values": real(T, N), "targets": real(T, N), "valid": ~flags()},
    ),
    "normalize_advantages": (
        pg.normalize_advantages,
        {"advantages": real(T, N), "valid": ~flags()},
    ),
    **{
        name: (getattr(pg, name), {"returns": real(T, N), "valid": ~flags()})
        for name in ("constant_baseline", "time_baseline", "leave_one_out_baseline")
    },
    "linear_baseline": (
        pg.linear_baseline,
        {"returns": real(T, N), "valid": ~flags(), "observations": real(T, N, D)},
    ),
    "optimal_baseline": (
        pg.optimal_baseline,
        {"returns": real(T, N), "valid": ~flags(), "score_norms": abs(real(T, N))},
    ),
    "predict": (with_policy("predict", VALUE), {"observations": real(B, D)}),
    "values": (
        with_policy("of_rollout", VALUE),
        {"observations": real(T, N, D), "last_observations": real(N, D)},
    ),
    "gradient": (with_policy("gradient", VALUE), REGRESSION),
    "fit": (with_policy("fit", VALUE), REGRESSION),
    "linear fit": (with_policy("fit", LINEAR_VALUE), REGRESSION),
    "features": (lambda **k: PHI(**k), {"observations": real(B, D)}),
    "softmax_log_prob": (pg.softmax_log_prob, {**LOGITS, "actions": actions(B)}),
    "softmax_score": (pg.softmax_score, {**LOGITS, "actions": actions(B)}),
    "softmax_entropy": (pg.softmax_entropy, LOGITS),
    "softmax_kl": (pg.softmax_kl, {**LOGITS, "other_logits": real(B, A)}),
    "softmax_sample": (lambda **k: pg.softmax_sample(**k, seed=0), LOGITS),
    "multi_softmax_log_prob": (
        lambda **k: pg.multi_softmax_log_prob(**k, sizes=SIZES),
        {**MULTI_LOGITS, "actions": actions(B, 2)},
    ),
    "multi_softmax_score": (
        lambda **k: pg.multi_softmax_score(**k, sizes=SIZES),
        {**MULTI_LOGITS, "actions": actions(B, 2)},
    ),
    "multi_softmax_entropy": (
        lambda **k: pg.multi_softmax_entropy(**k, sizes=SIZES),
        MULTI_LOGITS,
    ),
    "multi_softmax_kl": (
        lambda **k: pg.multi_softmax_kl(**k, sizes=SIZES),
        {**MULTI_LOGITS, "other_logits": real(B, A + 2)},
    ),
    "multi_softmax_sample": (
        lambda **k: pg.multi_softmax_sample(**k, sizes=SIZES, seed=0),
        MULTI_LOGITS,
    ),
    "gaussian_log_prob": (pg.gaussian_log_prob, {**GAUSSIANS, "actions": real(B, A)}),
    "gaussian_score": (pg.gaussian_score, {**GAUSSIANS, "actions": real(B, A)}),
    "gaussian_entropy": (pg.gaussian_entropy, GAUSSIANS),
    "gaussian_kl": (
        pg.gaussian_kl,
        {**GAUSSIANS, "other_mean": real(B, A), "other_log_std": real(B, A)},
    ),
    "gaussian_sample": (lambda **k: pg.gaussian_sample(**k, seed=0), GAUSSIANS),
    "parameters": (with_policy("parameters"), {"observations": real(B, D)}),
    "sample": (with_policy("sample"), {"observations": real(B, D)}),
    "mode": (with_policy("mode"), {"observations": real(B, D)}),
    "entropy": (with_policy("entropy"), {"observations": real(B, D)}),
    "kl": (with_policy("kl", other=POLICY), {"observations": real(B, D)}),
    "log_prob": (with_policy("log_prob"), SAMPLES),
    "score": (with_policy("score"), {**SAMPLES, "weights": real(B)}),
    "scores": (with_policy("scores"), SAMPLES),
    "fisher_vector_product": (
        with_policy("fisher_vector_product"),
        {"observations": real(B, D), "v": THETA},
    ),
    "natural_gradient": (
        with_policy("natural_gradient"),
        {"observations": real(B, D), "gradient": THETA},
    ),
    "state-action score": (
        with_policy("score", STATE_ACTION),
        {**FEATURES, "weights": real(B)},
    ),
    "state-action fisher_vector_product": (
        with_policy("fisher_vector_product", STATE_ACTION),
        {"observations": real(B, A, D), "v": real(D)},
    ),
    "multi log_prob": (
        with_policy("log_prob", MULTI),
        {"observations": real(B, D), "actions": actions(B, 2), "masks": np.ones((B, 5), bool)},
    ),
    "multi score": (
        with_policy("score", MULTI),
        {"observations": real(B, D), "actions": actions(B, 2), "weights": real(B)},
    ),
    "gaussian log_prob": (
        with_policy("log_prob", GAUSSIAN),
        {"observations": real(B, D), "actions": real(B, 2)},
    ),
    "gaussian scores": (
        with_policy("scores", GAUSSIAN),
        {"observations": real(B, D), "actions": real(B, 2)},
    ),
    "gaussian floored": (with_policy("floored", GAUSSIAN), {"observations": real(B, D)}),
    "masked log_prob": (with_policy("log_prob"), {**SAMPLES, "masks": np.ones((B, A), bool)}),
    "climb_minibatches": (
        climb_minibatches,
        {
            **{"theta": THETA, "m": THETA, "v": abs(THETA)},
            **SAMPLES,
            "masks": np.ones((B, A), bool),
            "log_probs": real(B),
            "advantages": real(B),
            "valid": np.ones(B, bool),
        },
    ),
    "climb_minibatches with value": (climb_with_value, {"targets": real(B), "old_values": real(B)}),
    "trust_region_step": (
        trust_region_step,
        {
            "theta": THETA,
            **SAMPLES,
            "masks": np.ones((B, A), bool),
            "log_probs": real(B),
            "advantages": real(B),
        },
    ),
    "conjugate_gradient": (lambda b: pg.conjugate_gradient(lambda v: v, b), {"b": real(B)}),
    "TabularMDP": (MDP.value, {"policy": np.full((A, 2), 0.5)}),
    "weighted_gram": (_core.weighted_gram, {"rows": np.ones((B, D)), "weights": np.ones(B)}),
    "semidefinite_solve": (_core.semidefinite_solve, {"matrix": np.eye(D), "b": np.ones(D)}),
    "sgd_step": (
        lambda **k: _core.sgd_step(**k, step_size=0.1),
        {"theta": real(B), "gradient": real(B)},
    ),
    "adam_step": (
        lambda **k: _core.adam_step(
            **k, count=1, step_size=0.1, beta1=0.9, beta2=0.99, epsilon=1e-8
        ),
        {"theta": real(B), "gradient": real(B), "m": real(B), "v": abs(real(B))},
    ),
}

CASES = [(name, argument) for name, (_, arrays) in KERNELS.items() for argument in arrays]
DECIDING = {
    "rewards",
    "returns",
    "targets",
    "advantages",
    "logits",
    "mean",
    "b",
    "theta",
}  # the dtype and the shape
OPTIONAL = {
    *(
        "final_values",
        "last_observations",
        "last_values",
        "log_probs",
        "mask",
        "masks",
        "old_values",
        "valid",
    ),
    "weights",
}
STEPS = {"sgd_step", "adam_step", "climb_minibatches", "trust_region_step", "finished_returns"}


def in_place(name, argument):
    """Whether the call changes that array."""
    return name in STEPS and argument in ("theta", "m", "v", "running")


def call(name, **spoiled):
    """The kernel with its valid arrays, each a fresh copy, but for the spoiled ones."""
    function, arrays = KERNELS[name]
    return function(**{**{k: v.copy() for k, v in arrays.items()}, **spoiled})


def valid(name, argument):
    return KERNELS[name][1][argument].copy()


def fails(name, argument, error, what, **spoiled):
    """The call raises an error whose message has function, argument and fault."""
    function = name.removesuffix(" with value")
    for prefix in ("state-action ", "linear ", "multi ", "gaussian ", "masked "):
        function = function.removeprefix(prefix)
    with pytest.raises(error, match=rf"{function}: .*\b{argument}\b.*{what}"):
        call(name, **spoiled)


@pytest.mark.parametrize("name", KERNELS)
def test_the_valid_call_succeeds_and_changes_no_argument(name):
    function, arrays = KERNELS[name]
    given = {k: v.copy() for k, v in arrays.items()}
    function(**given)
    for key, value in given.items():
        if not in_place(name, key):
            np.testing.assert_array_equal(value, arrays[key])


def test_every_kernel_of_the_core_is_held_to_the_contract():
    """A new function of arrays in the core has to be entered above."""
    functions = {name for name in dir(_core) if callable(getattr(_core, name)) and name[0] != "_"}
    functions = {name for name in functions if not isinstance(getattr(_core, name), type)}
    others = {
        "build_info",
        "get_num_threads",
        "set_num_threads",
        "philox",
        "memory_use",
        "most_helpers_asked",
    }
    others |= {"fma_peak", "copy_bandwidth", "plain_cartpole"}  # the machine: see test_benchmark.py
    others |= {"collect_steps", "collect_episodes", "episode_returns"}  # see test_rollout.py
    others |= {
        f"{kind}_{dtype}"
        for kind in ("uniform", "normal", *(env.kernel for env in NATIVE_ENVS.values()))
        for dtype in ("float32", "float64")
    }
    assert functions - others <= set(KERNELS)
    methods = {name for name in vars(_core.SoftmaxMlp) if name[0] != "_"} - {"num_parameters"}
    methods |= {name for name in vars(_core.ValueNetwork) if name[0] != "_"}
    methods -= {"fit_ridge", "fit_minibatches"}  # fit of either kind
    assert methods <= set(KERNELS)


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_another_dtype_is_an_error_and_never_converted(name, argument):
    array = valid(name, argument)
    wrong = [np.float16, np.complex64, np.uint8]
    wrong += [np.float64] if array.dtype == np.float32 else [np.float32]
    for dtype in wrong:
        spoiled = array.astype(dtype)
        if dtype == np.float64 and (argument in DECIDING or name == "features"):
            continue  # it decides the dtype; then another argument is the one that differs
        fails(name, argument, TypeError, f"has dtype {np.dtype(dtype)}", **{argument: spoiled})


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_swapped_bytes_are_an_error(name, argument):
    array = valid(name, argument)
    if array.dtype.itemsize > 1:
        spoiled = array.astype(array.dtype.newbyteorder())
        fails(name, argument, TypeError, "has dtype", **{argument: spoiled})


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_another_rank_is_an_error(name, argument):
    array = valid(name, argument)
    scalar = np.zeros((), array.dtype)
    shape = re.escape("has shape ()")
    fails(name, argument, ValueError, shape, **{argument: scalar})
    any_leading = argument in ("observations", "logits", "mean") or (
        name in ("explained_variance", "normalize_advantages") and argument in DECIDING
    )
    if not any_leading:
        fails(name, argument, ValueError, "has shape", **{argument: array[None]})


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_another_shape_is_an_error(name, argument):
    array = valid(name, argument)
    longer = np.zeros((*array.shape[:-1], array.shape[-1] + 1), array.dtype)
    if (name, argument) == ("linear_baseline", "observations"):
        call(name, **{argument: longer})  # any D is right
    elif argument not in DECIDING | {"rows"}:
        shape = re.escape(f"has shape {tuple(longer.shape)}")
        fails(name, argument, ValueError, shape, **{argument: longer})
    elif argument != "rows" and (
        argument == "mean" or KERNELS[name][1].keys() - {argument, "actions"}
    ):
        with pytest.raises(ValueError, match="has shape"):  # of another argument
            call(name, **{argument: longer})
    else:
        call(name, **{argument: longer})  # any size is right


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_an_empty_batch_is_an_error(name, argument):
    array = valid(name, argument)
    if argument == "final_values":
        return  # empty where no step is truncated
    fails(name, argument, ValueError, "has shape", **{argument: array[:0]})


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_strided_memory_is_an_error(name, argument):
    array = valid(name, argument)
    if array.size == 0:
        return
    spread = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)[..., ::2]
    fails(name, argument, ValueError, "strides .* C-contiguous", **{argument: spread})
    if array.ndim > 1:
        turned = np.asfortranarray(array)
        fails(name, argument, ValueError, "strides .* C-contiguous", **{argument: turned})


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_none_and_things_that_are_no_arrays_are_errors(name, argument):
    fails(name, argument, TypeError, "", **{argument: "text"})
    if in_place(name, argument):
        # What is changed in place must be the caller's own array, not a copy made of a list.
        fails(
            name, argument, TypeError, "is a list", **{argument: [0.0] * len(valid(name, argument))}
        )
    if argument not in OPTIONAL:
        what = "is None, expected an array|is a NoneType, expected a NumPy array"
        fails(name, argument, TypeError, what, **{argument: None})


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_read_only_inputs_are_taken_and_outputs_are_not(name, argument):
    array = valid(name, argument)
    array.flags.writeable = False
    if in_place(name, argument):
        fails(name, argument, ValueError, "is read-only", **{argument: array})
    else:
        call(name, **{argument: array})


DISCRETE = [
    name
    for name, (_, arrays) in KERNELS.items()
    if "actions" in arrays and arrays["actions"].dtype == np.int64
]


@pytest.mark.parametrize("name", DISCRETE)
@pytest.mark.parametrize("bad", [-1, A, 2**40])
def test_an_action_out_of_range_is_an_error(name, bad):
    spoiled = valid(name, "actions")
    spoiled[4] = bad
    fails(name, "actions", ValueError, f"holds {bad}, expected 0 <= action < 3", actions=spoiled)


@pytest.mark.parametrize(
    "name",
    ["episode_return", "reward_to_go", "n_step_return", "gae", "lambda_return", "vtrace"],
)
@pytest.mark.parametrize("bad", [-0.1, 1.1, np.nan, np.inf])
def test_discounts_lie_between_0_and_1(name, bad):
    function, arrays = getattr(pg, name), KERNELS[name][1]
    kwargs = {"gamma": 0.9, "n": 2} if name == "n_step_return" else {"gamma": 0.9}
    if name in ("gae", "lambda_return", "vtrace"):
        kwargs["lam"] = 0.9
    for parameter in kwargs.keys() - {"n"}:
        expected = rf"{name}: {parameter} is {bad}, expected a number in \[0, 1\]"
        with pytest.raises(ValueError, match=expected):
            function(**arrays, **{**kwargs, parameter: bad})


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_damping_is_finite_and_not_negative(bad):
    s = real(B, D)
    for call_ in (
        lambda: POLICY.fisher_vector_product(s, THETA, bad),
        lambda: POLICY.natural_gradient(s, THETA, damping=bad),
    ):
        with pytest.raises(ValueError, match=f"damping is {bad}, expected a finite number >= 0"):
            call_()


@pytest.mark.parametrize("name", KERNELS)
def test_a_dtype_that_was_pickled_is_the_same_dtype(name):
    """Arrays that came from another process have an equal dtype object, not the same one."""
    function, arrays = KERNELS[name]
    function(**{key: pickle.loads(pickle.dumps(value)) for key, value in arrays.items()})


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_memory_that_is_not_aligned_is_an_error(name, argument):
    array = valid(name, argument)
    if array.dtype.itemsize == 1 or array.size == 0:
        return
    raw = bytearray(array.nbytes + 1)
    moved = np.ndarray(array.shape, array.dtype, buffer=raw, offset=1)
    assert not moved.flags.aligned
    fails(name, argument, ValueError, "is not aligned", **{argument: moved})


@pytest.mark.parametrize("bad", ["0.9", None, True, 1j])
def test_a_discount_that_is_no_number_is_named(bad):
    kind = type(bad).__name__
    with pytest.raises(TypeError, match=f"gae: gamma is a {kind}, expected a number in"):
        pg.gae(**KERNELS["gae"][1], gamma=bad, lam=0.9)
