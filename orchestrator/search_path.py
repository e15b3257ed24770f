"""Where ``package.module:name`` of a sweep is found besides what is installed.

The folder of the sweep file and the current folder come last on the module search path, so that
nothing in them hides an installed package.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


def search_path(sweep_file: Path) -> tuple[str, ...]:
    """Name the folders that the plug-ins of ``sweep_file`` may lie in."""
    return tuple(dict.fromkeys((str(sweep_file.absolute().parent), str(Path.cwd()))))


def extend_search_path(folders: Iterable[str]) -> None:
    """Let modules be imported from ``folders``, for as long as this process lives."""
    sys.path.extend(folder for folder in folders if folder not in sys.path)


@contextmanager
def no_bytecode() -> Iterator[None]:
    """Import without leaving ``__pycache__`` beside the source: a command that reads only reads."""
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


@contextmanager
def forgotten(folders: Iterable[str]) -> Iterator[None]:
    """Forget, at the end, that ``folders`` were searched, and the modules that came from them.

    Without it, two sweeps in different folders, each with a ``mynet.py``, would share one of them.
    """
    new, modules = set(folders) - set(sys.path), set(sys.modules)
    try:
        yield
    finally:
        sys.path[:] = [folder for folder in sys.path if folder not in new]
        tops = {name.partition(".")[0] for name in sys.modules.keys() - modules}
        own = {top for top in tops if _folder(top) in new}
        for name in [name for name in sys.modules if name.partition(".")[0] in own]:
            del sys.modules[name]


def _folder(module: str) -> str:
    """Name the folder of the search path that a top-level module lies in."""
    file = Path(getattr(sys.modules.get(module), "__file__", None) or "")
    return str(file.parent.parent if file.stem == "__init__" else file.parent)
