"""How the C++ core was built, and whether this CPU can run it."""

from __future__ import annotations

from typing import TypedDict

from pgfast import _cpu


def check_cpu(required: list[str], supported: list[str]) -> None:
    """Raise ImportError where the CPU lacks an instruction set that the core was built for."""
    missing = [feature for feature in required if feature not in supported]
    if missing:
        raise ImportError(
            f"pgfast was built for a CPU with {', '.join(missing)}, which this CPU lacks. "
            "Build it on this machine (pip install --no-cache-dir --force-reinstall pgfast), "
            "or for an older CPU (PGFAST_ARCH=x86-64-v3 pip install ...)."
        )


check_cpu(_cpu.required(), _cpu.supported())

from pgfast import _core  # noqa: E402  only now: on a CPU too old, loading it may kill the process


class BuildInfo(TypedDict):
    """What `build_info` gives."""

    version: str
    compiler: str
    flags: str
    arch: str
    eigen: str
    simd: str
    simd_width: int
    threads: int


def build_info() -> BuildInfo:
    """Tell compiler, flags, Eigen, SIMD and threads of the C++ core.

    Returns:
        `version` of pgfast; `compiler` and its version; `flags` and `arch` it was given; `eigen`,
        the version of Eigen; `simd`, the instruction sets in use; `simd_width`, float32 numbers in
        one vector; `threads` that kernels may use now.

    >>> sorted(build_info())
    ['arch', 'compiler', 'eigen', 'flags', 'simd', 'simd_width', 'threads', 'version']
    """
    info: BuildInfo = _core.build_info()
    return info


__version__ = build_info()["version"]
