"""A sweep as a cluster knows it: checked here, told from others there."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.output import complain

if TYPE_CHECKING:
    from orchestrator.cluster.job import Identity
    from orchestrator.spec import SweepSpec

Modules = Annotated[
    list[Path] | None,
    typer.Option(
        "--module", metavar="PATH", help="A Python file or package of your own; repeatable."
    ),
]


def checked(file: Path, sets: list[str] | None) -> SweepSpec:
    """Read and check the sweep, and plan it as far as the data are here."""
    from orchestrator.plan import make_plan
    from orchestrator.search_path import extend_search_path, search_path
    from orchestrator.spec.loading import load_sweep
    from workers.contracts import DataError

    # A cluster says where its own store is.
    shared = {name: text for name, text in os.environ.items() if name != "PRUNESWEEP_STORE"}
    extend_search_path(search_path(file))
    with redirect_stdout(sys.stderr):
        spec = load_sweep(file, sets or (), shared)
        try:
            make_plan(spec)
        except DataError as error:
            complain(f"not checked here, but on the cluster: {error}")
    return spec


def identity(spec: SweepSpec) -> Identity:
    """Tell the sweep from others on the cluster; a folder here says nothing about one there."""
    from orchestrator.cluster.job import Identity

    return Identity(spec.name, str(spec.store) if "://" in str(spec.store) else "")
