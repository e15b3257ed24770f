"""``methods``, ``tasks``, ``measures``, ``data`` and ``schema``: what a sweep file can say."""

from __future__ import annotations

from orchestrator.cli.arguments import Json
from orchestrator.cli.output import show, show_json


def methods(as_json: Json = False) -> None:
    """List the pruning methods that a sweep can name."""
    _list("methods", as_json)


def tasks(as_json: Json = False) -> None:
    """List the tasks that a sweep can name, as corruptions."""
    _list("tasks", as_json)


def measures(as_json: Json = False) -> None:
    """List the measures that a sweep can name."""
    _list("measures", as_json)


def data(as_json: Json = False) -> None:
    """List the data sets that a sweep can name."""
    _list("data", as_json)


def schema() -> None:
    """Print the JSON Schema of the sweep file, for editors."""
    from orchestrator.spec.schema import json_schema

    show_json(json_schema())


def _list(kind: str, as_json: bool) -> None:
    from orchestrator.cli.catalogue import entries, table

    found = entries(kind)
    if as_json:
        show_json(found)
    else:
        show(table(found))


CATALOGUES = (methods, tasks, measures, data)
