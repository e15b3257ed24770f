"""What the last run of a sweep could not do, kept in the store for status and report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from orchestrator.execution.frontier import Outcome

if TYPE_CHECKING:
    from orchestrator.store import Store


def write_outcome(store: Store, sweep: str, outcome: Outcome) -> None:
    """Replace what is known of the last run of ``sweep``."""
    told = {"failed": dict(outcome.failed), "blocked": dict(outcome.blocked)}
    store.write_note(_note(sweep), json.dumps(told).encode())


def read_outcome(store: Store, sweep: str) -> Outcome:
    """Return the outcome of the last run of ``sweep``; an empty one when it never ran."""
    note = store.read_note(_note(sweep))
    try:
        told = json.loads(note) if note else {}
        return Outcome(dict(told.get("failed", {})), dict(told.get("blocked", {})))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return Outcome()  # damaged: it is a convenience, and the next run writes it anew


def _note(sweep: str) -> str:
    """Spell the name of a sweep with what the name of a note may have."""
    return f"_{quote(sweep, safe='')}".replace("%", ".").replace("~", ".7E")
