"""What of a sweep file is code: every ``package.module:name``, told before it is imported."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

SECTIONS = ("networks", "methods", "tasks", "measures")
_REFERENCE = r"[^\W\d][\w.]*:[^\W\d]\w*"


def told(sweep: Any) -> str | None:
    """Word which code the plain content of a sweep file names, and where Python finds it.

    Names that are found nowhere are left to whoever imports them, and complains.
    """
    parts = [sweep.get(key) for key in SECTIONS] if isinstance(sweep, dict) else []
    files = {name: _file(name.partition(":")[0]) for name in _references(parts)}
    found = [f"{name} from {file}" for name, file in files.items() if file]
    return f"this sweep runs code: {', '.join(found)}" if found else None


def _references(value: Any) -> Iterator[str]:
    """Yield what reads like a reference, wherever a component may stand."""
    match value:
        case str() if re.fullmatch(_REFERENCE, value):
            yield value
        case dict():
            yield from _references([*value])
            yield from _references([*value.values()])
        case list():
            for element in value:
                yield from _references(element)


def _file(module: str) -> str | None:
    """Find the file of a module, or the folder of its package, without importing either."""
    top = module.partition(".")[0]
    spec = getattr(sys.modules.get(top), "__spec__", None) or PathFinder.find_spec(top)
    if spec is None:
        return None
    folders = list(spec.submodule_search_locations or ())
    file = Path(folders[0] if folders else spec.origin or top)
    near = os.path.relpath(file)
    return str(file) if near.startswith("..") else f"./{near}"
