"""What MLflow needs dies: its server, the database below it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from uuid import uuid4

import pyarrow as pa
import pytest

from tests.faults.recovery import Recovery, recovered, strike
from tests.faults.servers import POSTGRES, Mlflow, Postgres
from tests.faults.sweep import FaultySweep

pytestmark = pytest.mark.slow

Anywhere = Callable[..., FaultySweep]
Matrix = Callable[[str, str, Recovery], None]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that every user can reach."""
    made = Path(mkdtemp(prefix="ps-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def databases(folder: Path) -> Iterator[list[Postgres]]:
    """What the server writes to: a PostgreSQL where there is one, else a file."""
    found = [Postgres(folder)] if POSTGRES.exists() else []
    yield found
    for database in found:
        database.kill()


@pytest.fixture(scope="module")
def servers(folder: Path, databases: list[Postgres]) -> Iterator[Mlflow]:
    uris = [database.uri for database in databases]
    made = Mlflow(folder, *uris or [f"sqlite:///{folder / 'mlflow.db'}"])
    yield made
    made.kill()


@pytest.fixture
def server(servers: Mlflow, databases: list[Postgres]) -> Mlflow:
    """An MLflow server, running whatever the last test did to it."""
    for one in (*databases, servers):
        one.start()
    return servers


@pytest.fixture
def tracked(server: Mlflow, anywhere: Anywhere) -> FaultySweep:
    """A sweep that is shown on the server, under a name of its own."""
    environment = {"MLFLOW_TRACKING_URI": server.uri}
    return anywhere(environment, name=f"faults-{uuid4().hex[:8]}")


def test_without_an_mlflow_server_the_sweep_goes_on_and_publish_catches_up(
    server: Mlflow, tracked: FaultySweep, undisturbed: pa.Table, matrix: Matrix
) -> None:
    tracked.start()
    tracked.await_begun(3)
    fault = strike(tracked, server.kill)
    told = tracked.end()
    assert tracked.driver.returncode == 0, told
    assert told.count("catch up with: prunesweep publish") == 1
    server.start()
    tracked.command("publish")
    cost = recovered(tracked, fault, undisturbed, uri=server.uri)
    matrix("MLflow server killed", "the sweep goes on; `publish` catches up", cost)


def test_mlflow_catches_up_by_itself_when_its_database_is_back(
    server: Mlflow,
    databases: list[Postgres],
    tracked: FaultySweep,
    undisturbed: pa.Table,
    matrix: Matrix,
) -> None:
    if not databases:
        pytest.skip(f"there is no PostgreSQL in {POSTGRES}")
    (database,) = databases
    tracked.start()
    tracked.await_begun(3)
    fault = strike(tracked, database.kill)
    tracked.await_begun(5)
    database.start()
    told = tracked.end()
    assert tracked.driver.returncode == 0, told
    assert "catch up with" not in told
    cost = recovered(tracked, fault, undisturbed, uri=server.uri)
    matrix("PostgreSQL killed", "the sweep goes on; MLflow catches up by itself", cost)
