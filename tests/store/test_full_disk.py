from __future__ import annotations

import errno
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from orchestrator.store import Store
from orchestrator.store.errors import StoreFullError
from orchestrator.store.verify import verify
from workers.contracts import PermanentError


def key(number: object) -> str:
    return sha256(str(number).encode()).hexdigest()


def fill(store: Store) -> None:
    """Put objects of 100 KB, more than there is room for."""
    for number in range(20):
        store.put(key(number), {"n": number}, {"weights": bytes([number]) * 100_000})


def check(store: Store, fitted: int) -> None:
    assert set(store.keys()) == {key(number) for number in range(fitted)}
    assert verify(store) == []


@pytest.fixture
def small_disk(mounted: Callable[[str, str], Path]) -> Path:
    """A file system of one megabyte."""
    return mounted("disk", "1m")


def test_a_disk_that_fills_up_leaves_a_whole_store_that_can_be_gone_on_with(
    small_disk: Path,
) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(300_000))
    store = Store(small_disk / "store")
    with pytest.raises(StoreFullError) as caught:
        fill(store)
    assert str(caught.value) == (
        f"the store {store.location} is full (No space left on device): what was committed "
        "is whole; make room and run the same command again"
    )
    fitted = len(list(store.keys()))
    assert 3 <= fitted <= 7
    check(store, fitted)
    assert os.listdir(small_disk / "store" / "tmp") == []
    ballast.unlink()
    store.put(key(fitted), {"n": fitted}, {"weights": bytes(100_000)})
    check(store, fitted + 1)


USES: dict[str, Callable[[Store], Any]] = {
    "put": lambda store: store.put(key(1), {}, {"weights": b"x"}),
    "scratch": lambda store: store.scratch(key(1)).write(b"epoch"),
    "note": lambda store: store.write_note("note", b"text"),
    "lease": lambda store: store.lease(key(1)).__enter__(),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("call", ["fsync", "mkdir"])
def test_no_room_at_any_step_commits_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use: str, number: int, call: str
) -> None:
    store = Store(tmp_path)
    store.put(key(0), {"n": 0}, {"weights": bytes(100_000)})
    (tmp_path / "tmp").rmdir()

    def full(*given: object, **named: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(f"os.{call}", full)
        with pytest.raises(StoreFullError, match="make room and run the same command") as caught:
            USES[use](store)
    assert isinstance(caught.value, OSError)
    assert isinstance(caught.value, PermanentError)
    check(store, 1)
    store.put(key(1), {}, {"weights": b"x"})
    check(store, 2)


def test_another_failure_of_the_disk_keeps_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(OSError, match="Input/output error") as caught:
        Store(tmp_path).put(key(0), {}, {})
    assert not isinstance(caught.value, StoreFullError)
