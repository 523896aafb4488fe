"""This machine: processor, build, and versions of all that is measured."""

from __future__ import annotations

import hashlib
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

import pgfast as pg
from pgfast import _core
from pgfast.benchmark import limits

PACKAGES = (
    *("numpy", "gymnasium", "scipy", "numba", "torch", "jax", "gymnax", "envpool"),
    *("stable-baselines3", "sbx-rl", "rltools"),
)


def processor() -> str:
    """Its name, as Linux tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Of the packages that are installed here."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def extension() -> str:
    """A digest of the compiled extension: reports of different builds tell by it that they are."""
    assert _core.__file__ is not None
    return hashlib.sha256(Path(_core.__file__).read_bytes()).hexdigest()[:16]


def describe() -> dict[str, Any]:
    """All of it, and the limits of one thread."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "build": dict(pg.build_info()),
        "extension": extension(),
        "versions": versions(),
        "numpy_blas": f"{blas.get('name')} {blas.get('version')}",
        "limits": {
            "multiply-add, flop/s": limits.peak("multiply-add"),
            "copy, byte/s": limits.peak("copy", limits.FAR),
            "CartPole, step/s": limits.peak("CartPole"),
        },
    }
