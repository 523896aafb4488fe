"""Registers the native environments with Gymnasium as `pgfast/<id>`.

Gymnasium 1 looks for no plugins: what is registered is what has been imported. `import pgfast` must
not import Gymnasium, which takes longer than all the rest (130 ms beside 70 for NumPy), so it
registers at once where Gymnasium is loaded already, and otherwise as soon as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # loading it takes a tenth of the time that NumPy takes
    from importlib.abc import Loader


def register() -> None:
    """Register every native environment that is not yet registered."""
    from gymnasium.envs.registration import register as register_env
    from gymnasium.envs.registration import registry

    from pgfast.envs.native import NATIVE_ENVS

    for env in NATIVE_ENVS.values():
        name = f"pgfast/{env.id}"
        if name not in registry:
            register_env(
                id=name,
                entry_point="pgfast.envs.single_env:NativeSingleEnv",
                vector_entry_point="pgfast.envs.vector_env:NativeVectorEnv",
                max_episode_steps=env.max_episode_steps,
                reward_threshold=env.reward_threshold,
                kwargs={"native_id": env.id},
            )


def register_when_gymnasium_is_loaded() -> None:
    """Register now, where Gymnasium is loaded, or right after it has been."""
    if "gymnasium.envs.registration" in sys.modules:
        register()
    else:
        sys.meta_path.insert(0, _AfterGymnasium())


class _AfterGymnasium:
    """Finds Gymnasium as it is always found, and adds a call of `register` to its loading."""

    def __init__(self) -> None:
        self._asking = False

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Give Gymnasium's own spec with a loader that registers afterwards; else None."""
        if name != "gymnasium" or self._asking:
            return None
        self._asking = True  # the others are asked, and this finder must not answer for them
        try:
            spec = find_spec(name)
        finally:
            self._asking = False
        if spec is not None and spec.loader is not None:
            spec.loader = _RegisteringLoader(spec.loader, self)  # type: ignore[assignment]
        return spec


class _RegisteringLoader:
    """Another loader, and `register` after it."""

    def __init__(self, loader: Loader, finder: _AfterGymnasium) -> None:
        self._loader = loader
        self._finder = finder

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the other loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """As the other loader does, which the module then names as its own; then register."""
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        register()
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
