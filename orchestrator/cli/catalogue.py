"""What a sweep can name: every plug-in with its version, options and one line of help."""

from __future__ import annotations

import json
from dataclasses import MISSING, Field, fields
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from workers.registry import DATA_SETS, MEASURES, METHODS, MODELS, SUITES, TASKS, Registry

REGISTRIES: dict[str, tuple[Registry[Any], ...]] = {
    "models": (MODELS,),
    "methods": (METHODS,),
    "tasks": (TASKS, SUITES),
    "measures": (MEASURES,),
    "data": (DATA_SETS,),
}


def entries(kind: str) -> list[dict[str, Any]]:
    """Describe every plug-in of ``kind`` (models, methods, tasks, measures or data).

    Suites of tasks come after the tasks.
    A plug-in of another package that cannot be loaded is listed with the cause.
    """
    return [_entry(one, name) for one in REGISTRIES[kind] for name in one.names()]


def table(found: list[dict[str, Any]]) -> RenderableType:
    """Lay the descriptions out in columns."""
    rows = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("name", "options", "what it is"):
        rows.add_column(heading, overflow="fold")
    for entry in found:
        options = [f"{', '.join(entry['required'])} (required)"] if entry["required"] else []
        # With defaults as YAML would have them: null, true.
        options += [f"{name}={json.dumps(value)}" for name, value in entry["options"].items()]
        help_text = entry["help"].replace("``", "")
        rows.add_row(*map(Text, (entry["name"], ", ".join(options), help_text)))
    return rows


def _entry(registry: Registry[Any], name: str) -> dict[str, Any]:
    try:
        plug_in = registry.get(name)
    except Exception as error:  # whatever the import of somebody's package runs into
        cause = f"cannot be loaded: {type(error).__name__}: {error}".partition("\n")[0]
        return {"name": name, "version": None, "options": {}, "required": [], "help": cause}
    defaults = {option.name: _default(option) for option in fields(plug_in) if option.init}
    return {
        "name": name,
        "version": plug_in.version,
        "options": {option: value for option, value in defaults.items() if value is not MISSING},
        "required": [option for option, value in defaults.items() if value is MISSING],
        "help": (plug_in.__doc__ or "").strip().partition("\n")[0],
    }


def _default(option: Field[Any]) -> Any:
    if option.default_factory is not MISSING:
        return option.default_factory()
    return option.default
