"""Whether a store can be written and read, how fast, and whether all machines see the same one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from statistics import median
from uuid import uuid4

from orchestrator.cluster.doctor.finding import Finding
from orchestrator.cluster.errors import ClusterError
from orchestrator.cluster.job_folder import expect_lasting
from orchestrator.cluster.waiting import wait_for
from orchestrator.store import StoreError
from orchestrator.store.local_storage import UNFINISHED, LocalStorage
from orchestrator.store.location import S3, parse_s3
from orchestrator.store.objects import has_format
from orchestrator.store.opening import open_storage
from orchestrator.store.s3_storage import S3Storage
from orchestrator.store.scratch import SCRATCH
from orchestrator.store.storage import MARKER, Storage

COMMITS = 3
SLOW = 1.0
"""Seconds for a commit, of which a chain makes two at every level."""
PATIENCE = 5.0
"""Seconds to wait for an object server, and for a file on another machine to be seen."""
CONTENT = b"prunesweep doctor\n"
ELSEWHERE = "or name another store: PRUNESWEEP_STORE, or --set store=…"


def check_store(location: Path | str) -> Finding:
    """Commit to the store, read that back, and remove it."""
    try:
        expect_lasting(location)
        storage = impatient(location)
        has_format(storage)
        with _nothing_left(storage):
            seconds = median(_commit(storage) for _ in range(COMMITS))
    except PermissionError as error:
        found = f"{location} cannot be written: {error.strerror}"
        return Finding("store", "fail", found, f"let this user write there, {ELSEWHERE}")
    except ClusterError as error:
        return Finding("store", "fail", "none that lasts", str(error))
    except StoreError as error:
        return Finding("store", "fail", str(error), f"mend that, {ELSEWHERE}")
    except OSError as error:
        found = f"{location}: {error.strerror or error}"
        return Finding("store", "fail", found, f"mend that, {ELSEWHERE}")
    found = f"{storage.root}, a commit takes {1000 * seconds:.0f} ms"
    if seconds > SLOW:
        return Finding("store", "warn", found, "it slows every chain: use a faster or nearer store")
    return Finding("store", "ok", found)


def impatient(location: Path | str) -> Storage:
    """Open a store that gives up soon where nobody serves it; raises StoreError."""
    if str(location).lower().startswith(S3):
        return S3Storage(replace(parse_s3(str(location)), retry_seconds=PATIENCE))
    return open_storage(location)


def _commit(storage: Storage) -> float:
    """Time a commit; raises StoreError where what is read back is something else."""
    folder = f"{SCRATCH}/doctor-{uuid4().hex}"
    start = time.perf_counter()
    try:
        storage.commit(folder, {"content": CONTENT, MARKER: b"{}"})
        seconds = time.perf_counter() - start
        if not storage.committed(folder) or storage.read(f"{folder}/content") != CONTENT:
            raise StoreError(f"{storage.root} does not give back what is written to it")
    finally:
        storage.remove(folder)
    return seconds


@contextmanager
def _nothing_left(storage: Storage) -> Iterator[None]:
    """Remove the folder of a store that was not there before."""
    root = Path(storage.root)
    new = isinstance(storage, LocalStorage) and not root.exists()
    try:
        yield
    finally:
        for folder in (root / SCRATCH, root / UNFINISHED, root) if new else ():
            with suppress(OSError):
                folder.rmdir()


@contextmanager
def left(location: Path | str) -> Iterator[str]:
    """Leave a file in the store for the other machines to see, and yield its path.

    Raises:
        ClusterError: the store would go with the job that this is.
        OSError: it cannot be written.
        StoreError: the store cannot be opened.

    """
    expect_lasting(location)
    storage = impatient(location)
    path = f"{SCRATCH}/doctor-{uuid4().hex}"
    with _nothing_left(storage):
        storage.write(path, CONTENT)
        try:
            yield path
        finally:
            storage.remove(path)


def check_shared(location: Path | str, path: str) -> Finding:
    """Look for the file that another machine left."""

    def look() -> Finding | None:
        with suppress(OSError, StoreError):
            if impatient(location).read(path) == CONTENT:
                return Finding("store", "ok", "shared with the driver")
        return None

    if seen := wait_for(look, PATIENCE):
        return seen
    found = f"what the driver writes to {location} is not seen here"
    advice = "mount the same shared folder at the same path on all nodes, or use s3://…"
    return Finding("store", "fail", found, advice)
