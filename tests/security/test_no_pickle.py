"""Nothing that is read is run: no call in the source can unpickle, or evaluate what it reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path for name in ("orchestrator", "workers", "docker") for path in (ROOT / name).rglob("*.py")
)
MODULES = {"pickle", "dill", "joblib", "shelve", "marshal", "cPickle", "pickletools"}
CALLS = {"eval", "exec", "torch.load", "torch.hub.load", "pandas.read_pickle", "pd.read_pickle"}
YAML = {"yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load", "yaml.full_load_all"}
# A chain on its way from the driver to its trial, in Ray's own messages; it is never on a disk.
BETWEEN_PROCESSES = {"orchestrator/cluster/packed.py"}


def dangers(tree: ast.AST) -> Iterator[str]:
    """Yield the imports and calls that can run what they read."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (one.name for one in names if one.name.partition(".")[0] in MODULES)
            case ast.ImportFrom(module=module, names=names):
                if (module or "").partition(".")[0] in MODULES:
                    yield str(module)
                yield from (one.name for one in names if one.name == "cloudpickle")
            case ast.Call(func=function, keywords=keywords):
                name = ast.unparse(function)
                safe = {k.arg for k in keywords if ast.unparse(k.value) == "True"}
                unpickles = any(
                    k.arg == "allow_pickle" and ast.unparse(k.value) != "False" for k in keywords
                )
                refuses = any(k.arg == "allow_pickle" for k in keywords)
                if name in CALLS | YAML and not (name == "torch.load" and "weights_only" in safe):
                    yield name
                if unpickles or (name == "np.load" and not refuses):
                    yield f"{name} without allow_pickle=False"


def test_no_source_unpickles() -> None:
    found = {}
    for path in SOURCES:
        name = str(path.relative_to(ROOT))
        calls = set(dangers(ast.parse(path.read_text())))
        if name in BETWEEN_PROCESSES:
            calls -= {"cloudpickle"}
        if calls:
            found[name] = calls
    assert len(SOURCES) > 300
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "pd.read_pickle(path)",
        "yaml.load(text, Loader=Loader)",
        "eval(text)",
        "from ray import cloudpickle",
    ],
)
def test_the_test_would_notice(source: str) -> None:
    assert list(dangers(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        "torch.load(p, weights_only=True)",
        "np.load(p, allow_pickle=False)",
        "network.eval()",
        "re.compile(p)",
    ],
)
def test_what_is_harmless(source: str) -> None:
    assert not list(dangers(ast.parse(source)))
