"""Stores and data are found fit, or what is wrong with them is said."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest

from orchestrator.cluster.doctor import store as doctor_store
from orchestrator.cluster.doctor.data import check_data
from orchestrator.cluster.doctor.finding import Finding
from orchestrator.cluster.doctor.store import check_shared, check_store, left
from orchestrator.cluster.doctor.tracking import check_tracking
from orchestrator.store import Store
from workers.contracts import Component

NOBODY = 65534


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user whose permissions count: root writes anywhere."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def forbidden() -> Iterator[Path]:
    folder = Path(mkdtemp(prefix="doctor-"))
    folder.chmod(0o555)
    yield folder
    shutil.rmtree(folder)


def test_a_store_is_left_as_it_was_found(tmp_path: Path) -> None:
    found = check_store(tmp_path / "new")
    assert found.level == "ok"
    assert found.found.startswith(f"{tmp_path}/new, a commit takes ")
    assert list(tmp_path.iterdir()) == []

    store = Store(tmp_path / "old")
    store.put("a" * 64, {}, {"weights": b"1"})
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert check_store(tmp_path / "old").level == "ok"
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == files


def test_a_store_that_cannot_be_written(forbidden: Path) -> None:
    with as_nobody():
        found = check_store(forbidden / "store")
        tracking = check_tracking(f"sqlite:///{forbidden}/mlflow.db", "mine")
    other = "or name another store: PRUNESWEEP_STORE, or --set store=…"
    assert found == Finding(
        "store",
        "fail",
        f"{forbidden}/store cannot be written: Permission denied",
        f"let this user write there, {other}",
    )
    assert (tracking.level, tracking.found) == (
        "fail",
        f"{forbidden}/mlflow.db: {forbidden} cannot be written",
    )


def test_a_store_that_would_go_with_the_job_or_is_a_file(tmp_path: Path) -> None:
    inside = tmp_path / "runtime_resources" / "working_dir_files" / "store"
    assert check_store(inside).advice.startswith(f"the store {inside} would go with this job")
    (tmp_path / "file").touch()
    assert "it is a file, expected a folder" in check_store(tmp_path / "file").found


def test_a_slow_store_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_store, "SLOW", 0.0)
    assert check_store(tmp_path).level == "warn"


def test_machines_see_the_same_store_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_store, "PATIENCE", 0.0)
    with left(tmp_path / "shared") as path:
        assert check_shared(tmp_path / "shared", path).level == "ok"
        other = check_shared(tmp_path / "other", path)
    assert (other.level, other.found) == (
        "fail",
        f"what the driver writes to {tmp_path}/other is not seen here",
    )
    assert list(tmp_path.iterdir()) == []


def test_data(tmp_path: Path, forbidden: Path) -> None:
    images = Component("imagefolder", {"train": "mine", "test": "mine", "size": 8})
    sets = [Component("digits"), Component("cifar10"), images]
    here, downloaded, missing = check_data(sets, tmp_path)
    assert here == Finding("data", "ok", "digits is here")
    assert downloaded == Finding("data", "ok", f"cifar10 will be downloaded to {tmp_path}")
    assert (missing.level, missing.found) == ("fail", f"imagefolder is not at {tmp_path}")
    assert str(tmp_path / "mine") in missing.advice
    with as_nobody():
        (unwritable,) = check_data([Component("cifar10")], forbidden / "data")
    assert unwritable.level == "fail"
