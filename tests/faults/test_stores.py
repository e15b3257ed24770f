"""The store has no room, or is out of reach."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest

from tests.faults.recovery import Recovery, recovered, strike
from tests.faults.sweep import FaultySweep
from tests.store.conftest import ENVIRONMENT, S3Server

pytestmark = pytest.mark.slow

OUTAGE = float(os.environ.get("PRUNESWEEP_OUTAGE", "20"))
"""Seconds without a store."""

Anywhere = Callable[..., FaultySweep]
Matrix = Callable[[str, str, Recovery], None]


@pytest.fixture
def small_disk(mounted: Callable[[str, str], Path]) -> Path:
    """A file system of 16 megabytes, where the sweep has its store."""
    return mounted("store", "16m")


def fill(ballast: Path) -> None:
    """Use all that is left, but for the blocks that are never given out."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_on_a_full_disk_the_run_ends_and_goes_on_when_there_is_room(
    small_disk: Path, anywhere: Anywhere, undisturbed: pa.Table, matrix: Matrix
) -> None:
    sweep, ballast = anywhere(), small_disk / "ballast"
    sweep.start()
    sweep.await_begun(3)
    fault = strike(sweep, lambda: fill(ballast))
    told = sweep.end()
    assert sweep.driver.returncode == 1
    assert "what was committed is whole; make room and run the same command again" in told
    assert "Traceback" not in told
    os.unlink(ballast)
    sweep.run()
    cost = recovered(sweep, fault, undisturbed, since=sweep.started)
    matrix("store's disk full", "ends with a message, code 1; `run` again goes on", cost)


def test_while_the_store_is_away_the_sweep_waits(
    s3: S3Server, bucket_uri: str, anywhere: Anywhere, undisturbed: pa.Table, matrix: Matrix
) -> None:
    store = bucket_uri.replace("retry_seconds=20", "retry_seconds=60")
    sweep = anywhere(ENVIRONMENT, store=store)
    sweep.start()
    sweep.await_begun(3)
    fault = strike(sweep, s3.stop)
    time.sleep(OUTAGE)
    s3.start()
    back = time.time()
    told = sweep.end()
    assert sweep.driver.returncode == 0, told
    uri = f"sqlite:///{sweep.folder / 'mlflow.db'}"
    cost = recovered(sweep, fault, undisturbed, since=back, uri=uri)
    matrix(f"store unreachable for {OUTAGE:g} s", "waits, and goes on by itself", cost)
