"""``status``: how far a sweep is, here or on a cluster."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.arguments import File, Json, Sets, open_sweep, set_options
from orchestrator.cli.cluster_sweep import Modules, checked, identity
from orchestrator.cli.output import show, show_json

if TYPE_CHECKING:
    from rich.console import RenderableType

    from orchestrator.cli.look import Look

SECONDS, CHAINS = 2.0, 200
"""Between two looks; of a sweep of more chains proportionally longer, as each look costs more."""


def status(
    file: File,
    sets: Sets = None,
    as_json: Json = False,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Keep showing it until it ends; with --json a line a look."),
    ] = False,
    seconds: Annotated[
        float | None, typer.Option("--for", hidden=True, help="Watch for so long instead.")
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Ask a cluster: its dashboard, http://head:8265. It counts there."
        ),
    ] = None,
    module: Modules = None,
) -> None:
    """Show how far a sweep is, what failed and why.

    With --address it is counted in the cluster's store, and its driver's progress and last lines
    are shown too.
    """
    looks = _there(address, file, sets, module or []) if address else _here(file, sets)
    with closing(looks):
        if watch:
            _watch(_until(looks, seconds), as_json, address)
        elif as_json:
            show_json(asdict(next(looks)))
        else:
            show(_table(next(looks), address))


def _here(file: Path, sets: list[str] | None) -> Generator[Look]:
    from orchestrator.cli.look import look_at
    from orchestrator.cluster.job_folder import expect_lasting

    sweep = open_sweep(file, sets)
    expect_lasting(sweep.spec.store)
    while True:
        yield look_at(sweep)


def _there(
    address: str, file: Path, sets: list[str] | None, modules: list[Path]
) -> Generator[Look]:
    from orchestrator.cli.cluster_look import cluster_looks
    from orchestrator.cluster.counting import Counting
    from orchestrator.cluster.jobs import Jobs
    from orchestrator.cluster.shipment import pack

    spec = checked(file, sets)
    with TemporaryDirectory() as folder:
        shipment = pack(spec, modules, Path(folder))
        jobs = Jobs(address)
        counting = Counting(jobs, shipment, set_options(sets))
        with closing(cluster_looks(jobs, identity(spec), counting)) as looks:
            yield from looks


def _until(looks: Iterator[Look], seconds: float | None) -> Iterator[Look]:
    """Yield looks until the sweep is over, or for so long."""
    start = time.monotonic()
    for look in looks:
        yield look
        if look.over if seconds is None else time.monotonic() - start >= seconds:
            return
        time.sleep(SECONDS * max(1.0, len(look.chains) / CHAINS))


def _watch(looks: Iterator[Look], as_json: bool, address: str | None) -> None:
    """Show every look as a line of JSON, or every change: in place on a terminal."""
    from rich.console import Console
    from rich.live import Live

    if as_json:
        for look in looks:
            print(json.dumps(asdict(look)), flush=True)
    elif not Console().is_terminal:
        before = None
        for look in looks:
            if look != before:
                show(_table(look, address))
            before = look
    else:
        with Live(console=Console(highlight=False), auto_refresh=False) as live:
            for look in looks:
                live.update(_table(look, address), refresh=True)


def _table(look: Look, address: str | None) -> RenderableType:
    """Lay out what is unfinished and the counts; of a cluster also where, and the driver."""
    from rich.console import Group
    from rich.text import Text

    from orchestrator.cli import tables

    table = tables.status_table(look)
    if not address:
        return table
    where = Text(f"counted on the cluster, in {look.store}", "dim")
    if (job := look.job) is None:
        return Group(table, where, Text("no job of this sweep"))
    told = ", ".join(filter(None, [job.status.lower(), job.progress]))
    failed = f": {job.message}" if job.status == "FAILED" else ""
    lines = (Text(line, "dim") for line in job.lines)
    return Group(table, where, Text(f"job {job.id}: {told}{failed}"), *lines)
