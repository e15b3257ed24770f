"""The command line before any sweep is read: help, version, completion, pipes."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

COMMAND = str(Path(sys.executable).with_name("prunesweep"))
READERS = (
    "plan", "run", "status", "report", "verify-results", "publish", "ui", "verify", "gc",
    "submit", "logs", "stop", "doctor",
)  # fmt: skip
COMMANDS = (*READERS, "methods", "tasks", "measures", "data", "schema", "models")
HEAVY = ("torch", "ray", "mlflow", "pandas", "scipy", "pyarrow", "numpy", "matplotlib")
UNPLANNED = ("torch", "ray", "mlflow", "pandas", "scipy", "matplotlib")


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(COMMAND).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", line],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": path, **environment},
    )


@pytest.mark.parametrize("words", [["--help"], ["-h"], []])
def test_help_names_every_command_in_full_sentences(prunesweep: Any, words: list[str]) -> None:
    ended = prunesweep(*words)
    assert ended.code == 0
    listed = ended.out.partition("Commands:")[2]
    summaries = dict(re.findall(r"^  ([\w-]+) +(\S.*)$", listed, re.M))
    assert tuple(summaries) == COMMANDS
    assert all(summary.endswith(".") for summary in summaries.values())
    assert "..." not in "".join(summaries.values())
    assert max(map(len, ended.out.splitlines())) <= 80


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(prunesweep: Any, command: str) -> None:
    ended = prunesweep(command, "--help")
    assert ended.code == 0
    assert ended.out.startswith(f"Usage: prunesweep {command} [OPTIONS]")
    assert max(map(len, ended.out.splitlines())) <= 80
    assert ("--set KEY=VALUE" in ended.out) == (command in READERS)


def test_version(prunesweep: Any) -> None:
    ended = prunesweep("--version")
    assert ended.code == 0
    assert re.fullmatch(r"prunesweep \d+\.\d+\.\d+\S*\n", ended.out)


def test_help_is_there_at_once() -> None:
    def seconds() -> float:
        """CPU seconds: it waits for nothing, and other processes do not count."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([COMMAND, "--help"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 0.5


@pytest.mark.parametrize("words", ["--help", "plan --help"])
def test_help_imports_nothing_heavy(words: str) -> None:
    code = (
        "import sys; from orchestrator.cli import main\n"
        f"try: main({words.split()!r})\n"
        f"except SystemExit: print(*(set(sys.modules) & set({HEAVY!r})), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""


def test_a_plan_imports_no_more_than_it_needs(tiny: Callable[..., Path]) -> None:
    code = (
        "import sys; from orchestrator.cli import main\n"
        f"try: main(['plan', {str(tiny())!r}, '--no-estimate'])\n"
        f"finally: print('imported', *(set(sys.modules) & set({UNPLANNED!r})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "imported"


@pytest.mark.parametrize("line", ["prunesweep schema | head -1", "prunesweep methods | true"])
def test_a_reader_that_leaves_early_is_no_error(line: str) -> None:
    assert shell(line).stderr == ""


def test_a_full_disk_is_one_line() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    done = shell("prunesweep methods > /dev/full")
    assert (done.returncode, done.stderr) == (1, "[Errno 28] No space left on device\n")


def test_a_terminal_that_knows_no_greek() -> None:
    done = shell("prunesweep methods", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_a_shell_is_shown_its_completion(name: str) -> None:
    # Without a name it is the shell that called, which under make is one that completes nothing.
    done = shell(
        f"prunesweep --show-completion {name}", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1"
    )
    assert f"_PRUNESWEEP_COMPLETE=complete_{name}" in done.stdout


def completed(words: str, folder: Path) -> list[str]:
    done = shell(
        f"cd {folder} && prunesweep",
        _PRUNESWEEP_COMPLETE="complete_bash",
        COMP_WORDS=f"prunesweep {words}",
        COMP_CWORD=str(len(words.split(" "))),
    )
    return done.stdout.split()


def test_completion_of_commands_files_and_executors(tmp_path: Path) -> None:
    (tmp_path / "sweeps" / "old").mkdir(parents=True)
    for name in ("a.yaml", "b.yml", "notes.txt", ".hidden.yaml", "sweeps/c.yaml"):
        (tmp_path / name).touch()
    assert completed("pu", tmp_path) == ["publish"]
    assert completed("plan ", tmp_path) == ["a.yaml", "b.yml", "sweeps/"]
    assert completed("gc a.yaml sweeps/", tmp_path) == ["sweeps/c.yaml", "sweeps/old/"]
    assert completed("run a.yaml --executor ", tmp_path) == ["ray", "local"]
    assert completed("run a.yaml --executor l", tmp_path) == ["local"]
