"""``report``, ``verify-results``, ``publish`` and ``ui``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.arguments import (
    File,
    Json,
    Output,
    Sets,
    Uri,
    open_sweep,
    spell,
    sweep_files,
)
from orchestrator.cli.output import complain, fail, show, show_json

if TYPE_CHECKING:
    from orchestrator.analysis import Results
    from orchestrator.report.context import ReportContext
    from orchestrator.sweep import Sweep


def report(file: File, sets: Sets = None, output: Output = None, as_json: Json = False) -> None:
    """Write the report of what a sweep has so far.

    A page of HTML with figures as PDF and PNG, and the tables as CSV and LaTeX.
    """
    sweep = open_sweep(file, sets)
    if not sweep.state().total.cells_cached:
        fail(f"nothing to report yet; begin with: {spell('run', file, sets)}", 1)
    write_report(sweep, output, as_json=as_json)


def verify_results(
    file: File,
    sets: Sets = None,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="SWEEP.YAML",
            help="For robust_training_helps: the same networks, trained nominally.",
            autocompletion=sweep_files,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare a sweep's results with what its file expects.

    Its section 'expect' lists prune potentials, slopes and claims. Exit code 1 if one does not
    hold; what intervals or an unfinished sweep leave open cannot be told.
    """
    from orchestrator.cli.findings import as_records, findings_lines, findings_table, tally
    from orchestrator.expectations import evidence, verify

    sweep = open_sweep(file, sets)
    if not sweep.spec.expect.given:
        fail(f"{file}: expect: missing, expected prune potentials, slopes or claims", 2)
    other = open_sweep(against, None) if against else None
    for one, named, changed in ((sweep, file, sets), (other, against, None)):
        if one and named and not one.state().total.cells_cached:
            fail(f"no results of {named} yet; begin with: {spell('run', named, changed)}", 1)
    found = verify(sweep.spec.expect, evidence(sweep, other))
    if as_json:
        show_json(as_records(found))
    else:
        if sys.stdout.isatty():
            show(findings_table(found))
        else:
            print(*findings_lines(found), sep="\n")
        print(tally(found))
    if any(finding.verdict == "does not hold" for finding in found):
        raise typer.Exit(1)


def publish(file: File, sets: Sets = None, tracking_uri: Uri = None) -> None:
    """Bring MLflow up to date with the store.

    Doing it twice changes nothing.
    """
    from orchestrator.execution.assembly import open_tracker
    from orchestrator.report.answer import answers
    from orchestrator.report.write import write_report as report_to
    from orchestrator.sweep import beyond_accuracy, context, results
    from orchestrator.tracking.location import display
    from orchestrator.tracking.progress import Progress

    sweep = open_sweep(file, sets)
    tracker = open_tracker(sweep, tracking_uri)
    causes = {**sweep.outcome.blocked, **sweep.outcome.failed}
    tracker.publish(progress=Progress(failed=causes, ended=True))
    if sweep.state().total.cells_cached:
        with TemporaryDirectory() as folder:
            found, told = results(sweep), context(sweep)
            report_to(found, told, Path(folder), beyond_accuracy(sweep))
            tracker.log_report(Path(folder), answers(found, told))
    print(f"published {sweep.spec.name} to {display(tracker.uri)}")


def ui(
    file: File,
    sets: Sets = None,
    tracking_uri: Uri = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port, or the next free one.")] = 5000,
) -> None:
    """Open the MLflow UI on this sweep's runs, until Ctrl-C."""
    from orchestrator.tracking.location import SQLITE, artifact_root, resolve_uri
    from orchestrator.tracking.ui import serve_ui

    spec = open_sweep(file, sets).spec
    uri = resolve_uri(tracking_uri, spec)
    if uri.startswith(SQLITE) and not Path(uri.removeprefix(SQLITE)).exists():
        begin = spell("run", file, sets)
        fail(f"there is no {uri.removeprefix(SQLITE)} to show yet; begin with: {begin}", 1)
    experiment = spec.tracking.experiment or spec.name
    serve_ui(uri, artifact_root(uri, spec), experiment, host=host, port=port)


def write_report(
    sweep: Sweep,
    output: Path | None,
    *,
    publish: bool = False,
    publish_to: str | None = None,
    as_json: bool = False,
) -> None:
    """Analyse ``sweep``, write its report to ``output`` and show its summary."""
    from orchestrator.cluster.job_folder import report_folder
    from orchestrator.report.terminal import summary
    from orchestrator.report.write import write_report as report_to
    from orchestrator.sweep import beyond_accuracy, context, results

    folder = output or report_folder(sweep.spec.name, sweep.spec.store)
    found, told = results(sweep), context(sweep)
    page = report_to(found, told, folder, beyond_accuracy(sweep))
    if publish:
        _publish_report(sweep, publish_to, folder, found, told)
    if as_json:
        rows = json.loads(found.summary.to_json(orient="records"))
        show_json({"report": str(page), "summary": rows})
        return
    show(summary(found, told))
    print(f"report: {page}")


def _publish_report(
    sweep: Sweep, uri: str | None, folder: Path, found: Results, told: ReportContext
) -> None:
    from orchestrator.execution.assembly import open_tracker
    from orchestrator.report.answer import answers
    from orchestrator.tracking.location import TrackingError

    try:
        tracker = open_tracker(sweep, uri)
        tracker.log_report(folder, answers(found, told))
    except TrackingError as error:
        complain(
            f"{error}\nthe report is not in MLflow; catch up with: "
            f"{spell('publish', sweep.spec.source, None)}"
        )
