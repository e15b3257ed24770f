"""The command line as a whole: its commands, and how it ends.

Exit codes: 0 done, 1 something of the sweep failed or is damaged, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated, Any, NoReturn

import typer

from orchestrator.cli.catalogue_commands import CATALOGUES, schema
from orchestrator.cli.cluster_commands import logs, stop, submit
from orchestrator.cli.doctor_command import doctor
from orchestrator.cli.model_commands import models
from orchestrator.cli.output import complain
from orchestrator.cli.result_commands import publish, report, ui, verify_results
from orchestrator.cli.status_command import status
from orchestrator.cli.store_commands import gc, verify
from orchestrator.cli.sweep_commands import plan, run

app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS = (
    *(plan, run, status, report, verify_results, publish, ui, verify, gc),
    *(submit, logs, stop, doctor),
    *CATALOGUES,
    schema,
)
for _command in COMMANDS:
    app.command()(_command)
app.add_typer(models, name="models")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; a user's mistake is one message and exit code 2, never a traceback."""
    signal.signal(signal.SIGTERM, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # δ on a terminal that knows only ASCII
            stream.reconfigure(errors="replace")
    sys.exit(_run(sys.argv[1:] if arguments is None else list(arguments)))


def _version(wanted: bool) -> None:
    if wanted:
        print(f"prunesweep {version('prunesweep')}")
        raise typer.Exit


@app.callback()
def _prunesweep(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_version, is_eager=True
        ),
    ] = False,
) -> None:
    """How far can a network be pruned before it fails on the conditions you care about?"""


def _run(arguments: list[str]) -> int:
    try:
        code = app(arguments or ["--help"], prog_name="prunesweep", standalone_mode=False)
        print(end="", flush=True)
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        _let_go()
        return 1
    except typer.Abort:
        return 130
    except typer.TyperException as error:
        complain(_usage(error))
        return 2
    except Exception as error:
        if (expected := _code(error)) is None:
            raise
        complain(str(error))
        return expected
    return code or 0


def _let_go() -> None:
    """Drop what cannot be written any more, or Python would complain about it at its own end."""
    try:
        print(end="", flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _usage(error: typer.TyperException) -> str:
    """Word a mistake in the command line, and where to look."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "prunesweep"
    message = getattr(error, "format_message", error.__str__)().replace("Value error, ", "")
    stop = "" if message.endswith((".", "?")) else "."
    return f"{command}: {message}{stop} See '{command} --help'."


def _code(error: Exception) -> int | None:
    """Return the exit code of an error that is for the user to mend, None for one of ours."""
    from orchestrator.cluster.errors import ClusterError
    from orchestrator.execution.resources import ResourcesError
    from orchestrator.spec.mistakes import SweepError
    from orchestrator.store import DamagedObjectError, StoreError
    from orchestrator.tracking.location import TrackingError
    from workers.contracts import PermanentError
    from workers.registry import UnknownPlugInError

    if isinstance(error, DamagedObjectError):
        return 1
    bad_input = (
        ClusterError,
        PermanentError,
        ResourcesError,
        StoreError,
        SweepError,
        TrackingError,
        UnknownPlugInError,
    )
    return 2 if isinstance(error, bad_input) else None


def _interrupt(signum: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt
