"""What native environments say of bad input."""

import numpy as np
import pytest
from native_envs import DTYPES, actions_of, assert_same, falling, make, walk

import pgfast as pg


def state_with(**parts):
    def change(env):
        state = env.get_state()
        for name, part in parts.items():
            if part is None:
                del state[name]
            else:
                state[name] = part
        env.set_state(state)

    return change


def not_a_number(value):
    states = falling()
    states[1, 2] = value
    return states


BAD_CALLS = {
    "an action above the range": (lambda e: e.step([0, 2, 1]), ValueError, "step: actions"),
    "an action below the range": (lambda e: e.step([0, -1, 1]), ValueError, "step: actions"),
    "too few actions": (lambda e: e.step([0, 1]), ValueError, "step: actions"),
    "too many actions": (lambda e: e.step([0, 1, 0, 1]), ValueError, "step: actions"),
    "one action": (lambda e: e.step(1), ValueError, "step: actions"),
    "actions of rank 2": (lambda e: e.step([[0, 1, 0]]), ValueError, "step: actions"),
    "no actions": (lambda e: e.step(np.zeros(0, np.int64)), ValueError, "step: actions"),
    "float actions": (lambda e: e.step([0.0, 1.0, 0.0]), TypeError, "step: actions"),
    "NaN actions": (lambda e: e.step([np.nan] * 3), TypeError, "step: actions"),
    "bool actions": (lambda e: e.step([True, False, True]), TypeError, "step: actions"),
    "uint8 actions": (lambda e: e.step(np.zeros(3, np.uint8)), TypeError, "step: actions"),
    "ragged actions": (lambda e: e.step([[0], [1, 0], 1]), TypeError, "step: actions"),
    "None as actions": (lambda e: e.step(None), TypeError, "step: actions"),
    "text as actions": (lambda e: e.step("010"), TypeError, "step: actions"),
    "an unknown option": (
        lambda e: e.reset(options={"reset_masks": None}),
        ValueError,
        "reset: option is 'reset_masks', expected perhaps 'reset_mask'",
    ),
    "a state of the wrong rank": (
        lambda e: e.reset(options={"state": np.zeros(4, np.float32)}),
        ValueError,
        "reset: options['state'] has shape (4,), expected (3, 4)",
    ),
    "a state of the wrong size": (
        lambda e: e.reset(options={"state": np.zeros((3, 5), np.float32)}),
        ValueError,
        "reset: options['state'] has shape (3, 5), expected (3, 4)",
    ),
    "a state for too many environments": (
        lambda e: e.reset(options={"state": np.zeros((4, 4), np.float32)}),
        ValueError,
        "reset: options['state'] has shape (4, 4), expected (3, 4)",
    ),
    "a state of another dtype": (
        lambda e: e.reset(options={"state": np.zeros((3, 4))}),
        TypeError,
        "reset: options['state'] has dtype float64, expected float32",
    ),
    "a strided state": (
        lambda e: e.reset(options={"state": np.zeros((4, 3), np.float32).T}),
        ValueError,
        "reset: options['state']",
    ),
    "a state of text": (
        lambda e: e.reset(options={"state": "abc"}),
        TypeError,
        "reset: options['state']",
    ),
    "a state with NaN": (
        lambda e: e.reset(options={"state": not_a_number(np.nan)}),
        ValueError,
        "reset: options['state']",
    ),
    "an infinite state": (
        lambda e: e.reset(options={"state": not_a_number(-np.inf)}),
        ValueError,
        "reset: options['state']",
    ),
    "a copy without a part": (state_with(elapsed=None), ValueError, "set_state: the key 'elapsed'"),
    "a copy with a state of another shape": (
        state_with(state=np.zeros((3, 3), np.float32)),
        ValueError,
        "set_state: state has shape (3, 3), expected (3, 4)",
    ),
    "a copy with a state of another dtype": (
        state_with(state=np.zeros((3, 4))),
        TypeError,
        "set_state: state has dtype float64, expected float32",
    ),
    "a copy with a last part of another shape": (
        state_with(state=np.ones((3, 4), np.float32), counter=np.zeros(2, np.uint64)),
        ValueError,
        "set_state: counter",
    ),
    "a copy of another batch size": (
        lambda e: e.set_state(make(4).get_state()),
        ValueError,
        "set_state: state has shape (4, 4), expected (3, 4)",
    ),
    "no copy": (lambda e: e.set_state(None), TypeError, "set_state: "),
}


@pytest.mark.parametrize(("call", "error", "message"), BAD_CALLS.values(), ids=BAD_CALLS)
def test_a_bad_call_is_an_error_that_changes_nothing(call, error, message):
    env, twin = make(), make()
    for e in (env, twin):
        e.reset()
        e.step([0, 1, 0])
    before = env.get_state()
    with pytest.raises(error) as caught:
        call(env)
    assert str(caught.value).startswith(message)
    assert_same(env.get_state(), before)
    actions = actions_of(env, 30)
    assert_same(walk(env, actions), walk(twin, actions))


BAD_BOX_ACTIONS = {
    "NaN": ([[0.0], [np.nan], [0.0]], ValueError, "holds nan"),
    "infinite": ([[0.0], [0.0], [-np.inf]], ValueError, "holds -inf"),
    "without their dimension": (np.zeros(3, np.float32), ValueError, "has shape (3,)"),
    "of two dimensions": (np.zeros((3, 2), np.float32), ValueError, "has shape (3, 2)"),
    "too few": ([[0.0], [0.0]], ValueError, "has shape (2, 1), expected (3, 1)"),
    "none": (np.zeros((0, 1), np.float32), ValueError, "has shape (0, 1)"),
    "one": (0.0, ValueError, "has shape ()"),
    "integers": (np.zeros((3, 1), np.int64), TypeError, "has dtype int64"),
    "half precision": (np.zeros((3, 1), np.float16), TypeError, "has dtype float16"),
    "complex": (np.zeros((3, 1), np.complex64), TypeError, "has dtype complex64"),
    "bool": ([[True], [False], [True]], TypeError, "has dtype bool"),
    "text": ([["0"], ["1"], ["0"]], TypeError, "has dtype <U1"),
    "None": (None, TypeError, "has dtype object"),
    "ragged": ([[0.0], [0.0, 1.0], [0.0]], TypeError, "are no array of numbers"),
}


@pytest.mark.parametrize(
    ("actions", "error", "message"), BAD_BOX_ACTIONS.values(), ids=BAD_BOX_ACTIONS
)
def test_bad_continuous_actions_are_an_error_that_changes_nothing(actions, error, message):
    env = make(id="Pendulum-v1")
    env.reset()
    before = env.get_state()
    with pytest.raises(error) as caught:
        env.step(actions)
    assert str(caught.value).startswith(f"step: actions {message}")
    assert_same(env.get_state(), before)


@pytest.mark.parametrize("dtype", DTYPES)
def test_continuous_actions_may_be_float32_float64_or_lists(dtype):
    results = []
    for given in (np.float32, np.float64, list):
        env = make(4, id="Pendulum-v1", dtype=dtype)
        env.reset()
        actions = np.array([[0.5], [-2.0], [1.0], [7.0]])
        own = [[0.5], [-2], [1], [7]] if given is list else actions.astype(given)
        results.append(env.step(own))
        assert np.array_equal(own, actions)
    assert_same(results[0], results[1])
    assert_same(results[0], results[2])
    strided = np.zeros((4, 2))
    strided[:, :1] = actions
    env.reset(seed=0)
    assert_same(env.step(strided[:, :1]), results[0])


def test_a_step_before_the_first_reset_is_an_error_that_changes_nothing():
    env = make(seed=3)
    before = env.get_state()
    with pytest.raises(RuntimeError, match=r"^step: .*reset"):
        env.step([0, 0, 0])
    assert_same(env.get_state(), before)
    assert_same(env.reset(), make(seed=3).reset())


def test_a_step_of_a_finished_environment_without_autoreset_changes_nothing():
    env = make(mode="Disabled")
    env.reset(options={"state": falling()})
    env.step([0, 0, 0])
    before = env.get_state()
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"^step: .*\[0\]"):
            env.step([0, 0, 0])
        assert_same(env.get_state(), before)


def test_nothing_works_after_close_and_closing_twice_is_allowed():
    env = make()
    env.reset()
    state = env.get_state()
    env.close()
    assert env.closed
    env.close()
    for name, call in {
        "reset": env.reset,
        "step": lambda: env.step([0, 0, 0]),
        "get_state": env.get_state,
        "set_state": lambda: env.set_state(state),
        "collect": lambda: pg.collect(env, pg.SoftmaxPolicy(4, 2), steps=1),
    }.items():
        with pytest.raises(RuntimeError, match=f"^{name}: .*closed"):
            call()


BAD_ARGUMENTS = {
    "no environments": ({"num_envs": 0}, ValueError, "make: num_envs is 0"),
    "fewer than none": ({"num_envs": -3}, ValueError, "make: num_envs is -3"),
    "a fraction of them": ({"num_envs": 2.5}, TypeError, "make: num_envs is a float"),
    "a time limit of 0": ({"max_episode_steps": 0}, ValueError, "make: max_episode_steps is 0"),
    "a time limit below": ({"max_episode_steps": -1}, ValueError, "make: max_episode_steps is -1"),
    "half a step": ({"max_episode_steps": 0.5}, TypeError, "make: max_episode_steps is a float"),
    "integers": ({"dtype": np.int32}, TypeError, "make: dtype is int32"),
    "half precision": ({"dtype": np.float16}, TypeError, "make: dtype is float16"),
    "an unknown mode": (
        {"autoreset_mode": "sameStep"},
        ValueError,
        "make: autoreset_mode is 'sameStep', expected perhaps 'SameStep'",
    ),
    "rendering": ({"render_mode": "human"}, ValueError, "make: render_mode is 'human'"),
    "an unknown keyword": (
        {"sutton_barto_rewards": True},
        TypeError,
        "make('CartPole-v1'): keyword is 'sutton_barto_rewards', "
        "expected perhaps 'sutton_barto_reward'",
    ),
    "a keyword of another type": (
        {"sutton_barto_reward": "no"},
        TypeError,
        "make('CartPole-v1'): sutton_barto_reward",
    ),
    "a negative seed": ({"seed": -1}, ValueError, "seed is -1"),
    "a seed that is no number": ({"seed": "0"}, TypeError, "seed is a str"),
    "an unknown id": (
        {"id": "CartPoel-v1"},
        ValueError,
        "make: id is 'CartPoel-v1', expected perhaps 'CartPole-v1'",
    ),
    "another version": (
        {"id": "CartPole-v0"},
        ValueError,
        "make: id is 'CartPole-v0', expected perhaps 'CartPole-v1'",
    ),
    "an id far from all": (
        {"id": "?"},
        ValueError,
        "make: id is '?', expected one of 'Acrobot-v1', 'Bandit-v0', 'CartPole-v1', ",
    ),
    "an id that is no text": ({"id": 3}, TypeError, "make: id is "),
}


@pytest.mark.parametrize(
    ("arguments", "error", "message"), BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS
)
def test_a_bad_argument_of_make_is_an_error_that_names_it(arguments, error, message):
    with pytest.raises(error) as caught:
        pg.make(**{"id": "CartPole-v1", **arguments})
    assert message in str(caught.value)


@pytest.mark.parametrize("limit", [2**31 - 1, 2**31, 2**40, 2**63])
def test_a_very_large_time_limit_is_honoured_or_refused(limit):
    try:
        env = make(max_episode_steps=limit)
    except ValueError as error:
        if "max_episode_steps" not in str(error):
            raise
        return
    env.reset()
    assert not env.step([0, 0, 0])[3].any()
