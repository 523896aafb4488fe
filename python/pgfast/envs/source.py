"""Where environments come from: an id, a function that makes them, or one that is there.

`source` finds it, `open` gives a vector environment. What is made of environments in Python resets
none by itself: Gymnasium's batch keeps a final observation by reference, and of an environment that
writes its observations into one array the reset would write over it.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias
from weakref import WeakKeyDictionary, proxy

import gymnasium as gym
import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

from pgfast._typing import unknown
from pgfast.envs.envpool import is_envpool
from pgfast.envs.failure import env_error
from pgfast.envs.make import make
from pgfast.envs.native import NATIVE_ENVS, NativeEnv

AnyEnv: TypeAlias = gym.Env[Any, Any]
AnyVectorEnv: TypeAlias = VectorEnv[Any, Any, Any]
RESET_BY_US = AutoresetMode.DISABLED

EnvLike: TypeAlias = str | AnyVectorEnv | AnyEnv | Callable[[], AnyEnv]


class Source(Protocol):
    """Where environments come from."""

    @property
    def id(self) -> str | None:
        """What the environment is called, where that is known."""

    @property
    def threshold(self) -> float | None:
        """The mean return from which it counts as solved, where that is known."""

    @property
    def makes(self) -> bool:
        """Whether `open` makes one, as often as it is called."""

    @property
    def is_native(self) -> bool:
        """Whether it runs in C++."""

    def open(
        self, *, num_envs: int, seed: int, dtype: Any, workers: int | None = None
    ) -> AnyVectorEnv:
        """Make N environments, or give those that there are.

        Parameters:
            num_envs: N of what is made.
            seed: of what is made.
            dtype: of what is made, where it is native.
            workers: how many Python environments step at once, each in a process of its own; None
                means one after another in this process.
        """


def source(function: str, env: EnvLike) -> Source:
    """Find where environments come from.

    Parameters:
        function: the name for messages.
        env: an id, native or Gymnasium's ("module:id" imports the module that registers it); a
            function that makes an `Env`; an `Env` or a `VectorEnv`, which is then used itself.

    Raises:
        ValueError: an unknown id; the message has the nearest ones.
        TypeError: none of these.
    """
    if isinstance(env, str):
        native = NATIVE_ENVS.get(env.removeprefix("pgfast/"))
        if native:
            return _Native(function, env, native)
        module, _, id = env.rpartition(":")
        if module:
            _imported(function, env, module)
        if id not in gym.registry:
            raise unknown(function, "env", env, [*NATIVE_ENVS, *gym.registry])
        return _Registered(function, env, gym.spec(id))
    if isinstance(env, (VectorEnv, gym.Env)):
        return _Given(function, env)
    if callable(env):
        first = _made(function, env)
        first.close()
        return _Factory(function, env, first.spec)
    raise TypeError(
        f"{function}: env is a {type(env).__name__}, expected an id, a gymnasium Env or VectorEnv, "
        "or a function that makes an Env"
    )


@dataclass(frozen=True)
class _Native:
    """A native environment, by its id."""

    function: str
    id: str
    native: NativeEnv
    makes: bool = True
    is_native: bool = True

    @property
    def threshold(self) -> float | None:
        return self.native.reward_threshold

    def open(
        self, *, num_envs: int, seed: int, dtype: Any, workers: int | None = None
    ) -> AnyVectorEnv:
        if workers is not None:
            raise TypeError(
                f"{self.function}: workers are for environments written in Python, but {self.id} "
                "is native and runs on threads"
            )
        return make(self.id, num_envs, seed=seed, dtype=dtype, autoreset_mode="SameStep")


@dataclass(frozen=True)
class _Registered:
    """One of Gymnasium's environments, by its id."""

    function: str
    id: str
    spec: Any
    makes: bool = True
    is_native: bool = False

    @property
    def threshold(self) -> float | None:
        threshold: float | None = self.spec.reward_threshold
        return threshold

    def open(
        self, *, num_envs: int, seed: int, dtype: Any, workers: int | None = None
    ) -> AnyVectorEnv:
        if self.spec.entry_point is None:
            if workers is not None:
                raise TypeError(f"{self.function}: {self.id} takes no workers, it is vectorised")
            return _seeded(self.function, gym.make_vec(self.id, num_envs), seed)
        mode = {"autoreset_mode": RESET_BY_US}
        if workers is None:
            return _seeded(
                self.function, gym.make_vec(self.id, num_envs, "sync", vector_kwargs=mode), seed
            )
        settings = mode | _concurrency(self.function, workers, num_envs)
        return _seeded(
            self.function, gym.make_vec(self.id, num_envs, "async", vector_kwargs=settings), seed
        )


@dataclass(frozen=True)
class _Factory:
    """A function that makes one environment."""

    function: str
    factory: Callable[[], AnyEnv]
    spec: Any
    makes: bool = True
    is_native: bool = False

    @property
    def id(self) -> str | None:
        return self.spec.id if self.spec else None

    @property
    def threshold(self) -> float | None:
        return self.spec.reward_threshold if self.spec else None

    def open(
        self, *, num_envs: int, seed: int, dtype: Any, workers: int | None = None
    ) -> AnyVectorEnv:
        makers = [lambda: _made(self.function, self.factory)] * num_envs
        mode: Any = {"autoreset_mode": RESET_BY_US}
        if workers is None:
            batch = SyncVectorEnv(makers, **mode)
            if len({id(env) for env in batch.envs}) < num_envs:
                raise TypeError(
                    f"{self.function}: env() gave the same environment twice, expected a new one "
                    "from every call"
                )
            return _seeded(self.function, batch, seed)
        limit = _concurrency(self.function, workers, num_envs)
        return _seeded(self.function, AsyncVectorEnv(makers, **mode, **limit), seed)


@dataclass(frozen=True)
class _Given:
    """An environment that there is already; it keeps its own seeds."""

    function: str
    env: AnyVectorEnv | AnyEnv
    makes: bool = False
    is_native: bool = False

    @property
    def id(self) -> str | None:
        return getattr(self.env.spec, "id", None)

    @property
    def threshold(self) -> float | None:
        return getattr(self.env.spec, "reward_threshold", None)

    def open(
        self, *, num_envs: int, seed: int, dtype: Any, workers: int | None = None
    ) -> AnyVectorEnv:
        if workers is not None:
            raise TypeError(
                f"{self.function}: workers go with an id or a function, but env is already an "
                "environment"
            )
        if isinstance(self.env, VectorEnv):
            return self.env
        if is_envpool(self.env):  # of versions before Gymnasium's vector environments
            pool: Any = self.env
            return pool  # type: ignore[no-any-return]
        return _batches.setdefault(self.env, _BatchOfOne(self.env))


def close(env: AnyVectorEnv) -> None:
    """Close what `open` made. Where a worker has died, Gymnasium would wait for its answer."""
    if not isinstance(env, AsyncVectorEnv):
        return env.close()
    workers = zip(env.parent_pipes, env.processes, strict=True)
    try:
        if all(pipe is None or process.is_alive() for pipe, process in workers):
            return env.close()
    except EOFError:  # it seemed alive
        pass
    for process in env.processes:
        process.terminate()
        process.join()
    env.closed = True


class _BatchOfOne(SyncVectorEnv):
    """An environment of the user's as a vector environment; it is the user's to close."""

    def __init__(self, env: AnyEnv) -> None:
        weak: Any = proxy(env)  # the batch does not keep it alive
        super().__init__([lambda: weak], autoreset_mode=RESET_BY_US)

    def close_extras(self, **kwargs: Any) -> None:
        """Leave the environment as it is."""


_batches: WeakKeyDictionary[AnyEnv, _BatchOfOne] = WeakKeyDictionary()


def _imported(function: str, env: str, module: str) -> None:
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise ValueError(
            f"{function}: env is {env!r}, expected a module that can be imported: {error}"
        ) from error


def _made(function: str, factory: Callable[[], Any]) -> AnyEnv:
    env = factory()
    if not isinstance(env, gym.Env):
        raise TypeError(f"{function}: env() gave a {type(env).__name__}, expected a gymnasium Env")
    return env


def _seeded(function: str, env: AnyVectorEnv, seed: int) -> AnyVectorEnv:
    """Gymnasium gives environment i the seed + i; a hash keeps neighbouring seeds apart."""
    first = int(np.random.SeedSequence(seed).generate_state(1)[0] >> 1)
    try:
        env.reset(seed=first)
    except Exception as error:
        raise env_error(function, "reset", error) from error
    return env


def _concurrency(function: str, workers: int, num_envs: int) -> dict[str, Any]:
    if workers >= num_envs:
        return {}
    if "max_concurrency" not in inspect.signature(AsyncVectorEnv).parameters:
        raise ValueError(
            f"{function}: workers is {workers}, expected {num_envs}, the number of environments, "
            "with this version of Gymnasium"
        )
    return {"max_concurrency": workers}
