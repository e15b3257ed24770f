"""A sweep runs code only by naming a Python object, which is said before it happens."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.spec.named_code import told

Write = Callable[..., Path]
NET = """
import sys
from torch import nn

print("imported", file=sys.stderr)


def net(*, channels: int, classes: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64 * channels, classes))
"""


def network(model: str) -> list[dict[str, Any]]:
    return [{"model": model, "data": "digits", "training": {"epochs": 1}}]


@pytest.mark.parametrize("command", ["plan", "status"])
def test_it_is_said_before_it_is_imported(
    prunesweep: Any, tiny: Write, tmp_path: Path, command: str
) -> None:
    (tmp_path / "mynet.py").write_text(NET)
    ended = prunesweep(command, tiny(networks=network("mynet:net")))
    assert ended.code == 0
    lines = ended.err.splitlines()
    assert lines[:2] == ["this sweep runs code: mynet:net from ./mynet.py", "imported"]
    assert ended.err.count("runs code") == 1


@pytest.mark.slow
def test_a_submit_says_so_too(prunesweep: Any, tiny: Write, tmp_path: Path) -> None:
    (tmp_path / "mynet.py").write_text(NET)
    file = tiny(networks=network("mynet:net"))
    nowhere = ("--module", "mynet.py", "--address", "http://127.0.0.1:9")
    ended = prunesweep("submit", file, *nowhere)
    assert ended.code == 2
    assert ended.err.startswith("this sweep runs code: mynet:net from ./mynet.py\n")


@pytest.mark.slow
def test_a_run_says_so_too(prunesweep: Any, tiny: Write, tmp_path: Path) -> None:
    (tmp_path / "mynet.py").write_text(NET)
    file = tiny(networks=network("mynet:net"), seeds=[0], methods=["wt"], ratios=[0.5])
    ended = prunesweep("run", file, "--executor", "local", "--no-report")
    assert ended.code == 0, ended.err
    assert ended.err.startswith("this sweep runs code: mynet:net from ./mynet.py\n")


def test_a_sweep_that_names_no_code_says_nothing(prunesweep: Any, tiny: Write) -> None:
    assert "runs code" not in prunesweep("plan", tiny()).err


def test_where_it_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere, here = tmp_path / "elsewhere", tmp_path / "here"
    (here / "own").mkdir(parents=True)
    (here / "own" / "__init__.py").touch()
    elsewhere.mkdir()
    (elsewhere / "aside.py").touch()
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "path", [*sys.path, str(here), str(elsewhere)])
    networks = [{"model": {"own.nets:Net": {"width": 3}}, "data": "aside:Data"}]
    sweep = {"name": "a:b", "networks": networks, "methods": ["wt", "nowhere:Method"]}
    assert told(sweep) == (
        f"this sweep runs code: own.nets:Net from ./own, aside:Data from {elsewhere / 'aside.py'}"
    )
    assert told({"networks": "mynet", "tasks": None}) is None
    assert told(["own:Net"]) is None
    assert "own" not in sys.modules


@pytest.mark.parametrize(
    "name", ["antigravity:x", "os:system", "subprocess:Popen", "idlelib.idle:x"]
)
def test_python_s_own_library_is_not_imported(prunesweep: Any, tiny: Write, name: str) -> None:
    loaded = name.partition(":")[0] in sys.modules
    ended = prunesweep("plan", tiny(networks=network(name)))
    assert ended.code == 2
    assert f"networks[0].model: '{name}' is of Python's own library" in ended.err
    assert (name.partition(":")[0] in sys.modules) == loaded


def test_a_module_that_ends_the_process(prunesweep: Any, tiny: Write, tmp_path: Path) -> None:
    (tmp_path / "quits.py").write_text("raise SystemExit(0)")
    ended = prunesweep("plan", tiny(networks=network("quits:net")))
    assert ended.code == 2
    assert "cannot load model 'quits:net': SystemExit: 0" in ended.err


@pytest.mark.parametrize(
    "name", ["../evil:net", "..evil:net", "sub/evil:net", "/tmp/evil:net", ":net"]
)
def test_a_path_is_no_module(prunesweep: Any, tiny: Write, tmp_path: Path, name: str) -> None:
    sung = tmp_path / "sung"
    (tmp_path / "evil.py").write_text(f"open({str(sung)!r}, 'w')")
    (tmp_path / "sub").mkdir()
    ended = prunesweep("plan", tiny(networks=network(name)))
    assert ended.code == 2
    assert "networks[0].model: " in ended.err
    assert not sung.exists()
