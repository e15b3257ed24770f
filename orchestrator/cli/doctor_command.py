"""``doctor``: whether this machine, or every node of a cluster, is fit for a sweep."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.arguments import Json, Sets, sweep_files
from orchestrator.cli.output import show, show_json

if TYPE_CHECKING:
    from rich.console import RenderableType

    from orchestrator.cluster.doctor.finding import Node


def doctor(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="SWEEP.YAML", help="What to be fit for.", autocompletion=sweep_files
        ),
    ] = None,
    sets: Sets = None,
    address: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Examine a cluster: its dashboard, http://head:8265."),
    ] = None,
    module: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="A Python file or package of your own; repeatable."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check this machine or a cluster, and say what to do.

    Versions, CPUs, GPUs, room, the store, data, MLflow, clocks and ports, of a cluster on every
    node. What is written to the store is removed. Exit code 1: a sweep could not run like this.
    """
    from orchestrator.cluster.doctor.finding import complaints, worst

    with redirect_stdout(sys.stderr):  # plug-ins may print
        if address:
            nodes = _cluster(address, file, sets or (), module or ())
        else:
            nodes = _here(file, sets or ())
    failed = worst(finding for node in nodes for finding in node.findings) == "fail"
    if as_json:
        show_json({"fit": not failed, "nodes": list(map(_plain, nodes))})
    else:
        show(_table(nodes))
        for line in complaints(nodes):
            print(f"\n{line}")
    if failed:
        raise typer.Exit(1)


def _here(file: Path | None, sets: Sequence[str]) -> list[Node]:
    from orchestrator.cluster.doctor.finding import Node
    from orchestrator.cluster.doctor.local import examine_here
    from orchestrator.cluster.doctor.subject import subject_of

    return [Node("this machine", tuple(examine_here(subject_of(file, sets))))]


def _cluster(
    address: str, file: Path | None, sets: Sequence[str], modules: Sequence[Path]
) -> list[Node]:
    from orchestrator.cluster.doctor.remote import examine_cluster
    from orchestrator.search_path import extend_search_path, search_path
    from orchestrator.spec.loading import load_sweep

    spec = None
    if file:
        extend_search_path(search_path(file))
        spec = load_sweep(file, sets)
    return examine_cluster(address, spec, sets, modules)


def _plain(node: Node) -> dict[str, object]:
    return {"node": node.name, "checks": [vars(finding) for finding in node.findings]}


def _table(nodes: Sequence[Node]) -> RenderableType:
    """Lay out every finding of one machine, or of several the worst of each check."""
    from rich.table import Table
    from rich.text import Text

    from orchestrator.cluster.doctor.finding import CHECKS

    alone = len(nodes) == 1
    space = (0, 2 if alone else 1, 0, 0)
    table = Table(box=None, pad_edge=False, padding=space, header_style="bold")
    if alone:
        for name in ("check", "state", "found"):
            table.add_column(name, overflow="fold")
        for one in sorted(nodes[0].findings, key=lambda finding: CHECKS.index(finding.check)):
            table.add_row(one.check, _state(one.level), Text(one.found))
    else:
        table.add_column("node", overflow="fold")
        for name in CHECKS:
            table.add_column(name, no_wrap=True)
        for node in nodes:
            table.add_row(Text(node.name), *(_state(node.level(check)) for check in CHECKS))
    return table


def _state(level: str | None) -> RenderableType:
    from rich.text import Text

    return Text(level or "", {"warn": "yellow", "fail": "red"}.get(level or "", ""))
