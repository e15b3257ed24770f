"""Which tasks an evaluation holds the predictions of: its key names the set, a record lists it."""

from __future__ import annotations

from orchestrator.store.objects import DamagedObjectError, is_suite
from orchestrator.store.reading import read_record
from orchestrator.store.storage import MARKER, Storage


class Suites:
    """The sets of tasks of a store's evaluations, each read from the first record that has it."""

    def __init__(self, storage: Storage) -> None:
        """Read from ``storage``."""
        self._storage = storage
        self._known: dict[str, frozenset[str]] = {}

    def tasks_of(self, evaluation: str) -> frozenset[str]:
        """Return the keys of the tasks of ``evaluation``.

        Raises:
            DamagedObjectError: the record changed.

        """
        suite = evaluation.partition("-")[2]
        if suite not in self._known:
            tasks = read_record(self._storage, evaluation).get("tasks")
            if not is_suite(tasks, suite):
                raise DamagedObjectError(evaluation, MARKER, "its tasks are not those of its key")
            self._known[suite] = frozenset(tasks)
        return self._known[suite]
