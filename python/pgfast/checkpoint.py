"""Files: a policy is one safetensors file, a run a directory of three. None can run code.

    policy.safetensors  θ, and the policy's kind and settings as metadata
    run.json            environment, algorithm, settings, seed, how it ended
    history.csv         one line per update

A file is first written beside its place under a temporary name, so that a crash leaves no half of
it under its own. Nothing that exists is written over.
"""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from pgfast._typing import as_seed, unknown
from pgfast.gaussian_policy import GaussianPolicy
from pgfast.logging import History
from pgfast.multi_softmax_policy import MultiSoftmaxPolicy
from pgfast.policy import Policy
from pgfast.softmax_policy import SoftmaxPolicy, StateActionSoftmaxPolicy

if TYPE_CHECKING:
    from pgfast.run import Run
    from pgfast.value_function import ValueFunction

FORMAT = "pgfast-policy-1"
KINDS: dict[str, type[Policy]] = {
    kind.__name__: kind
    for kind in (SoftmaxPolicy, MultiSoftmaxPolicy, GaussianPolicy, StateActionSoftmaxPolicy)
}
"""The policies that a file may hold."""
VALUE_FORMAT = "pgfast-value-function-1"
POLICY_FILE, RUN_FILE, HISTORY_FILE = "policy.safetensors", "run.json", "history.csv"


def save_policy(policy: Policy, path: str | os.PathLike[str]) -> None:
    """Write a policy to a new file."""
    target = Path(path)
    if target.exists():
        raise FileExistsError(f"save: {target} exists, expected a new file")
    if KINDS.get(type(policy).__name__) is not type(policy):
        raise TypeError(
            f"save: policy is a {type(policy).__name__}, expected one of {', '.join(KINDS)}: "
            "another could not be loaded"
        )
    metadata = {
        "format": FORMAT,
        "kind": type(policy).__name__,
        "config": json.dumps(policy.config()),
        "draws": str(policy.draws),
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    _write_new(target, save(policy.arrays(), metadata))


def _write_new(target: Path, content: bytes) -> None:
    """Write a file that does not exist yet: whole, or not at all."""
    part = _temporary_name(target)
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(part, target)  # in one step, and unlike a rename it writes over nothing
        except FileExistsError:
            raise
        except OSError:  # a file system without links: claim the name, then move
            target.touch(exist_ok=False)
            part.replace(target)
    except FileExistsError:
        raise FileExistsError(f"save: {target} exists, expected a new file") from None
    finally:
        part.unlink(missing_ok=True)


def _temporary_name(target: Path) -> Path:
    """A name beside `target` that nobody else has."""
    return target.parent / f".pgfast-{os.getpid()}-{next(_numbers)}-{target.name}"


_numbers = itertools.count()


def load_policy(path: str | os.PathLike[str]) -> Policy:
    """Read a policy that `save_policy` wrote."""
    source = Path(path)
    if not source.is_file():
        raise FileNotFoundError(f"load: {source} is no file, expected a policy")
    try:
        with safe_open(source, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"load: {source} is no whole safetensors file ({error})") from None
    except (TypeError, AttributeError) as error:  # a dtype that NumPy does not have
        raise ValueError(f"load: {source} does not describe a policy: {error}") from None
    if "theta" not in arrays or metadata.get("format") != FORMAT:
        raise ValueError(f"load: {source} is no policy of pgfast, expected the format {FORMAT}")
    kind = KINDS.get(metadata.get("kind", ""))
    if kind is None:
        raise unknown(f"load: {source}", "kind", metadata.get("kind"), KINDS)
    try:
        return kind.restore(
            json.loads(metadata["config"]),
            arrays,
            as_seed("load", int(metadata["draws"]), "draws"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"load: {source} does not describe a policy: {error}") from None


def save_value_function(value: ValueFunction, path: str | os.PathLike[str]) -> None:
    """Write a value function to a new file."""
    target = Path(path)
    if target.exists():
        raise FileExistsError(f"save: {target} exists, expected a new file")
    metadata = {
        "format": VALUE_FORMAT,
        "config": json.dumps(value.config()),
        "fits": str(value.fits),
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    _write_new(target, save({"theta": value.theta}, metadata))


def load_value_function(path: str | os.PathLike[str]) -> ValueFunction:
    """Read a value function that `save_value_function` wrote."""
    from pgfast.value_function import ValueFunction

    source = Path(path)
    if not source.is_file():
        raise FileNotFoundError(f"load: {source} is no file, expected a value function")
    try:
        with safe_open(source, framework="numpy") as file:
            metadata = file.metadata() or {}
            theta = file.get_tensor("theta") if list(file.keys()) == ["theta"] else None
        if theta is None or metadata.get("format") != VALUE_FORMAT:
            raise ValueError(f"expected the format {VALUE_FORMAT}")
        config, fits = json.loads(metadata["config"]), int(metadata["fits"])
        return ValueFunction.restore(config, theta, as_seed("load", fits, "fits"))
    except SafetensorError as error:
        raise ValueError(f"load: {source} is no whole safetensors file ({error})") from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"load: {source} does not describe a value function: {error}") from None


def check_new_directory(path: str | os.PathLike[str]) -> Path:
    """`path`, where a run can be written to it: new or an empty directory, below a writable one."""
    target = Path(path).absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        what = "already holds a run" if (target / RUN_FILE).exists() else "exists and is not empty"
        raise FileExistsError(f"save: {path} {what}, expected a new directory")
    where = next(place for place in (target, *target.parents) if place.exists())
    if not where.is_dir():
        raise NotADirectoryError(f"save: {path} lies below {where}, which is no directory")
    if not os.access(where, os.W_OK | os.X_OK):
        raise PermissionError(f"save: {path} can't be written, {where} is not writable")
    return target


def save_run(run: Run, path: str | os.PathLike[str]) -> None:
    """Write a run to a new or empty directory; what fails half-way leaves nothing."""
    target = check_new_directory(path)
    contents = {
        HISTORY_FILE: run.history.to_csv().encode(),
        RUN_FILE: (json.dumps(_description(run), indent=2) + "\n").encode(),
    }
    made = not target.exists()
    target.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    try:
        save_policy(run.policy, target / POLICY_FILE)
        written.append(target / POLICY_FILE)
        for name, content in contents.items():
            _write_new(target / name, content)
            written.append(target / name)
    except BaseException:
        for file in written:
            file.unlink(missing_ok=True)
        if made:
            target.rmdir()
        raise


def load(path: str | os.PathLike[str]) -> Run:
    """Read a run that `Run.save` wrote. Nothing of it is executed.

    Parameters:
        path: its directory.

    Returns:
        Run.

    Raises:
        FileNotFoundError: no such directory, or a file of it is missing.
        ValueError: a file is cut short or does not describe a run.

    >>> import tempfile
    >>> from pgfast import train
    >>> run, directory = train("CartPole-v1", steps=1), tempfile.mkdtemp()
    >>> run.save(directory)
    >>> bool((load(directory).policy.theta == run.policy.theta).all())
    True
    """
    from pgfast.run import Run

    source = Path(path)
    for name in (RUN_FILE, HISTORY_FILE, POLICY_FILE):
        if not (source / name).is_file():
            raise FileNotFoundError(f"load: {source} has no {name}, expected a run")
    policy = load_policy(source / POLICY_FILE)
    try:
        description = _checked(json.loads((source / RUN_FILE).read_text()))
        history = History.from_csv((source / HISTORY_FILE).read_text())
        return Run(policy=policy, history=history, **description)
    except (TypeError, ValueError) as error:
        raise ValueError(f"load: {source} does not describe a run: {error}") from None


def _checked(description: Any) -> dict[str, Any]:
    """The content of run.json, where every entry has its type."""
    kinds: dict[str, tuple[type, ...]] = {
        "seconds": (float, int),
        "solved_at": (int, type(None)),
        "stopped": (str,),
        "env_id": (str, type(None)),
        "algorithm": (str,),
        "settings": (dict,),
        "seed": (int,),
    }
    if not isinstance(description, dict) or set(description) != set(kinds):
        raise ValueError(f"{RUN_FILE} holds {list(description)}, expected {list(kinds)}")
    for name, types in kinds.items():
        if not isinstance(description[name], types):
            raise ValueError(f"{name} is {description[name]!r}, expected {types[0].__name__}")
    return description


def _description(run: Run) -> dict[str, Any]:
    """What run.json holds: all of a run but policy and history."""
    return {
        name: np.asarray(value).item() if isinstance(value, np.generic) else value
        for name, value in vars(run).items()
        if name not in ("policy", "history")
    }
