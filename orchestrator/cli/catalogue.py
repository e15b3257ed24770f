"""What a sweep can name: every plug-in with its version, options and one line of help."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from workers.registry import DATA_SETS, METHODS, MODELS, TASKS, Registry

REGISTRIES: dict[str, Registry[Any]] = {
    "models": MODELS,
    "methods": METHODS,
    "tasks": TASKS,
    "data": DATA_SETS,
}


def entries(kind: str) -> list[dict[str, Any]]:
    """Describe every plug-in of ``kind`` (models, methods, tasks or data)."""
    registry = REGISTRIES[kind]
    return [_entry(name, registry.get(name)) for name in registry.names()]


def table(found: list[dict[str, Any]]) -> RenderableType:
    """Lay the descriptions out in columns."""
    rows = Table(box=None, pad_edge=False)
    for heading in ("name", "options", "what it is"):
        rows.add_column(heading, overflow="fold")
    for entry in found:
        options = ", ".join(f"{name}={value}" for name, value in entry["options"].items())
        rows.add_row(entry["name"], options, entry["help"])
    return rows


def _entry(name: str, plug_in: type[Any]) -> dict[str, Any]:
    return {
        "name": name,
        "version": plug_in.version,
        "options": {option.name: _default(option) for option in fields(plug_in)},
        "help": (plug_in.__doc__ or "").strip().partition("\n")[0],
    }


def _default(option: Field[Any]) -> Any:
    if option.default_factory is not MISSING:
        return option.default_factory()
    return "required" if option.default is MISSING else option.default
