"""An MLflow database for every test."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.tracking.memory import MemoryStore


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make MLflow's forty tables once; every test gets a copy."""
    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    MlflowClient(f"sqlite:///{file}").search_experiments()
    return file


@pytest.fixture
def uri(tmp_path: Path, empty_database: Path) -> str:
    copy = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(empty_database)) as old, closing(sqlite3.connect(copy)) as new:
        old.backup(new)
    return f"sqlite:///{copy}"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()
