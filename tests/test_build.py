"""The package: what it was built with, what importing it does, how many threads it takes."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version

import pytest

import pgfast as pg
from pgfast import _cpu, parallel
from pgfast.build import check_cpu


@pytest.fixture(autouse=True)
def _threads():
    """Put the number of threads back after each test."""
    before = pg.get_num_threads()
    yield
    pg.set_num_threads(before)


def python(program, **environment):
    """What a program prints in a process of its own; None takes a variable away."""
    merged = {**os.environ, **environment}
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={name: value for name, value in merged.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_build_info_tells_how_the_core_was_built():
    """Every entry is there, with its type, and is not empty."""
    info = pg.build_info()
    kinds = {
        "version": str,
        "compiler": str,
        "flags": str,
        "arch": str,
        "eigen": str,
        "simd": str,
        "simd_width": int,
        "threads": int,
    }
    assert {name: type(value) for name, value in info.items()} == kinds
    assert all(info.values())
    assert info["eigen"].startswith("3.4")
    assert "-O3" in info["flags"]
    assert "-ffast-math" not in info["flags"]
    assert info["simd_width"] in (1, 2, 4, 8, 16, 32)


def test_the_version_is_the_package_s():
    """pgfast.__version__, build_info and the installed package agree."""
    assert pg.__version__ == pg.build_info()["version"] == version("pgfast")


def test_build_info_tells_the_threads_in_use():
    """`threads` follows set_num_threads."""
    for n in (1, 3):
        pg.set_num_threads(n)
        assert pg.build_info()["threads"] == n


# --- the CPU --------------------------------------------------------------------------------------


def test_a_cpu_that_lacks_something_is_told():
    """ImportError names every missing feature, none of the others, and what to do."""
    with pytest.raises(ImportError) as error:
        check_cpu(["sse4.2", "avx2", "avx512f"], ["sse3", "sse4.2"])
    message = str(error.value)
    assert message.startswith("pgfast was built for a CPU with avx2, avx512f, which this CPU lacks")
    assert "sse4.2" not in message
    assert "PGFAST_ARCH" in message


def test_a_cpu_that_has_all_is_taken():
    """No error where everything required is there, or nothing is required; also for this one."""
    check_cpu(["avx2"], ["sse3", "avx2"])
    check_cpu([], [])
    check_cpu(_cpu.required(), _cpu.supported())
    with pytest.raises(ImportError, match="lacks"):
        check_cpu(["avx2"], [])


def test_the_cpu_is_checked_before_the_core_is_loaded():
    """Where a feature is missing, `import pgfast` is an ImportError and _core stays untouched."""
    program = """
import importlib.machinery, sys

class Older(importlib.machinery.ExtensionFileLoader):
    def exec_module(self, module):
        super().exec_module(module)
        module.required = lambda: ["avx1024"]

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name != "pgfast._cpu":
            return None
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path) if finder is not self else None
            if spec is not None:
                spec.loader = Older(spec.loader.name, spec.loader.path)
                return spec

sys.meta_path.insert(0, Finder())
try:
    import pgfast
except ImportError as error:
    print(error)
print([name for name in sys.modules if name == "pgfast._core"])
"""
    message, loaded = python(program).splitlines()
    assert "built for a CPU with avx1024, which this CPU lacks" in message
    assert loaded == "[]"


# --- importing ------------------------------------------------------------------------------------


def test_importing_pgfast_loads_numpy_alone():
    """Gymnasium, rich, tyro and safetensors wait until they are needed."""
    heavy = ("gymnasium", "rich", "tyro", "safetensors", "torch", "matplotlib", "pgfast.training")
    program = "import sys, pgfast; print('numpy' in sys.modules, {} & set(sys.modules))"
    assert python(program.format(set(heavy))) == "True set()"


def test_importing_pgfast_needs_numpy_alone():
    """Every package but NumPy away, gradients can still be computed."""
    program = """
import sys
for name in ("gymnasium", "rich", "tyro", "safetensors"):
    sys.modules[name] = None
import numpy as np, pgfast
policy = pgfast.SoftmaxPolicy(4, 2)
print(policy.score(np.ones((3, 4), np.float32), np.zeros(3, np.int64)).shape)
"""
    assert python(program) == "(10,)"


def test_every_public_name_resolves():
    """__all__ has no name that is not there, none twice, and dir() shows all."""
    assert len(set(pg.__all__)) == len(pg.__all__)
    for name in pg.__all__:
        assert getattr(pg, name) is not None, name
    assert set(pg.__all__) <= set(dir(pg))
    program = "import pgfast; from pgfast import *; print(set(pgfast.__all__) - set(globals()))"
    assert python(program) == "set()"


def test_an_unknown_name_is_an_attribute_error():
    """The message has module and name."""
    with pytest.raises(AttributeError, match="'pgfast' has no attribute 'reinforce_'"):
        _ = pg.reinforce_
    assert not hasattr(pg, "trian")


# --- threads --------------------------------------------------------------------------------------

THREADS = "import pgfast; print(pgfast.get_num_threads(), pgfast.build_info()['threads'])"


@pytest.mark.parametrize("n", [1, 5])
def test_the_environment_sets_the_number_of_threads(n):
    """PGFAST_NUM_THREADS, read at import."""
    assert python(THREADS, PGFAST_NUM_THREADS=str(n)) == f"{n} {n}"


def test_without_a_number_all_processors_are_used():
    """Those that the process may run on."""
    n = len(os.sched_getaffinity(0))
    assert python(THREADS, PGFAST_NUM_THREADS=None) == f"{n} {n}"


@pytest.mark.parametrize("value", ["", "0", "-1", "many", "1025"])
def test_a_number_of_threads_that_is_none_is_an_error(value, monkeypatch):
    """PGFAST_NUM_THREADS is not passed over in silence."""
    monkeypatch.setenv("PGFAST_NUM_THREADS", value)
    with pytest.raises(ValueError, match=f"PGFAST_NUM_THREADS is '{value}', expected a number in"):
        parallel._check_environment()


def test_the_number_of_threads_may_change():
    """get_num_threads gives what set_num_threads took, NumPy's integers too."""
    for n in (1, 4, 2, 1024):
        pg.set_num_threads(n)
        assert pg.get_num_threads() == n


@pytest.mark.parametrize(
    ("n", "message"),
    [
        (0, "^set_num_threads: n is 0, expected at least 1"),
        (-1, "^set_num_threads: n is -1, expected at least 1"),
        (1025, "^set_num_threads: n is 1025, expected at most 1024"),
        ("2", "^set_num_threads: n is a str, expected an int"),
        (1.5, "^set_num_threads: n is a float, expected an int"),
        (None, "^set_num_threads: n is a NoneType, expected an int"),
        (2**70, r"^set_num_threads: n is .*expected"),
    ],
)
def test_a_number_of_threads_that_is_none_is_refused(n, message):
    """The message names function and argument, and the number stays as it was."""
    pg.set_num_threads(2)
    with pytest.raises((ValueError, TypeError), match=message):
        pg.set_num_threads(n)
    assert pg.get_num_threads() == 2
