"""This machine: processor, build, and versions of all that is measured."""

from __future__ import annotations

import ctypes
import hashlib
import itertools
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


def blas_kernels() -> str:
    """The processor whose kernels NumPy's OpenBLAS runs, as it tells; empty where it is another."""
    try:
        lines = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return ""
    loaded = {line.split(maxsplit=5)[5] for line in lines if "openblas" in line}
    for library in map(ctypes.CDLL, sorted(loaded)):
        for prefix, suffix in itertools.product(("scipy_", ""), ("64_", "")):
            name = getattr(library, f"{prefix}openblas_get_corename{suffix}", None)
            if name is not None:
                name.restype = ctypes.c_char_p
                return str(name().decode())
    return ""


def numpy_blas() -> str:
    """Name, version and kernels: those of an older processor take up to twice as long."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    text = f"{blas.get('name')} {blas.get('version')}"
    if kernels := blas_kernels():
        text += f", {kernels} kernels"
    if "OPENBLAS_CORETYPE" in os.environ:
        text += " (OPENBLAS_CORETYPE is set)"
    return text


def extension() -> str:
    """A digest of the compiled extension: reports of different builds tell by it that they are."""
    assert _core.__file__ is not None
    return hashlib.sha256(Path(_core.__file__).read_bytes()).hexdigest()[:16]


def describe() -> dict[str, Any]:
    """All of it, and the limits of one thread."""
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "build": dict(pg.build_info()),
        "extension": extension(),
        "versions": versions(),
        "numpy_blas": numpy_blas(),
        "limits": {
            "multiply-add, flop/s": limits.peak("multiply-add"),
            "copy, byte/s": limits.peak("copy", limits.FAR),
            "CartPole, step/s": limits.peak("CartPole"),
        },
    }
