"""Arguments and options that commands share, with their shell completion."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from enum import StrEnum
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from orchestrator.sweep import Sweep


class ExecutorName(StrEnum):
    """Where the chains run."""

    ray = "ray"
    local = "local"


def sweep_files(incomplete: str) -> list[str]:
    """Complete the name of a sweep file: YAML files, and the folders on the way to them."""
    folder = Path(incomplete) if incomplete.endswith("/") else Path(incomplete).parent
    typed = incomplete.rpartition("/")[0]
    found = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        name = f"{typed}/{path.name}" if "/" in incomplete else path.name
        if path.name.startswith(".") or not name.startswith(incomplete):
            continue
        if path.is_dir():
            found.append(f"{name}/")
        elif path.suffix in (".yaml", ".yml"):
            found.append(name)
    return found


File = Annotated[
    Path,
    typer.Argument(metavar="SWEEP.YAML", help="The sweep file.", autocompletion=sweep_files),
]
Files = Annotated[
    list[Path],
    typer.Argument(metavar="SWEEP.YAML", help="The sweeps to keep.", autocompletion=sweep_files),
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a key, as in seeds=[0,1]; repeatable."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Output = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Default: reports/<name of the sweep>.")
]
Uri = Annotated[
    str | None,
    typer.Option(
        metavar="URI",
        help="MLflow tracking URI; default: MLFLOW_TRACKING_URI, the sweep file,"
        " or a database in the store.",
    ),
]


def open_sweep(file: Path, sets: list[str] | None) -> Sweep:
    """Read, check and plan ``file``; what its plug-ins print does not mix with our output."""
    from orchestrator import sweep

    with redirect_stdout(sys.stderr):
        return sweep.open_sweep(file, sets or ())


def set_options(sets: list[str] | None) -> list[str]:
    """Return the words of a command line that set ``sets``."""
    return [word for pair in sets or () for word in ("--set", pair)]


def spell(command: str, file: Path, sets: list[str] | None, *options: str) -> str:
    """Write the command line that does ``command`` with the same sweep."""
    return join(["prunesweep", command, str(file), *set_options(sets), *options])
