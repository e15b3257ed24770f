"""What ``status`` learns of a run that still goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.execution.frontier import Outcome
from orchestrator.execution.outcome import OutcomeSoFar, read_outcome, write_outcome
from orchestrator.store import Store
from orchestrator.store.errors import StoreFullError
from workers.contracts import Event


def failed(chain: str) -> Event:
    return Event(chain=chain, kind="failed", detail="OSError: disk full")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_the_first_event_forgets_the_run_before(store: Store) -> None:
    write_outcome(store, "tiny", Outcome(failed={"a": "OSError"}, blocked={"b": "a"}))
    so_far = OutcomeSoFar(store, "tiny")
    assert read_outcome(store, "tiny").failed == {"a": "OSError"}
    so_far.report(Event(chain="a", kind="start"))
    assert read_outcome(store, "tiny") == Outcome()


def test_what_fails_is_noted_at_the_next_event_that_is_due(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, writes = 0.0, 0
    write_note = Store.write_note

    def slowly(*told: Any) -> None:
        nonlocal now, writes
        now, writes = now + 1, writes + 1
        write_note(*told)

    monkeypatch.setattr(Store, "write_note", slowly)
    so_far = OutcomeSoFar(store, "tiny", clock=lambda: now)
    so_far.report(Event(chain="a", kind="start"))
    so_far.report(failed("a"))
    so_far.report(Event(chain="b", kind="blocked", detail="a"))
    now = 20.9
    so_far.report(Event(chain="c", kind="epoch"))
    assert (writes, read_outcome(store, "tiny")) == (1, Outcome())
    now = 21.0
    so_far.report(Event(chain="c", kind="epoch"))
    assert writes == 2
    assert read_outcome(store, "tiny") == Outcome({"a": "OSError: disk full"}, {"b": "a"})
    now = 100.0
    so_far.report(Event(chain="c", kind="epoch"))
    assert writes == 2


def test_a_store_that_is_full_ends_no_run(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    so_far = OutcomeSoFar(store, "tiny", clock=lambda: 0.0)
    with monkeypatch.context() as patch:

        def full(*_: Any) -> None:
            raise StoreFullError("no room")

        patch.setattr(Store, "write_note", full)
        so_far.report(failed("a"))
    assert read_outcome(store, "tiny") == Outcome()
    so_far.report(Event(chain="c", kind="epoch"))
    assert read_outcome(store, "tiny").failed == {"a": "OSError: disk full"}
