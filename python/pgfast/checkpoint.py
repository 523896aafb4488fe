"""Files: a policy is one safetensors file, a run a directory of three. None can run code.

    policy.safetensors  θ, and the policy's kind and settings as metadata
    run.json            environment, algorithm, settings, seed, how it ended
    history.csv         one line per update

Everything is first written beside its place under a temporary name and then moved there, so that a
crash leaves no half of a file under its own name. Nothing that exists is written over.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from pgfast._typing import as_seed, unknown
from pgfast.logging import History
from pgfast.policy import Policy
from pgfast.softmax_policy import SoftmaxPolicy, StateActionSoftmaxPolicy

if TYPE_CHECKING:
    from pgfast.training import Run

FORMAT = "pgfast-policy-1"
KINDS: dict[str, type[Policy]] = {
    kind.__name__: kind for kind in (SoftmaxPolicy, StateActionSoftmaxPolicy)
}
"""The policies that a file may hold."""
POLICY_FILE, RUN_FILE, HISTORY_FILE = "policy.safetensors", "run.json", "history.csv"


def save_policy(policy: Policy, path: str | os.PathLike[str]) -> None:
    """Write a policy to a new file."""
    target = Path(path)
    if target.exists():
        raise FileExistsError(f"save: {target} exists, expected a new file")
    metadata = {
        "format": FORMAT,
        "kind": type(policy).__name__,
        "config": json.dumps(policy.config()),
        "draws": str(policy.draws),
    }
    content = save({"theta": policy.theta}, metadata)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = _temporary_name(target)
    part.write_bytes(content)
    try:
        target.touch(exist_ok=False)  # ours from here on: whoever comes second fails
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
            names = list(file.keys())
            theta = file.get_tensor("theta") if names == ["theta"] else None
    except SafetensorError as error:
        raise ValueError(f"load: {source} is no whole safetensors file ({error})") from None
    except (TypeError, AttributeError) as error:  # a dtype that NumPy does not have
        raise ValueError(f"load: {source} does not describe a policy: {error}") from None
    if theta is None or metadata.get("format") != FORMAT:
        raise ValueError(f"load: {source} is no policy of pgfast, expected the format {FORMAT}")
    kind = KINDS.get(metadata.get("kind", ""))
    if kind is None:
        raise unknown(f"load: {source}", "kind", metadata.get("kind"), KINDS)
    try:
        return kind.restore(
            json.loads(metadata["config"]), theta, as_seed("load", int(metadata["draws"]), "draws")
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"load: {source} does not describe a policy: {error}") from None


def check_new_directory(path: str | os.PathLike[str]) -> Path:
    """`path`, where a run can be written to it: new or an empty directory, below a writable one."""
    target = Path(path).absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        what = "already holds a run" if (target / RUN_FILE).exists() else "exists and is not empty"
        raise FileExistsError(f"save: {path} {what}, expected a new directory")
    above = next(parent for parent in target.parents if parent.exists())
    if not above.is_dir():
        raise NotADirectoryError(f"save: {path} lies below {above}, which is no directory")
    if not os.access(above, os.W_OK | os.X_OK):
        raise PermissionError(f"save: {path} lies below {above}, which is not writable")
    return target


def save_run(run: Run, path: str | os.PathLike[str]) -> None:
    """Write a run to a new directory."""
    target = check_new_directory(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_name(target)
    temporary.mkdir()
    try:
        save_policy(run.policy, temporary / POLICY_FILE)
        (temporary / RUN_FILE).write_text(json.dumps(_description(run), indent=2) + "\n")
        (temporary / HISTORY_FILE).write_text(run.history.to_csv())
        temporary.rename(target)  # onto nothing or an empty directory; fails on anything else
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
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
    from pgfast.training import Run

    source = Path(path)
    for name in (RUN_FILE, HISTORY_FILE, POLICY_FILE):
        if not (source / name).is_file():
            raise FileNotFoundError(f"load: {source} has no {name}, expected a run")
    policy = load_policy(source / POLICY_FILE)
    try:
        description = json.loads((source / RUN_FILE).read_text())
        history = History.from_csv((source / HISTORY_FILE).read_text())
        return Run(policy=policy, history=history, **description)
    except (TypeError, ValueError) as error:
        raise ValueError(f"load: {source} does not describe a run: {error}") from None


def _description(run: Run) -> dict[str, Any]:
    """What run.json holds: all of a run but policy and history."""
    return {
        name: np.asarray(value).item() if isinstance(value, np.generic) else value
        for name, value in vars(run).items()
        if name not in ("policy", "history")
    }
