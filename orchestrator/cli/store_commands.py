"""``verify`` and ``gc``: the care of a store."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.arguments import File, Files, Json, Sets, open_sweep, spell
from orchestrator.cli.output import fail, show, show_json

if TYPE_CHECKING:
    from orchestrator.store.verify import Progress
    from orchestrator.sweep import Sweep


def verify(
    file: File,
    sets: Sets = None,
    remove: Annotated[
        bool, typer.Option("--remove", help="Discard what is damaged; a run makes it anew.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check every byte of a sweep's store against its checksums."""
    from orchestrator.cli import tables
    from orchestrator.store.verify import remove_damaged
    from orchestrator.store.verify import verify as check

    store = open_sweep(file, sets).store
    keys = sorted(store.keys())
    with _progress() as progress:
        damages = check(store, keys, progress)
    removed = remove_damaged(store, damages) if remove else []
    if as_json:
        told = {"objects": len(keys), "damaged": [vars(damage) for damage in damages]}
        show_json({**told, "removed": removed})
    else:
        show(tables.damage_table(damages))
        count = len({damage.key for damage in damages})
        print(f"{count:,} damaged of {len(keys):,} objects in {store.location}")
    if removed and not as_json:
        print(f"removed {len(removed):,}; make them anew with: {spell('run', file, sets)}")
    elif damages and not remove:
        again = spell("verify", file, sets, "--remove")
        fail(f"discard them with: {again}\nand make them anew with: {spell('run', file, sets)}", 1)


def gc(
    files: Files,
    sets: Sets = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete it, rather than only list it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List, or delete, what none of these sweeps needs.

    They must share one store; name all the sweeps whose results are to stay, running ones too. Of
    others, only what is being worked on at this moment is left alone.
    """
    from orchestrator.cli import tables
    from orchestrator.store.verify import collect_garbage, plan_gc

    sweeps = [_open_apart(file, sets) for file in files]
    if len({str(sweep.spec.store) for sweep in sweeps}) > 1:
        fail("the sweeps have different stores; collect each store by itself", 2)
    keep = frozenset().union(*(sweep.plan.keys for sweep in sweeps))
    garbage = plan_gc(sweeps[0].store, keep)
    freed = collect_garbage(sweeps[0].store, garbage) if delete else 0
    if as_json:
        show_json({"garbage": [vars(piece) for piece in garbage], "freed": freed})
        return
    if not garbage:
        print(f"nothing to delete in {sweeps[0].spec.store}")
        return
    show(tables.garbage_table(garbage))
    if delete:
        print(f"deleted {tables.size(freed)} from {sweeps[0].spec.store}")
    else:
        print("nothing was deleted; --delete does it")


def _open_apart(file: Path, sets: list[str] | None) -> Sweep:
    """Open a sweep whose plug-ins are not taken for those of another, in another folder."""
    from orchestrator.search_path import forgotten, search_path

    with forgotten(search_path(file)):
        return open_sweep(file, sets)


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """Show a bar on a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("verifying")
        yield lambda done, total: bar.update(task, completed=done, total=total)
