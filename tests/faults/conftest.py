"""A sweep without a fault, a cluster to break, and the table of what its faults cost."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

import pyarrow as pa
import pytest

from tests.faults.nodes import Nodes
from tests.faults.recovery import Recovery
from tests.faults.sweep import FaultySweep
from tests.store.conftest import bucket_uri, listening, s3

__all__ = ["bucket_uri", "listening", "s3"]

EXECUTORS = os.environ.get("PRUNESWEEP_EXECUTORS", "local").split(",")
"""What runs the trials where stores and servers fail; benchmarks/faults.py asks for both."""


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """The results of the sweep without any fault."""
    sweep = FaultySweep(tmp_path_factory.mktemp("undisturbed"), "local")
    sweep.run()
    assert len(sweep.networks) == len(sweep.begun()) == 8
    return sweep.table()


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[Callable[..., FaultySweep]]:
    """Write the sweep; whatever it has started ends with the test."""
    made: list[FaultySweep] = []

    def make(
        executor: str, environment: dict[str, str] | None = None, **changes: Any
    ) -> FaultySweep:
        made.append(FaultySweep(tmp_path, executor, environment, **changes))
        return made[-1]

    yield make
    for sweep in made:
        sweep.kill()


@pytest.fixture(scope="session")
def nodes() -> Iterator[Nodes]:
    # Ray's sockets lie in there, whose names may have 107 characters.
    folder = Path(mkdtemp(prefix="ps-", dir="/tmp"))
    cluster = Nodes(folder)
    try:
        yield cluster
    finally:
        cluster.kill()
        rmtree(folder, ignore_errors=True)


@pytest.fixture
def cluster(nodes: Nodes) -> Nodes:
    """A head and the workers ``one`` and ``two``, made whole again after the last test."""
    nodes.complete()
    return nodes


@pytest.fixture(params=EXECUTORS)
def anywhere(
    request: pytest.FixtureRequest, faulty: Callable[..., FaultySweep]
) -> Callable[..., FaultySweep]:
    """Write the sweep, for each of ``EXECUTORS``."""
    if request.param == "local":
        return partial(faulty, "local")
    cluster: Nodes = request.getfixturevalue("cluster")

    def make(environment: dict[str, str] | None = None, **changes: Any) -> FaultySweep:
        return faulty("ray", cluster.environment | (environment or {}), **changes)

    return make


@pytest.fixture
def matrix(record_property: Callable[[str, object], None]) -> Callable[[str, str, Recovery], None]:
    """Note a row of the table in docs/faults.md, which benchmarks/faults.py prints."""

    def note(fault: str, happens: str, cost: Recovery) -> None:
        assert cost.duplicates == 0
        record_property("fault", json.dumps({"fault": fault, "happens": happens, **vars(cost)}))

    return note
