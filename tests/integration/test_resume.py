"""Resume and extend, with real processes: what is committed is never computed again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.collect import collect
from orchestrator.sweep import open_sweep
from tests.conftest import TINY

Write = Callable[..., Path]
COMMAND = str(Path(sys.executable).with_name("prunesweep"))

pytestmark = pytest.mark.slow


def prunesweep(*arguments: str, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([COMMAND, *arguments], cwd=cwd, capture_output=True, text=True)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def run(file: Path, executor: str = "local") -> None:
    prunesweep("run", str(file), "--executor", executor, "--no-report", cwd=file.parent)


def missing(file: Path) -> dict[str, int]:
    counts = json.loads(prunesweep("plan", str(file), "--json", cwd=file.parent).stdout)["counts"]
    return {what: row["missing"] for what, row in counts.items()}


def committed(folder: Path) -> dict[str, float]:
    """Every committed object of a store, with the time at which its record was written."""
    records = (folder / "store" / "objects").glob("*/*/record.json")
    return {record.parent.name: record.stat().st_mtime_ns for record in records}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of the tiny sweep, run undisturbed; nobody writes to it."""
    folder = tmp_path_factory.mktemp("finished")
    file = folder / "tiny.yaml"
    file.write_text(yaml.safe_dump(TINY))
    run(file)
    return folder / "store"


@pytest.fixture
def cached(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished store as this test's own, with the same times."""
    return shutil.copytree(finished, tmp_path / "store")


def table(file: Path) -> Any:
    sweep = open_sweep(file)
    return collect(sweep.plan, sweep.store)


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_a_second_run_computes_nothing(tiny: Write, tmp_path: Path, cached: Path) -> None:
    file = tiny()
    before = committed(tmp_path)
    run(file)
    assert len(before) == 2 * 10
    assert committed(tmp_path) == before
    assert missing(file) == {"chains": 0, "networks": 0, "cells": 0, "epochs": 0}


@pytest.mark.parametrize(
    ("change", "networks", "cells"),
    [
        ({"seeds": [0, 1, 2]}, 5, 15),
        ({"methods": ["wt", "ft", {"ft": {"norm": "l2"}}]}, 4, 12),
        ({"ratios": [0.3, 0.6, 0.8]}, 4, 12),
        ({"tasks": {"train": ["nominal", {"jpeg": {"severity": 5}}]}}, 0, 10),
    ],
    ids=["seed", "method", "ratio", "task"],
)
def test_an_extension_runs_only_what_is_missing(
    tiny: Write, tmp_path: Path, cached: Path, change: dict[str, Any], networks: int, cells: int
) -> None:
    before = committed(tmp_path)
    file = tiny(**change)
    assert (missing(file)["networks"], missing(file)["cells"]) == (networks, cells)
    run(file)
    after = committed(tmp_path)
    assert before.items() <= after.items()
    assert sum("-" not in key for key in after.keys() - before.keys()) == networks
    assert missing(file)["cells"] == 0


@pytest.mark.parametrize("executor", ["local", "ray"])
def test_killed_and_resumed_equals_undisturbed_to_the_bit(
    tiny: Write, tmp_path: Path, finished: Path, executor: str
) -> None:
    undisturbed = tiny("undisturbed.yaml", store=str(finished))
    file = tiny()
    driver = subprocess.Popen(
        [COMMAND, "run", str(file), "--executor", executor],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_for(lambda: len(committed(tmp_path)) >= 5)
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    survived = committed(tmp_path)
    assert len(survived) < 20, "killed too late to show anything"
    assert prunesweep("verify", str(file), cwd=tmp_path).stdout.startswith("0 damaged")
    run(file, executor)
    assert survived.items() <= committed(tmp_path).items()
    assert table(file).equals(table(undisturbed))


def test_an_interrupt_keeps_what_is_committed_and_says_how_to_go_on(
    tiny: Write, tmp_path: Path
) -> None:
    file = tiny()
    driver = subprocess.Popen(
        [COMMAND, "run", str(file)],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_for(lambda: len(committed(tmp_path)) >= 3)
    os.killpg(driver.pid, signal.SIGINT)
    _, told = driver.communicate(timeout=60)
    assert driver.returncode == 130
    assert f"prunesweep run {file}" in told
    assert "Traceback" not in told
    assert prunesweep("verify", str(file), cwd=tmp_path).stdout.startswith("0 damaged")
    run(file)
    assert missing(file)["cells"] == 0


def test_two_sweeps_at_once_share_their_work(tiny: Write, tmp_path: Path) -> None:
    one, two = tiny("one.yaml", name="one"), tiny("two.yaml", name="two", methods=["wt"])
    commands = [
        [COMMAND, "run", str(file), "--executor", "local", "--no-report"] for file in (one, two)
    ]
    drivers = [subprocess.Popen(command, cwd=tmp_path) for command in commands]
    assert [driver.wait(timeout=120) for driver in drivers] == [0, 0]
    assert sum("-" not in key for key in committed(tmp_path)) == 10
    assert missing(one)["cells"] == missing(two)["cells"] == 0


def test_a_failing_chain_blocks_only_its_descendants(tiny: Write, tmp_path: Path) -> None:
    broken = {
        "name": "broken",
        "model": {"resnet8": {"width": 4}},
        "data": "digits",
        "training": {"epochs": 1, "lr": 1e30},
    }
    sound = {
        "name": "sound",
        "model": {"resnet8": {"width": 4}},
        "data": "digits",
        "training": {"epochs": 1},
    }
    file = tiny(networks=[broken, sound], seeds=[0])
    done = prunesweep("run", str(file), "--executor", "local", cwd=tmp_path, check=False)
    assert done.returncode == 1
    status = json.loads(prunesweep("status", str(file), "--json", cwd=tmp_path).stdout)
    assert status["chains"] == {
        "broken/s0/dense": "failed",
        "broken/s0/wt/cascade": "blocked",
        "broken/s0/ft/cascade": "blocked",
        "sound/s0/dense": "complete",
        "sound/s0/wt/cascade": "complete",
        "sound/s0/ft/cascade": "complete",
    }
    assert "TrainingDivergedError" in status["failed"]["broken/s0/dense"]
    assert (tmp_path / "reports" / "tiny" / "report.html").exists()
