"""What MLflow needs dies: its server, the database below it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pyarrow as pa
import pytest

from tests.faults.recovery import Recovery, recovered, strike
from tests.faults.servers import POSTGRES, Mlflow, Postgres
from tests.faults.sweep import FaultySweep

pytestmark = pytest.mark.slow

Faulty = Callable[..., FaultySweep]
Matrix = Callable[[str, str, Recovery], None]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user can reach."""
    made = Path(mkdtemp(prefix="ps-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    rmtree(made, ignore_errors=True)


def test_without_an_mlflow_server_the_sweep_goes_on_and_publish_catches_up(
    folder: Path, faulty: Faulty, undisturbed: pa.Table, matrix: Matrix
) -> None:
    server = Mlflow(folder, f"sqlite:///{folder / 'mlflow.db'}")
    server.start()
    try:
        sweep = faulty({"MLFLOW_TRACKING_URI": server.uri})
        sweep.start("--executor", "local")
        sweep.await_begun(3)
        fault = strike(sweep, server.kill)
        told = sweep.end()
        assert sweep.driver.returncode == 0, told
        assert told.count("catch up with: prunesweep publish") == 1
        server.start()
        sweep.command("publish")
        cost = recovered(sweep, fault, undisturbed, uri=server.uri)
        matrix("MLflow server killed", "the sweep goes on; `publish` catches up", cost)
    finally:
        server.kill()


@pytest.mark.skipif(not POSTGRES.exists(), reason=f"there is no PostgreSQL in {POSTGRES}")
def test_mlflow_catches_up_by_itself_when_its_database_is_back(
    folder: Path, faulty: Faulty, undisturbed: pa.Table, matrix: Matrix
) -> None:
    database = Postgres(folder)
    database.start()
    server = Mlflow(folder, database.uri)
    server.start()
    try:
        sweep = faulty({"MLFLOW_TRACKING_URI": server.uri})
        sweep.start("--executor", "local")
        sweep.await_begun(3)
        fault = strike(sweep, database.kill)
        sweep.await_begun(5)
        database.start()
        told = sweep.end()
        assert sweep.driver.returncode == 0, told
        assert "catch up with" not in told
        cost = recovered(sweep, fault, undisturbed, uri=server.uri)
        matrix("PostgreSQL killed", "the sweep goes on; MLflow catches up by itself", cost)
    finally:
        server.kill()
        database.kill()
