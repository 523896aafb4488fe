"""`check_vector_env` passes what keeps the contract and names what does not."""

from __future__ import annotations

import re
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.vector.utils import batch_space
from gymnasium.wrappers.vector import RecordEpisodeStatistics, TransformObservation

import pgfast as pg
from pgfast.envs.check import VectorEnvError
from pgfast.envs.native import NATIVE_ENVS

P = np.array([[[0.2, 0.8], [0.6, 0.4]], [[0.5, 0.5], [0.0, 1.0]]])
REQUIRED = {"Tabular-v0": {"P": P, "R": np.array([[0, 1], [2, 3]]), "p0": np.array([0.5, 0.5])}}
MODES = list(AutoresetMode)


class Strollers(VectorEnv):
    """Environments that keep the contract, written plainly: a random walk between two walls.

    Observed are place and time; the reward is the place; a wall is terminal. Small methods, so that
    an environment with a fault replaces one of them.
    """

    limit = 12

    def __init__(self, num_envs=3, autoreset_mode="NextStep", max_episode_steps=12):
        self.num_envs, self.limit = num_envs, max_episode_steps
        self.mode = AutoresetMode(autoreset_mode)
        self.metadata = {"autoreset_mode": self.mode}
        self.single_observation_space = gym.spaces.Box(-9, 50, (2,), np.float32)
        self.single_action_space = gym.spaces.Discrete(2)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.random = [np.random.default_rng() for _ in range(num_envs)]
        self.place, self.time = np.zeros(num_envs), np.zeros(num_envs)
        self.done = np.zeros(num_envs, np.bool_)

    def seed(self, i, seed):
        self.random[i] = np.random.default_rng(seed)

    def seeds(self, seed):
        return seed if isinstance(seed, list) else [seed + i for i in range(self.num_envs)]

    def reset(self, *, seed=None, options=None):
        if seed is not None:
            for i, s in enumerate(self.seeds(seed)):
                if s is not None:
                    self.seed(i, s)
        mask = np.ones(self.num_envs, np.bool_)
        if options and "reset_mask" in options:
            mask = self.checked(options["reset_mask"])
        self.begin(mask)
        return self.observe(), {}

    def checked(self, mask):
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
            raise TypeError("reset_mask")
        if mask.shape != (self.num_envs,) or not mask.any():
            raise ValueError("reset_mask")
        return mask

    def begin(self, mask):
        for i in np.flatnonzero(mask):
            self.place[i], self.time[i] = self.random[i].uniform(-1, 1), 0
        self.done = self.done & ~mask

    def observe(self):
        return np.stack([self.place, self.time], axis=1).astype(np.float32)

    def step(self, actions):
        if self.mode is AutoresetMode.DISABLED and self.done.any():
            raise RuntimeError("step of an environment that has ended")
        resetting = self.done & (self.mode is AutoresetMode.NEXT_STEP)
        self.begin(resetting)
        moving = ~resetting
        self.place[moving] += np.where(np.asarray(actions) == 1, 0.5, -0.5)[moving]
        for i in np.flatnonzero(moving):
            self.place[i] += self.random[i].uniform(-1, 1)
        self.time[moving] += 1
        rewards = np.where(moving, self.place, 0)
        terminated = moving & (np.abs(self.place) > 3)
        truncated = moving & (self.time >= self.limit)
        self.done = terminated | truncated
        infos = {"time": self.time.copy(), "_time": moving}
        if self.mode is AutoresetMode.SAME_STEP and self.done.any():
            infos.update(self.finals(self.observe(), self.done))
            self.begin(self.done)
        return self.observe(), rewards, terminated, truncated, infos

    def finals(self, observations, done):
        finals = np.full(self.num_envs, None, object)
        for i in np.flatnonzero(done):
            finals[i] = observations[i]
        return {
            "final_obs": finals,
            "_final_obs": done.copy(),
            "final_info": {},
            "_final_info": done.copy(),
        }


def stepping(change):
    """A class whose step changes what a correct one returns: change(env, *returned)."""

    class Faulty(Strollers):
        def step(self, actions):
            return change(self, *super().step(actions))

    return Faulty


def faults(env):
    """The sentences; no warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(VectorEnvError) as error:
            pg.check_vector_env(env)
    assert all(sentence in str(error.value) for sentence in error.value.faults)
    return error.value.faults


def warned(env, **settings):
    """The warnings of an environment without faults."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pg.check_vector_env(env, **settings)
    return [str(w.message) for w in caught if "check_vector_env" in str(w.message)]


# --- environments without a fault -----------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("num_envs", [1, 2, 5])
def test_an_environment_written_by_the_contract_passes(mode, num_envs):
    """No fault and no warning; and it is closed afterwards."""
    env = Strollers(num_envs, mode)
    assert warned(env) == []
    assert env.closed


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("env_id", NATIVE_ENVS)
def test_every_native_environment_passes(env_id, dtype, mode):
    """No fault and no warning."""
    settings = {"dtype": dtype, "max_episode_steps": 15, **REQUIRED.get(env_id, {})}
    assert warned(pg.make(env_id, 3, autoreset_mode=mode, **settings)) == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("env_id", ["CartPole-v1", "FrozenLake-v1", "Pendulum-v1", "Blackjack-v1"])
def test_gymnasiums_sync_vector_env_passes(env_id, mode):
    """It passes, and it is said that it takes options from its caller."""
    env = gym.make_vec(env_id, 3, "sync", vector_kwargs={"autoreset_mode": mode})
    (message,) = warned(env)
    assert "reset changes its caller's options" in message
    assert "Gymnasium's SyncVectorEnv does that" in message


@pytest.mark.parametrize("mode", MODES)
def test_gymnasiums_async_vector_env_passes(mode):
    """It passes; what it does otherwise is said."""
    env = AsyncVectorEnv([lambda: gym.make("FrozenLake-v1")] * 2, autoreset_mode=mode)
    messages = warned(env)
    assert len(messages) == (2 if mode is AutoresetMode.DISABLED else 1)
    assert "caller's options" in messages[0]
    assert "whose episodes have ended" in messages[-1] or mode is not AutoresetMode.DISABLED


def test_gymnasiums_native_cartpole_passes():
    """It passes; its three departures are said."""
    messages = "\n".join(warned(gym.make_vec("CartPole-v1", 3)))
    for words in ("dtype float32, expected float64", "a list of seeds", "closed is False"):
        assert words in messages
    assert messages.count("Gymnasium's CartPoleVectorEnv does that") == 3


@pytest.mark.parametrize("mode", MODES)
def test_wrapped_environments_pass(mode):
    """A wrapper of Gymnasium's that takes options is told; one that does not, passes silently."""
    if mode is not AutoresetMode.SAME_STEP:  # which this wrapper refuses
        env = TransformObservation(Strollers(autoreset_mode=mode), lambda o: o)
        assert warned(env) == []
    messages = warned(RecordEpisodeStatistics(Strollers(autoreset_mode=mode)))
    assert all("Gymnasium's RecordEpisodeStatistics does that" in m for m in messages)
    assert any("caller's options" in m for m in messages)


def test_composite_spaces_pass():
    """Dict observations and Tuple actions."""

    class Composite(gym.Env):
        observation_space = gym.spaces.Dict(
            a=gym.spaces.Box(0, 1, (2,), np.float64),
            b=gym.spaces.Tuple((gym.spaces.Discrete(3), gym.spaces.MultiBinary(2))),
        )
        action_space = gym.spaces.Tuple((gym.spaces.Discrete(3), gym.spaces.Box(0, 1, (2,))))

        def _observe(self):
            draw = self.np_random
            return {
                "a": draw.random(2),
                "b": (draw.integers(3), draw.integers(2, size=2, dtype="b")),
            }

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.t = 0
            return self._observe(), {}

        def step(self, action):
            self.t += 1
            return self._observe(), float(action[0]), self.t > 4, False, {"t": self.t}

    assert len(warned(SyncVectorEnv([Composite] * 3))) == 1


def test_environments_without_an_end_are_told():
    """What was not reached is not called checked."""
    messages = warned(gym.make_vec("Pendulum-v1", 2), steps=100)
    assert "no episode ended in 100 steps, so what happens then was not checked" in messages[0]


def test_the_draws_of_the_action_space_are_the_users():
    """Checking does not draw from the environment's own action space."""
    env, other = Strollers(), Strollers()
    env.action_space.seed(3)
    other.action_space.seed(3)
    pg.check_vector_env(env)
    assert (env.action_space.sample() == other.action_space.sample()).all()


# --- faults ---------------------------------------------------------------------------------------


def setting(**attributes):
    """A correct environment with other attributes."""

    def make(mode):
        env = Strollers(autoreset_mode=mode)
        vars(env).update(attributes)
        return env

    return make


def with_single_spaces(mode):
    env = Strollers(autoreset_mode=mode)
    env.observation_space, env.action_space = env.single_observation_space, env.single_action_space
    return env


# What is wrong whatever the autoreset mode: a function of the mode, and the one sentence.
ANY_MODE = {
    "no environments": (setting(num_envs=0), r"num_envs is 0, expected an int of at least 1"),
    "a number that is none": (setting(num_envs="3"), r"num_envs is '3', expected an int"),
    "a mode by its name": (
        setting(metadata={"autoreset_mode": "NextStep"}),
        r"metadata\['autoreset_mode'\] is 'NextStep', expected a gymnasium.vector.AutoresetMode",
    ),
    "no mode": (setting(metadata={}), r"metadata\['autoreset_mode'\] is None"),
    "no single space": (
        setting(single_observation_space=None),
        r"single_observation_space is None, expected a Space",
    ),
    "another number of actions": (
        setting(action_space=gym.spaces.MultiDiscrete([2, 2, 3])),
        r"action_space is MultiDiscrete\(\[2 2 3\]\), expected 3 times single_action_space: "
        r"MultiDiscrete\(\[2 2 2\]\)",
    ),
    "another dtype of observations": (
        stepping(lambda env, o, *rest: (o.astype(np.float64), *rest)),
        r"observations of step 1 has dtype float64, expected float32",
    ),
    "transposed observations": (
        stepping(lambda env, o, *rest: (o.T.copy(), *rest)),
        r"observations of step 1 has shape \(2, 3\), expected \(3, 2\)",
    ),
    "observations outside": (
        stepping(lambda env, o, *rest: (o - 20, *rest)),
        r"observations of step 1 are outside of Box",
    ),
    "NaN observations": (
        stepping(lambda env, o, *rest: (o * np.float32(np.nan), *rest)),
        r"observations of step 1 hold NaN",
    ),
    "a list of observations": (
        stepping(lambda env, o, *rest: (list(o), *rest)),
        r"observations of step 1 are a list, expected an array",
    ),
    "float32 rewards": (
        stepping(lambda env, o, r, *rest: (o, r.astype(np.float32), *rest)),
        r"rewards of step 1 have dtype float32, expected float64",
    ),
    "a list of rewards": (
        stepping(lambda env, o, r, *rest: (o, r.tolist(), *rest)),
        r"rewards of step 1 is a list, expected an array",
    ),
    "a column of rewards": (
        stepping(lambda env, o, r, *rest: (o, r[:, None], *rest)),
        r"rewards of step 1 has shape \(3, 1\), expected \(3,\)",
    ),
    "NaN rewards": (
        stepping(lambda env, o, r, *rest: (o, r * np.nan, *rest)),
        r"rewards of step 1 hold NaN",
    ),
    "integer flags": (
        stepping(lambda env, o, r, a, b, i: (o, r, a.astype(int), b, i)),
        r"terminated of step 1 has dtype int64, expected bool",
    ),
    "a single flag": (
        stepping(lambda env, o, r, a, b, i: (o, r, a, b[0], i)),
        r"truncated of step 1 is a bool.*, expected an array",
    ),
    "a list of infos": (
        stepping(lambda env, o, r, a, b, i: (o, r, a, b, [i])),
        r"infos of step 1 are a list, expected a dict",
    ),
    "infos without a mask": (
        stepping(lambda env, o, r, a, b, i: (o, r, a, b, {**i, "extra": np.zeros(3)})),
        r"infos\['_extra'\] of step 1, the mask of infos\['extra'\], is a NoneType, expected an",
    ),
    "four parts": (
        stepping(lambda env, o, r, a, b, i: (o, r, a | b, i)),
        r"step 1 returned a tuple of 4, expected a tuple of 5",
    ),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("make", "sentence"), ANY_MODE.values(), ids=ANY_MODE)
def test_a_fault_of_what_is_there_or_returned_is_named(make, sentence, mode):
    """One sentence, and no other."""
    env = make(autoreset_mode=mode) if isinstance(make, type) else make(mode)
    (fault,) = faults(env)
    assert re.match(sentence, fault), fault


class OneBuffer(Strollers):
    """Observations are written into one array, again and again."""

    buffer = None

    def reset(self, **arguments):
        observations, infos = super().reset(**arguments)
        return self.buffered(observations), infos

    def step(self, actions):
        observations, *rest = super().step(actions)
        return self.buffered(observations), *rest

    def buffered(self, observations):
        if self.buffer is None:
            self.buffer = observations
        self.buffer[...] = observations
        return self.buffer


class OneRewards(Strollers):
    """So are rewards."""

    buffer = None

    def step(self, actions):
        observations, rewards, *rest = super().step(actions)
        if self.buffer is None:
            self.buffer = rewards
        self.buffer[...] = rewards
        return observations, self.buffer, *rest


class WritesActions(Strollers):
    """Clears the actions it is given."""

    def step(self, actions):
        result = super().step(actions)
        actions[...] = 0
        return result


class OwnState(Strollers):
    """The observations that were returned are read again."""

    last = None

    def observe(self):
        self.last = super().observe()
        return self.last

    def step(self, actions):
        self.time = self.last[:, 1].astype(float)
        return super().step(actions)


class OwnFlags(Strollers):
    """The flags that were returned are read again."""

    flags = np.zeros(3, np.bool_)

    def reset(self, *, seed=None, options=None):
        if not options:
            self.flags = np.zeros(3, np.bool_)
        return super().reset(seed=seed, options=options)

    def step(self, actions):
        observations, rewards, self.flags, *rest = (
            super().step(actions) if not self.flags.all() else super().step(1 - actions)
        )
        return observations, rewards, self.flags, *rest


class Chance(Strollers):
    """Draws from a generator that no seed reaches."""

    chance = np.random.default_rng(0)

    def step(self, actions):
        self.place += self.chance.random()
        return super().step(actions)


class SeedsOnce(Strollers):
    """Only the first reset with a seed seeds."""

    seeded = False

    def seed(self, i, seed):
        if i not in self.__dict__.setdefault("first", {}):
            super().seed(i, 0)
            self.first[i] = True


class AllSeedsAlike(Strollers):
    def seed(self, i, seed):
        super().seed(i, 7 + i)


class OneSeedForAll(Strollers):
    def seeds(self, seed):
        return seed if isinstance(seed, list) else [seed] * self.num_envs


class SeedsApart(Strollers):
    def seeds(self, seed):
        return seed if isinstance(seed, list) else [seed + 10 * i for i in range(self.num_envs)]


class NoLists(Strollers):
    def seeds(self, seed):
        return [seed + i for i in range(self.num_envs)]


class NoNone(Strollers):
    def seed(self, i, seed):
        super().seed(i, seed)

    def seeds(self, seed):
        if isinstance(seed, list) and None in seed:
            raise TypeError("None is no seed")
        return super().seeds(seed)


class FreshWithoutSeed(Strollers):
    """A reset without a seed takes one from the system."""

    def reset(self, *, seed=None, options=None):
        if seed is None and not options:
            self.random = [np.random.default_rng() for _ in range(self.num_envs)]
        return super().reset(seed=seed, options=options)


class PopsOptions(Strollers):
    def reset(self, *, seed=None, options=None):
        mask = (options or {}).pop("reset_mask", None)
        return super().reset(seed=seed, options=None if mask is None else {"reset_mask": mask})


class WritesMask(Strollers):
    def reset(self, *, seed=None, options=None):
        result = super().reset(seed=seed, options=options)
        if options:
            options["reset_mask"][:] = False
        return result


class CloseFails(Strollers):
    def close_extras(self):
        raise OSError("no such window")


class StaysOpen(Strollers):
    def close(self):
        pass


class FailsOnce(Strollers):
    def step(self, actions):
        if self.time[1] == 3:
            raise ZeroDivisionError("time is 3")
        return super().step(actions)


BEHAVIOUR = {
    OneBuffer: r"the observations that reset returned are changed by a later call",
    OneRewards: r"the rewards that step 1 returned are changed by a later call",
    WritesActions: r"step writes into the actions that it is given",
    OwnState: r"writing into the observations that were returned changes what the environment does",
    OwnFlags: r"writing into the terminated that were returned changes what the environment does",
    Chance: r"observations of step 1 differ after the same seed and actions",
    SeedsOnce: r"observations of reset differ after the same seed and actions",
    AllSeedsAlike: r"seeds 5 and 1005 give the same episodes",
    SeedsApart: r"observations of reset differ between the seed 5 and the list of 5, 6, \.\.\.",
    NoLists: r"a list of seeds, which may hold None, is not taken: reset raised TypeError",
    NoNone: r"a list of seeds, which may hold None, is not taken: reset raised TypeError: None is",
    FreshWithoutSeed: r"a reset without a seed differs after resets with the same seed",
    PopsOptions: r"reset changes its caller's options from {'reset_mask': .*} to {}",
    WritesMask: r"reset changes its caller's options from .*True.* to .*False",
    CloseFails: r"close raised OSError: no such window",
    StaysOpen: r"closed is False after close",
    FailsOnce: r"step 4 raised ZeroDivisionError: time is 3",
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", BEHAVIOUR, ids=lambda kind: kind.__name__)
def test_a_fault_of_behaviour_is_named(kind, mode):
    """One sentence, and no other."""
    (fault,) = faults(kind(autoreset_mode=mode))
    assert re.match(BEHAVIOUR[kind], fault), fault


@pytest.mark.parametrize("mode", MODES)
def test_one_seed_for_all_is_named_in_two_ways(mode):
    """Neighbours are alike, and an int is not the list of its successors."""
    neighbours, listed = faults(OneSeedForAll(autoreset_mode=mode))
    assert neighbours == (
        "environments 0 and 1 run the same episodes after the seed 5, expected those of 5 and 6"
    )
    assert "between the seed 5 and the list of 5, 6, ..." in listed


def next_step_says(**changes):
    """Under NEXT_STEP, the rows of environments that are reset are changed."""

    class Faulty(Strollers):
        def step(self, actions):
            resetting = self.done.copy()
            result = dict(zip("orabi", super().step(actions), strict=True))
            for part, value in changes.items():
                result[part][resetting] = value
            return tuple(result.values())

    return Faulty


class StepsAtOnce(Strollers):
    """Resets in the next call, and steps in it as well."""

    def step(self, actions):
        self.begin(self.done)
        self.done[:] = False
        return super().step(actions)


class MovesWhereItResets(Strollers):
    """The action of the step that resets is where the episode begins."""

    def step(self, actions):
        resetting = self.done.copy()
        result = super().step(actions)
        self.place[resetting] += 0.1 * np.asarray(actions)[resetting]
        return self.observe(), *result[1:]


def final(**changes):
    """Under SAME_STEP, the infos of a step that ends episodes are changed; None leaves one out."""

    class Faulty(Strollers):
        def finals(self, observations, done):
            infos = super().finals(observations, done)
            for key, change in changes.items():
                if change is None:
                    del infos[key], infos[f"_{key}"]
                else:
                    infos[key] = change(infos[key], observations)
            return infos

    return Faulty


class NoReset(Strollers):
    """The final observation is what is observed and what is in the infos."""

    def step(self, actions):
        result = super().step(actions)
        if "final_obs" in result[-1]:
            for i in np.flatnonzero(result[2] | result[3]):
                result[-1]["final_obs"][i] = result[0][i].copy()
        return result


class StepsOn(Strollers):
    def step(self, actions):
        self.done[:] = False
        return super().step(actions)


class ResetsAll(Strollers):
    def begin(self, mask):
        super().begin(np.ones_like(mask) if mask.any() else mask)


class AnyMask(Strollers):
    def checked(self, mask):
        return np.resize(np.asarray(mask, np.bool_), self.num_envs)


class StrangeMaskErrors(Strollers):
    def checked(self, mask):
        try:
            return super().checked(mask)
        except TypeError:
            raise KeyError("reset_mask") from None


def far_away(finals, observations):
    for i, final in enumerate(finals):
        finals[i] = None if final is None else final + 100
    return finals


def none_changed(finals, observations):
    finals[[final is None for final in finals]] = 0
    return finals


BY_MODE = [
    (
        "NextStep",
        next_step_says(r=1.5),
        [r"environment \d has reward 1.5 in step \d+, which resets it, expected 0 under NEXT_STEP"],
    ),
    (
        "NextStep",
        next_step_says(b=True),
        [
            r"environment \d is terminated or truncated in step \d+, which resets it, expected ne",
            r"environment \d has reward .* in step \d+",  # of the row after the false end
            r"(observations|rewards) of step \d+ depend on an action",
        ],
    ),
    (
        "NextStep",
        StepsAtOnce,
        [
            r"environment \d has reward .* in step \d+, which resets it, expected 0 under",
            r"(observations|rewards) of step \d+ depend on an action given to an environment in "
            r"the step that resets it, expected it to be ignored under NEXT_STEP",
        ],
    ),
    (
        "NextStep",
        MovesWhereItResets,
        [r"observations of step \d+ depend on an action given to an environment in the step"],
    ),
    (
        "SameStep",
        final(final_obs=None),
        [r"infos of step \d+ have no 'final_obs', expected it under SAME_STEP, where env.* ended"],
    ),
    (
        "SameStep",
        final(final_info=None),
        [r"infos of step \d+ have no 'final_info', expected it under SAME_STEP"],
    ),
    (
        "SameStep",
        final(_final_obs=lambda mask, observations: ~mask),
        [r"infos\['_final_obs'\] of step \d+ is \[.*\], expected \[.*\], where episodes ended"],
    ),
    (
        "SameStep",
        final(final_obs=lambda finals, observations: observations),
        [r"infos\['final_obs'\] of step \d+ is array[^$]*, expected an object array of shape"],
    ),
    (
        "SameStep",
        final(final_obs=far_away),
        [r"infos\['final_obs'\]\[\d\] of step \d+ is array.*, which is not in Box"],
    ),
    (
        "SameStep",
        final(final_obs=none_changed),
        [r"infos\['final_obs'\]\[\d\] of step \d+ is a int, expected None where no episode ended"],
    ),
    (
        "SameStep",
        NoReset,
        [r"observations equal infos\['final_obs'\] at all \d+ ends of episodes, expected the obs"],
    ),
    (
        "Disabled",
        StepsOn,
        [r"a step of environments whose episodes have ended is taken, expected an error under"],
    ),
    (
        "Disabled",
        ResetsAll,
        [
            r"the reset after step \d+ changes the observation of environment \d, which is not in "
            r"its reset_mask",
        ],
    ),
    (
        "Disabled",
        AnyMask,
        [
            r"a reset_mask that is a list is taken, expected TypeError",
            r"a reset_mask of dtype int64 is taken, expected TypeError",
            r"a reset_mask of shape \(4,\) is taken, expected ValueError",
            r"a reset_mask without True is taken, expected ValueError",
        ],
    ),
    (
        "Disabled",
        StrangeMaskErrors,
        [
            r"a reset_mask that is a list raises KeyError, expected TypeError",
            r"a reset_mask of dtype int64 raises KeyError, expected TypeError",
        ],
    ),
]


@pytest.mark.parametrize(("mode", "kind", "sentences"), BY_MODE)
def test_a_fault_against_the_autoreset_mode_is_named(mode, kind, sentences):
    """These sentences, and no others."""
    found = faults(kind(autoreset_mode=mode))
    assert len(found) == len(sentences), found
    for sentence, fault in zip(sentences, found, strict=True):
        assert re.match(sentence, fault), fault


@pytest.mark.parametrize("told", ["SameStep", "NextStep"])
def test_an_environment_that_does_not_do_what_its_metadata_say_is_named(told):
    """SAME_STEP's rows under the name of NEXT_STEP, and the other way round."""
    done = "NextStep" if told == "SameStep" else "SameStep"
    env = Strollers(autoreset_mode=done)
    env.metadata["autoreset_mode"] = AutoresetMode(told)
    assert any(f"under {AutoresetMode(told).name}" in fault for fault in faults(env))


class HiddenFall(Strollers):
    """A wall that is reached in the last step allowed is truncation only."""

    def step(self, actions):
        observations, rewards, terminated, truncated, infos = super().step(actions)
        return observations, rewards, terminated & ~truncated, truncated, infos


class HiddenLimit(Strollers):
    """A wall that is reached in the last step allowed is termination only."""

    def step(self, actions):
        observations, rewards, terminated, truncated, infos = super().step(actions)
        return observations, rewards, terminated, truncated & ~terminated, infos


class AnotherNumber(Strollers):
    def __init__(self, num_envs=3, **settings):
        super().__init__(num_envs if num_envs == 3 else num_envs + 1, **settings)


@pytest.fixture
def registered():
    """make(class, **settings) by way of Gymnasium's registry, so that the spec tells how."""

    def make(kind, num_envs=3, **settings):
        gym.registry.pop("Strollers-v0", None)
        gym.register("Strollers-v0", vector_entry_point=kind, max_episode_steps=50)
        return gym.make_vec("Strollers-v0", num_envs, **settings)

    yield make
    gym.registry.pop("Strollers-v0", None)


@pytest.mark.parametrize("mode", [m.value for m in MODES])
def test_what_the_spec_makes_is_checked(registered, mode):
    """A correct one passes; a hidden flag is found by setting the limit to that step."""
    assert warned(registered(Strollers, autoreset_mode=mode)) == []
    for kind, flag in ((HiddenFall, "truncated"), (HiddenLimit, "terminated")):
        (fault,) = faults(registered(kind, autoreset_mode=mode))
        assert re.match(
            rf"environment \d reaches a terminal state in the last step allowed and is {flag} "
            "only, expected terminated and truncated",
            fault,
        ), fault


def test_a_spec_that_makes_another_environment_is_named(registered):
    """Another mode, another number, or nothing at all."""
    env = registered(Strollers, autoreset_mode="SameStep")
    del env.spec.kwargs["autoreset_mode"]
    (fault,) = faults(env)
    assert (
        "make_vec(env.spec) has AutoresetMode.NEXT_STEP, expected AutoresetMode.SAME_STEP" in fault
    )
    env = registered(Strollers)
    env.spec.kwargs["num_envs"] = 4
    (fault,) = faults(env)
    assert fault == "gymnasium.make_vec(env.spec) has num_envs 4, expected 3"
    env = registered(Strollers)
    env.spec.kwargs["colour"] = "red"
    (fault,) = faults(env)
    assert fault.startswith("gymnasium.make_vec(env.spec) raised TypeError")


def test_several_faults_are_listed_together():
    """Each in its sentence, in one error."""

    class Several(WritesActions, PopsOptions, NoLists, OneRewards):
        pass

    found = faults(Several())
    assert len(found) == 4, found
    for words in ("actions", "caller's options", "list of seeds", "rewards"):
        assert sum(words in fault for fault in found) == 1


def test_a_class_derived_from_gymnasiums_has_no_leniency():
    """What Gymnasium's own class does is a fault of others."""

    class Mine(SyncVectorEnv):
        pass

    (fault,) = faults(Mine([lambda: gym.make("CartPole-v1")] * 2))
    assert "caller's options" in fault


def test_arrays_that_a_sync_vector_env_does_not_copy_are_named():
    """copy=False is Gymnasium's own name for the fault."""
    env = SyncVectorEnv([lambda: gym.make("CartPole-v1")] * 2, copy=False)
    with (
        pytest.warns(UserWarning, match="caller's options"),
        pytest.raises(VectorEnvError, match="the observations that reset returned are changed"),
    ):
        pg.check_vector_env(env)


# --- bad input ------------------------------------------------------------------------------------


def test_what_is_no_vector_env_is_refused():
    """A single environment, and a number of steps that is none."""
    with pytest.raises(TypeError, match=r"^check_vector_env: env is a TimeLimit"):
        pg.check_vector_env(gym.make("CartPole-v1"))
    with pytest.raises(ValueError, match=r"^check_vector_env: steps is 0, expected at least 1"):
        pg.check_vector_env(Strollers(), steps=0)
