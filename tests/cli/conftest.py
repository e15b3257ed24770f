"""The command line in this process: a subprocess costs a second, this a few milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.cli import main
from orchestrator.search_path import forgotten, search_path
from orchestrator.store import Store
from orchestrator.sweep import open_sweep
from workers.contracts import evaluation_key


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@pytest.fixture
def prunesweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Ended]]:
    """Run a command in an empty folder, as somebody without a terminal would."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(*arguments: object) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        written = capsys.readouterr()
        return Ended(int(ended.value.code or 0), written.out, written.err)

    with forgotten([str(tmp_path)]):
        yield run


@pytest.fixture
def fill() -> Callable[..., Store]:
    """Commit networks and evaluations of some chains of a sweep, with made-up content."""

    def commit(file: Path, *chains: str) -> Store:
        with forgotten(search_path(file)):
            sweep = open_sweep(file)
        for chain in sweep.plan.chains:
            if chains and chain.name not in chains:
                continue
            for key in chain.networks:
                sweep.store.put(key, {"seconds": 6.0, "epochs": 3}, {"weights": b"12345678"})
                tasks = list(sweep.plan.task_keys)
                record = {"seconds": 6.0, "network": key, "tasks": tasks}
                sweep.store.put(evaluation_key(key, tasks), record, {"predictions": b"1234"})
            for one in chain.checkpoints:
                sweep.store.put(one.key, {"epoch": one.epoch}, {"weights": b"12345678"})
        return sweep.store

    return commit


@pytest.fixture
def untouched(tmp_path: Path) -> Callable[[], dict[str, tuple[int, int]]]:
    """Every file and folder below the test's folder, with size and time of its last change."""

    def look() -> dict[str, tuple[int, int]]:
        return {
            str(path.relative_to(tmp_path)): (path.stat().st_size, path.stat().st_mtime_ns)
            for path in (tmp_path, *tmp_path.rglob("*"))
        }

    return look
