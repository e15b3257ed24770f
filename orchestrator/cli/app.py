"""The ``prunesweep`` commands: thin, and each imports what it needs when it runs.

Exit codes: 0 done, 1 something of the sweep failed or is damaged, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from orchestrator.sweep import Sweep

app = typer.Typer(
    name="prunesweep",
    help="How far can this network be pruned, and by which method, before it fails on your tasks?",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

File = Annotated[Path, typer.Argument(metavar="SWEEP.YAML", help="the sweep file")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="override a key, e.g. seeds=[0,1]; repeatable"),
]
Json = Annotated[bool, typer.Option("--json", help="print JSON for scripts")]
Folder = Annotated[
    Path | None, typer.Option("--output", metavar="FOLDER", help="default: reports/<sweep name>")
]
Uri = Annotated[str | None, typer.Option("--tracking-uri", help="MLflow tracking URI")]


class ExecutorName(StrEnum):
    """Where the chains run."""

    ray = "ray"
    local = "local"


def main() -> None:
    """Run the command line; a user's mistake is one message and exit code 2, never a traceback."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        app()
    except KeyboardInterrupt:
        _fail("interrupted; what was committed is kept", 130)
    except Exception as error:
        if not _is_mendable(error):
            raise
        _fail(str(error), 2)


@app.command()
def plan(
    file: File,
    sets: Sets = None,
    as_json: Json = False,
    estimate: Annotated[bool, typer.Option(help="estimate time and disk")] = True,
) -> None:
    """Show what a sweep asks for, what of it is cached, and what the rest costs."""
    from orchestrator.cli import tables
    from orchestrator.plan.estimate import naive_epochs

    sweep = _open(file, sets)
    state = sweep.state()
    judged = _estimate(sweep, state) if estimate else None
    if as_json:
        _print_json(
            {
                "sweep": sweep.spec.name,
                "counts": tables.plan_counts(sweep.plan, state, sweep.outcome),
                "naive_epochs": naive_epochs(sweep.plan),
                "estimate": vars(judged) if judged else None,
                "chains": {chain.name: list(chain.networks) for chain in sweep.plan.chains},
            }
        )
        return
    _print(tables.plan_table(sweep.plan, state, sweep.outcome, judged))


@app.command()
def run(
    file: File,
    sets: Sets = None,
    executor: Annotated[ExecutorName, typer.Option(help="where the chains run")] = ExecutorName.ray,
    tracking_uri: Uri = None,
    output: Folder = None,
    report: Annotated[bool, typer.Option(help="write the report at the end")] = True,
) -> None:
    """Do what is missing of a sweep; run it again to resume, or after adding to the file."""
    from orchestrator.execution.driver import drive

    sweep = _open(file, sets)
    try:
        outcome = drive(sweep, executor.value, tracking_uri)
    except KeyboardInterrupt:
        _fail(f"interrupted; what was committed is kept.\nResume with: {_again(file, sets)}", 130)
    if report:
        _report(sweep, output, tracking_uri, publish=True)
    if outcome.failed:
        _fail(f"{len(outcome.failed)} chains failed; try them again with: {_again(file, sets)}", 1)


@app.command()
def status(file: File, sets: Sets = None, as_json: Json = False) -> None:
    """Show how far a sweep is, what failed and why."""
    from orchestrator.cli import tables

    sweep = _open(file, sets)
    state = sweep.state()
    if as_json:
        chains = {s.chain.name: tables.chain_state(s, sweep.outcome) for s in state.chains}
        _print_json({"sweep": sweep.spec.name, "chains": chains, "failed": sweep.outcome.failed})
        return
    _print(tables.status_table(state, sweep.outcome))


@app.command()
def report(file: File, sets: Sets = None, output: Folder = None, as_json: Json = False) -> None:
    """Write the report of what a sweep has so far: HTML, figures, tables."""
    _report(_open(file, sets), output, None, publish=False, as_json=as_json)


@app.command()
def publish(file: File, sets: Sets = None, tracking_uri: Uri = None) -> None:
    """Bring MLflow up to date with the store; doing it twice changes nothing."""
    from orchestrator.execution.driver import open_tracker
    from orchestrator.tracking.location import display
    from orchestrator.tracking.tracker import Progress

    sweep = _open(file, sets)
    tracker = open_tracker(sweep, tracking_uri)
    causes = {**sweep.outcome.blocked, **sweep.outcome.failed}
    tracker.publish(progress=Progress(failed=causes, ended=True))
    folder = Path("reports") / sweep.spec.name
    if folder.is_dir():
        tracker.log_report(folder)
    print(f"published {sweep.spec.name} to {display(tracker.uri)}")


@app.command()
def ui(
    file: File,
    sets: Sets = None,
    tracking_uri: Uri = None,
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port; the next free one if taken")] = 5000,
) -> None:
    """Open the MLflow UI on this sweep's tracking store."""
    from orchestrator.tracking.location import artifact_root, resolve_uri
    from orchestrator.tracking.ui import serve_ui

    spec = _open(file, sets).spec
    uri = resolve_uri(tracking_uri, spec)
    experiment = spec.tracking.experiment or spec.name
    serve_ui(uri, artifact_root(uri, spec), experiment, host=host, port=port)


@app.command()
def verify(
    file: File,
    sets: Sets = None,
    remove: Annotated[bool, typer.Option("--remove", help="discard what is damaged")] = False,
    as_json: Json = False,
) -> None:
    """Check every byte of a sweep's store against its checksums."""
    from orchestrator.store.verify import remove_damaged
    from orchestrator.store.verify import verify as check

    sweep = _open(file, sets)
    damages = check(sweep.store)
    if as_json:
        _print_json([vars(damage) for damage in damages])
    else:
        for damage in damages:
            print(damage)
        print(f"{len(damages)} damaged objects in {sweep.spec.store}")
    if damages and remove:
        remove_damaged(sweep.store, damages)
        print("removed them; run the sweep again to make them anew")
    elif damages:
        _fail("discard them with --remove, then run the sweep again", 1)


@app.command()
def gc(
    files: Annotated[list[Path], typer.Argument(metavar="SWEEP.YAML...", help="sweeps to keep")],
    sets: Sets = None,
    delete: Annotated[bool, typer.Option("--delete", help="delete, not only list")] = False,
    as_json: Json = False,
) -> None:
    """List (and with --delete remove) what no given sweep refers to; all must share one store."""
    from orchestrator.cli.tables import size
    from orchestrator.store.verify import collect_garbage, plan_gc

    sweeps = [_open(file, sets) for file in files]
    if len({str(sweep.spec.store) for sweep in sweeps}) > 1:
        _fail("the sweeps have different stores; collect each store by itself", 2)
    keep = {key for sweep in sweeps for chain in sweep.plan.chains for key in chain.networks}
    garbage = plan_gc(sweeps[0].store, keep)
    if as_json:
        _print_json([vars(piece) for piece in garbage])
    else:
        for piece in garbage:
            print(f"{size(piece.bytes):>9}  {piece.key}  {piece.reason}")
        print(f"{len(garbage)} pieces, {size(sum(piece.bytes for piece in garbage))}")
    if delete:
        collect_garbage(sweeps[0].store, garbage)
        print("deleted")
    elif garbage and not as_json:
        print("nothing deleted; --delete does it")


@app.command()
def schema() -> None:
    """Print the JSON Schema of sweep.yaml, for editors."""
    from orchestrator.spec.schema import json_schema

    _print_json(json_schema())


def _catalogue(kind: str) -> Callable[[bool], None]:
    def command(as_json: Json = False) -> None:
        from orchestrator.cli.catalogue import entries, table

        found = entries(kind)
        if as_json:
            _print_json(found)
        else:
            _print(table(found))

    return command


for _kind in ("models", "methods", "tasks", "data"):
    app.command(_kind, help=f"List the {_kind} that a sweep can name, with their options.")(
        _catalogue(_kind)
    )


def _open(file: Path, sets: list[str] | None) -> Sweep:
    from orchestrator.sweep import open_sweep

    return open_sweep(file, sets or ())


def _estimate(sweep: Sweep, state: Any) -> Any:
    from orchestrator.execution.driver import prober, workers_of
    from orchestrator.plan.estimate import estimate

    return estimate(sweep.plan, state, sweep.store, prober(sweep), workers_of(sweep))


def _report(
    sweep: Sweep, output: Path | None, uri: str | None, *, publish: bool, as_json: bool = False
) -> None:
    from orchestrator.report.terminal import summary
    from orchestrator.report.write import write_report
    from orchestrator.sweep import context, results

    folder = output or Path("reports") / sweep.spec.name
    found, told = results(sweep), context(sweep)
    page = write_report(found, told, folder)
    if publish:
        _publish_report(sweep, uri, folder)
    if as_json:
        _print_json(
            {"report": str(page), "summary": json.loads(found.summary.to_json(orient="records"))}
        )
        return
    _print(summary(found, told))
    print(f"report: {page}")
    print(f"MLflow: prunesweep ui {sweep.spec.source}")


def _publish_report(sweep: Sweep, uri: str | None, folder: Path) -> None:
    from orchestrator.execution.driver import open_tracker
    from orchestrator.tracking.location import TrackingError

    try:
        open_tracker(sweep, uri).log_report(folder)
    except TrackingError as error:
        again = f"prunesweep publish {sweep.spec.source}"
        print(f"{error}\nthe report is not in MLflow; catch up with: {again}", file=sys.stderr)


def _again(file: Path, sets: list[str] | None) -> str:
    return " ".join(["prunesweep run", str(file), *(f"--set '{pair}'" for pair in sets or ())])


def _print(renderable: RenderableType) -> None:
    from rich.console import Console

    Console(soft_wrap=not sys.stdout.isatty()).print(renderable)


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, default=str))


def _is_mendable(error: Exception) -> bool:
    """Tell whether ``error`` is for the user to mend, with a message that says how."""
    from orchestrator.execution.resources import ResourcesError
    from orchestrator.spec.mistakes import SweepError
    from orchestrator.store import StoreError
    from orchestrator.tracking.location import TrackingError
    from workers.contracts import DataError
    from workers.registry import UnknownPlugInError

    mendable = (
        DataError,
        ResourcesError,
        StoreError,
        SweepError,
        TrackingError,
        UnknownPlugInError,
    )
    return isinstance(error, mendable)


def _fail(message: str, code: int) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(code)


def _interrupt(signum: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt
