"""What the documentation says is run: docstrings, examples, the README's lecture."""

import doctest
import importlib
import inspect
import pkgutil
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

import pgfast as pg
from pgfast import _core

ROOT = Path(__file__).parent.parent
MODULES = [
    m.name
    for m in pkgutil.walk_packages(pg.__path__, "pgfast.")
    if not m.name.endswith(("_core", "_cpu", "__main__"))
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_docstrings_are_true(name):
    if name.startswith("pgfast.benchmark.peers."):
        module = pytest.importorskip(name)  # what it imports need not be installed
    else:
        module = importlib.import_module(name)
    with np.printoptions(legacy=False):
        result = doctest.testmod(
            module, extraglobs={"np": np}, optionflags=doctest.NORMALIZE_WHITESPACE
        )
    assert result.failed == 0


@pytest.mark.parametrize("name", [n for n in pg.__all__ if inspect.isfunction(getattr(pg, n))])
def test_a_public_function_says_what_it_takes_and_gives(name):
    """Every parameter is named in the docstring, and there is an example."""
    function = getattr(pg, name)
    text = inspect.getdoc(function)
    for parameter in inspect.signature(function).parameters:
        assert re.search(rf"\b{parameter}\b", text), parameter
    assert ">>>" in text or name == "get_num_threads"


def test_the_stub_names_what_the_core_has():
    """Functions, classes and their methods, no more and no less."""
    stub = (Path(pg.__file__).parent / "_core.pyi").read_text()
    names = {n for n in dir(_core) if not n.startswith("_")}
    assert set(re.findall(r"^(?:def|class) ([a-zA-Z]\w*)", stub, re.MULTILINE)) == names
    methods = {
        method
        for kind in (
            _core.Features,
            _core.SoftmaxMlp,
            _core.MultiSoftmaxMlp,
            _core.GaussianMlp,
            _core.SoftmaxStateAction,
            _core.ValueNetwork,
            _core.DiscreteEnvFloat32,
            _core.TabularMDP,
        )
        for method in vars(kind)
        if not method.startswith("_")
    }
    assert set(re.findall(r"^    def ([a-z]\w*)", stub, re.MULTILINE)) == methods


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_examples_run(path, capsys):
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out


README = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("code", README, ids=lambda code: code.strip().splitlines()[-1][:30])
def test_the_readme_s_code_runs(code, tmp_path, monkeypatch):
    """Each piece as it stands there, in a directory of its own."""
    monkeypatch.chdir(tmp_path)
    exec(code, {"pg": pg})


def test_the_lecture_of_the_readme_learns():
    """Its code as it stands there: the mean return of the last batch is ten times the first's."""
    code = next(c for c in README if "score" in c)
    names: dict = {}
    exec(code, names)
    batch = names["batch"]
    assert batch.rewards.sum() / batch.rewards.shape[1] > 200
