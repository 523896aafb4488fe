"""Native environments behind Gymnasium's vector interface."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from pgfast import _core
from pgfast._typing import (
    BoolArray,
    FloatArray,
    FloatDType,
    as_count,
    as_float_dtype,
    as_number,
    as_seed,
    unknown,
)
from pgfast.envs.native import Box, Discrete, NativeEnv, native_env
from pgfast.envs.registration import register
from pgfast.envs.rendering import Frame, Renderer

register()

MOST_EPISODE_STEPS = 2**31 - 1
_MODES = {
    AutoresetMode.NEXT_STEP: _core.Autoreset.next_step,
    AutoresetMode.SAME_STEP: _core.Autoreset.same_step,
    AutoresetMode.DISABLED: _core.Autoreset.disabled,
}


class NativeVectorEnv(VectorEnv[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]):
    """N copies of a native environment; made by `pgfast.make` or `gymnasium.make_vec`.

    Observations are (N, D) in `dtype`, rewards (N,) float64, flags (N,) bool; all are fresh arrays.
    The state is float32 or float64 as `dtype` says, and so is the arithmetic.

    Seeds: an int s gives environment i the seed s + i, a list gives each its own, None leaves a
    stream where it is. Environment i's stream is keyed by its seed and i, so that it does not
    depend on `num_envs`, and batches with neighbouring seeds share no numbers.
    """

    def __init__(
        self,
        num_envs: int = 1,
        *,
        native_id: str,
        seed: int | None = None,
        dtype: FloatDType = np.float32,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
        **parameters: Any,
    ) -> None:
        native = native_env("make", native_id)
        self.native = native
        self.num_envs = as_count("make", "num_envs", num_envs)
        self.dtype = as_float_dtype("make", dtype)
        mode = _autoreset_mode(autoreset_mode)
        limit = native.max_episode_steps if max_episode_steps is None else max_episode_steps
        self.max_episode_steps = None if limit is None else _episode_steps(limit)
        if render_mode not in (None, *native.metadata["render_modes"]):
            expected = " or ".join(["None", *map(repr, native.metadata["render_modes"])])
            raise ValueError(f"make: render_mode is {render_mode!r}, expected {expected}")
        self.parameters = _parameters(native, parameters)
        model = native.with_parameters(self.parameters)
        _check_growth(f"make({native.id!r})", model.growth, self.max_episode_steps, self.dtype)

        self.metadata = {**native.metadata, "autoreset_mode": mode}
        self.render_mode = render_mode
        self._renderer: Renderer | None = None
        self.single_observation_space = _space(model.observation, self.dtype)
        self.single_action_space = _space(model.action, self.dtype)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.spec = copy.deepcopy(gym.spec(f"pgfast/{native.id}"))
        self.spec.kwargs.update(
            num_envs=self.num_envs,
            dtype=self.dtype.name,
            autoreset_mode=mode.value,
            max_episode_steps=self.max_episode_steps,
            **({"render_mode": render_mode} if render_mode else {}),
            **parameters,
        )

        self.model = model
        self._tabular = isinstance(model.observation, Discrete)
        self._action_mask = model.action_mask
        self._mode = _MODES[mode]
        self._begun = False
        self._core: _core._Env = getattr(_core, f"{native.kernel}_{self.dtype.name}")(
            self.num_envs, self.max_episode_steps or 0, **model.arguments
        )
        if seed is None:
            seed = int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
        self._core.seed(self._seeds(seed))

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[FloatArray, dict[str, Any]]:
        """Begin new episodes.

        Parameters:
            seed: see the class.
            options: {"reset_mask": bool (N,)} resets only those; {"state": (N, S)} begins in that
                state, its parts in Gymnasium's order. Not changed.

        Returns:
            Observations (N, D) of all environments, and {}.

        Raises:
            TypeError: a mask that is not a bool array; a state of another dtype.
            ValueError: an unknown option, a shape that does not fit, a mask without True.
        """
        self._check_open("reset")
        options = options or {}
        for name in options:
            if name not in ("reset_mask", "state"):
                raise unknown("reset", "option", name, ("reset_mask", "state"))
        mask = (
            _reset_mask(options["reset_mask"], self.num_envs) if "reset_mask" in options else None
        )
        states = self._states(options["state"]) if "state" in options else None
        observations = self._core.reset(self._seeds(seed), mask, states)
        self._begun = True
        reached = np.ones(self.num_envs, np.bool_) if mask is None else mask.copy()
        return self._observed(observations), self._table_infos(reached)

    def step(
        self, actions: npt.ArrayLike
    ) -> tuple[FloatArray, npt.NDArray[np.float64], BoolArray, BoolArray, dict[str, Any]]:
        """Step every environment.

        Parameters:
            actions: discrete ones (N,) int64; int32 and lists of ints are taken too. Continuous
                ones (N, A) float32 or float64, rounded to the environment's dtype, or lists.

        Returns:
            Observations (N, D), rewards (N,) float64, terminated (N,), truncated (N,), infos. What
            happens where an episode ends is said by metadata["autoreset_mode"]. Under SAME_STEP
            infos holds "final_obs" and "final_info" with their masks on steps where one ends.

        Raises:
            ValueError: an action out of range, a shape that does not fit.
            TypeError: actions that are not integers, or not numbers.
            RuntimeError: before the first reset, after close, or where an environment has finished
                and autoreset is disabled. The state is as it was.
        """
        self._check_open("step")
        if not self._begun:
            raise RuntimeError(
                "step: the environment has not begun, expected a call of reset first"
            )
        if self._mode is _core.Autoreset.disabled:
            finished = self._core.finished()
            if finished.any():
                raise RuntimeError(
                    f"step: the episodes of environments {np.flatnonzero(finished).tolist()} have "
                    "ended and autoreset is disabled, expected "
                    'reset(options={"reset_mask": ...}) first'
                )
        observations, rewards, terminated, truncated, finals = self._core.step(
            _actions(self.single_action_space, actions, self.dtype), self._mode
        )
        infos: dict[str, Any] = {}
        if finals is not None:
            done = terminated | truncated
            final_obs = np.full(self.num_envs, None, dtype=object)
            finals[~done] = 0  # there they are nothing
            final_rows = self._observed(finals)
            ended = np.flatnonzero(done)
            for i, row in zip(ended.tolist(), final_rows[ended], strict=True):
                final_obs[i] = int(row) if self._tabular else row
            infos = {
                "final_obs": final_obs,
                "_final_obs": done,
                "final_info": self._table_infos(done.copy(), final_rows),
                "_final_info": done.copy(),
            }
        if self._tabular:
            infos |= self._table_infos(np.ones(self.num_envs, np.bool_))
            observations = self._observed(observations)
        return observations, rewards, terminated, truncated, infos

    def _observed(self, observations: FloatArray) -> npt.NDArray[Any]:
        """Observations as the space has them: a table's states are integers."""
        if self._tabular:
            return observations[:, 0].astype(np.int64)
        return observations

    def _table_infos(
        self, reached: BoolArray, finals: npt.NDArray[Any] | None = None
    ) -> dict[str, npt.NDArray[Any]]:
        """What Gymnasium's tables tell: the probability of what happened, and useful actions.

        `finals` are the final states of the episodes that ended; then it is about these.
        """
        if not self._tabular:
            return {}
        states = self._core.states().astype(np.float64)
        infos: dict[str, npt.NDArray[Any]] = {"prob": states[:, 1 if finals is None else 2].copy()}
        if self._action_mask is not None:
            at = states[:, 0].astype(np.int64) if finals is None else finals
            infos["action_mask"] = self._action_mask[np.where(reached, at, 0)]
        for name in list(infos):
            infos[name][~reached] = 0
            infos[f"_{name}"] = reached.copy()
        return infos

    def _states(self, states: object) -> FloatArray:
        """Options' states as the core takes them; a table's are integers (N,)."""
        name = "reset: options['state']"
        if self._tabular:
            if not isinstance(states, np.ndarray) or states.dtype.kind not in "iu":
                raise TypeError(f"{name} is {states!r}, expected an array of integers")
            if states.shape != (self.num_envs,):
                raise ValueError(f"{name} has shape {states.shape}, expected ({self.num_envs},)")
            rows = np.ones((self.num_envs, 3), self.dtype)
            rows[:, 0] = states
            return rows
        if not isinstance(states, np.ndarray) or states.dtype != self.dtype:
            kind = type(states).__name__
            what = f"has dtype {states.dtype}" if isinstance(states, np.ndarray) else f"is a {kind}"
            raise TypeError(f"{name} {what}, expected {self.dtype}")
        if not np.isfinite(states).all():
            raise ValueError(f"{name} holds a number that is not finite")
        return states

    def get_state(self) -> dict[str, npt.NDArray[Any]]:
        """Copy everything that the environments are.

        Returns:
            Arrays of length N: "state" (N, S), "elapsed" steps of the episode, "finished" (waits
            for a reset), and "seed" and "counter" of the random streams.
        """
        self._check_open("get_state")
        return self._core.get_state()

    def set_state(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Make the environments what `get_state` copied; they go on from there bit for bit.

        Raises:
            ValueError: a part that is missing or of another shape. The state is as it was.
            TypeError: a part of another dtype.
        """
        self._check_open("set_state")
        if not isinstance(state, dict):
            raise TypeError(
                f"set_state: state is a {type(state).__name__}, expected what get_state gives"
            )
        self._core.set_state(state)
        self._begun = True

    def render(self) -> tuple[Frame, ...] | None:
        """Pictures of all environments where `render_mode` is "rgb_array", else a warning and None.

        Gymnasium's own renderer draws them, so they need pygame.

        Returns:
            N arrays (height, width, 3) uint8.

        Raises:
            gymnasium.error.DependencyNotInstalled: pygame is missing; says how to install it.
        """
        self._check_open("render")
        if self.render_mode is None or self.native.pictures is None:
            gym.logger.warn(
                'render: render_mode is None, expected make(..., render_mode="rgb_array")'
            )
            return None
        if self._renderer is None:
            self._renderer = Renderer(self.native.pictures.entry_point, self.parameters)
        return tuple(self._renderer.frame(state) for state in self._core.states())

    def close_extras(self, **kwargs: Any) -> None:
        """Release the screen, where pictures were made."""
        if self._renderer is not None:
            self._renderer.close()

    def _check_open(self, function: str) -> None:
        if self.closed:
            raise RuntimeError(f"{function}: the environment is closed")

    def _seeds(self, seed: int | np.integer[Any] | Sequence[int | None] | None) -> list[int | None]:
        """One seed for each environment; None leaves its stream where it is."""
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, (int, np.integer)):
            first = as_seed("reset", int(seed))
            self._np_random_seed = first
            # Seeds wrap around at 2**64, as the key of the random numbers does.
            return [(first + i) % 2**64 for i in range(self.num_envs)]
        if not isinstance(seed, Sequence) or isinstance(seed, str):
            raise TypeError(
                f"reset: seed is a {type(seed).__name__}, expected an int, a list or None"
            )
        if len(seed) != self.num_envs:
            raise ValueError(f"reset: seed has {len(seed)} entries, expected {self.num_envs}")
        return [None if s is None else as_seed("reset", s) for s in seed]


def _space(described: Box | Discrete, dtype: np.dtype[Any]) -> gym.spaces.Space[Any]:
    """Gymnasium's space of a native environment's observations or actions."""
    if isinstance(described, Discrete):
        return gym.spaces.Discrete(described.n)
    low, high = np.array(described.low, dtype), np.array(described.high, dtype)
    return gym.spaces.Box(low, high, dtype=dtype.type)


def _episode_steps(limit: int) -> int:
    steps = as_count("make", "max_episode_steps", limit)
    if steps > MOST_EPISODE_STEPS:
        raise ValueError(
            f"make: max_episode_steps is {limit}, expected at most {MOST_EPISODE_STEPS}"
        )
    return steps


def _check_growth(function: str, growth: float, steps: int | None, dtype: np.dtype[Any]) -> None:
    """Raise where rewards, squares of the state, would overflow before an episode ends."""
    if growth <= 1 or steps is None or steps == MOST_EPISODE_STEPS:  # no limit of its own
        return
    room = np.log(np.finfo(dtype).max) - np.log(1e6)  # where the state begins below 1000
    most = int(room / (2 * np.log(growth)))
    if steps > most:
        raise ValueError(
            f"{function}: A has the spectral radius {growth:.6g}: rewards overflow {dtype} within "
            f"{steps} steps, expected max_episode_steps below {most + 1}"
        )


def _parameters(native: NativeEnv, given: dict[str, Any]) -> dict[str, Any]:
    """All keyword arguments of an environment, the given ones checked."""
    function = f"make({native.id!r})"
    parameters = dict(native.parameters)
    for name, value in given.items():
        if name not in parameters:
            raise TypeError(str(unknown(function, "keyword", name, parameters)))
        if isinstance(parameters[name], float) and not native.model:  # else the model checks it
            number = as_number(function, name, value, "a number")
            if not np.isfinite(number):
                raise ValueError(f"{function}: {name} is {number}, expected a finite number")
            parameters[name] = number
        elif type(parameters[name]) is bool and not isinstance(value, bool):
            raise TypeError(f"{function}: {name} is a {type(value).__name__}, expected a bool")
        else:
            parameters[name] = value
    return parameters


def _actions(space: gym.spaces.Space[Any], actions: npt.ArrayLike, dtype: np.dtype[Any]) -> Any:
    """Actions as the core takes them: integers as they are, numbers in the dtype of the state."""
    if isinstance(space, gym.spaces.Discrete):
        return np.ascontiguousarray(actions) if isinstance(actions, np.ndarray) else actions
    try:
        array = np.asarray(actions)
    except ValueError as error:
        raise TypeError(f"step: actions are no array of numbers: {error}") from None
    taken = "f" if isinstance(actions, np.ndarray) else "fiu"  # a list may say 1 for 1.0
    if array.dtype.kind not in taken or array.dtype == np.float16:
        raise TypeError(f"step: actions has dtype {array.dtype}, expected float32 or float64")
    return np.ascontiguousarray(array, dtype).reshape(array.shape)


def _autoreset_mode(mode: AutoresetMode | str) -> AutoresetMode:
    try:
        return AutoresetMode(mode)
    except ValueError:
        raise unknown("make", "autoreset_mode", mode, [m.value for m in AutoresetMode]) from None


def _reset_mask(mask: object, num_envs: int) -> BoolArray:
    name = "reset: options['reset_mask']"
    if not isinstance(mask, np.ndarray):
        raise TypeError(f"{name} is a {type(mask).__name__}, expected a bool array")
    if mask.dtype != np.bool_:
        raise TypeError(f"{name} has dtype {mask.dtype}, expected bool")
    if mask.shape != (num_envs,):
        raise ValueError(f"{name} has shape {mask.shape}, expected ({num_envs},)")
    if not mask.any():
        raise ValueError(f"{name} has no True, expected at least one")
    return np.ascontiguousarray(mask)
