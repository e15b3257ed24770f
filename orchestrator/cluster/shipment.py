"""What of this machine goes to the cluster with a sweep: its files, and modules of the user's."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from shlex import join

from orchestrator.search_path import search_path
from orchestrator.spec import SweepSpec
from orchestrator.spec.mistakes import SweepError


@dataclass(frozen=True)
class Shipment:
    """A sweep's files laid out in ``folder`` as they lie here; ``sweep`` is the one, from there."""

    folder: Path
    sweep: Path

    def command(self, verb: str, *options: str) -> str:
        """Write the command line that does ``verb`` with the sweep, in ``folder``."""
        return join(["prunesweep", verb, str(self.sweep), *options])

    def digest(self, command: str) -> str:
        """Tell two shipments apart by what is in them and what is done with it."""
        digest = sha256(command.encode())
        for file in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            digest.update(f"\n{file.relative_to(self.folder)}\n".encode())
            digest.update(sha256(file.read_bytes()).digest())
        return digest.hexdigest()


def pack(spec: SweepSpec, modules: Sequence[Path], folder: Path) -> Shipment:
    """Copy the sweep file, what it extends and ``modules`` into ``folder``.

    Args:
        spec: the sweep.
        modules: Python files and package folders; they go beside the sweep file, where its
            ``package.module:name`` are looked for.
        folder: an empty folder.

    Raises:
        SweepError: a module is not there, or the sweep names one that is not packed.

    """
    for module in modules:
        if not module.exists():
            raise SweepError(f"--module {module}: no such file or folder")
    packed = {_named(module).stem for module in modules}
    for name, place in _own_modules(search_path(spec.source)):
        if name not in packed:
            raise SweepError(
                f"the sweep uses {name}, which the cluster does not have: add --module {place}"
            )
    # Apart from where they lie: what is common to all files is not shipped.
    root = Path(os.path.commonpath([file.parent for file in spec.files]))
    for file in spec.files:
        _copy(file, folder / file.relative_to(root))
    beside = folder / spec.source.parent.relative_to(root)
    for module in modules:
        _copy(module, beside / _named(module).name)
    return Shipment(folder, spec.source.relative_to(root))


_INSTALLED = ("__main__", "orchestrator", "workers")
"""On the cluster anyway, even where it is run from its source here."""


def _named(module: Path) -> Path:
    """Give ``.`` a name, and leave a link its own: that is what the sweep imports."""
    return Path(os.path.abspath(module))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    else:
        shutil.copyfile(source, target)


def _own_modules(folders: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the top-level modules that were imported from ``folders``, with where they lie."""
    wanted = {os.path.realpath(folder) for folder in folders}
    for name, module in list(sys.modules.items()):
        if "." in name or name in _INSTALLED:
            continue
        # A package has folders, and perhaps no file; a module has a file alone.
        places = [*getattr(module, "__path__", ())] or [getattr(module, "__file__", None)]
        for place in filter(None, places):
            if os.path.realpath(os.path.dirname(os.path.abspath(place))) in wanted:
                yield name, os.path.relpath(place)
