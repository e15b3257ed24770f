"""What a command writes: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType


def show(renderable: RenderableType) -> None:
    """Print a table; where there is no terminal, plain, in 80 columns, without trailing spaces."""
    from rich.console import Console

    console = Console(highlight=False)
    if console.is_terminal:
        console.print(renderable)
        return
    with console.capture() as captured:
        console.print(renderable)
    for line in captured.get().splitlines():
        print(line.rstrip())


def show_json(value: Any) -> None:
    """Print ``value`` as JSON."""
    print(json.dumps(value, indent=2, default=str))


def complain(message: str) -> None:
    """Print a message that is no result."""
    print(message, file=sys.stderr)


def fail(message: str, code: int) -> NoReturn:
    """End the command with a message and an exit code.

    Raises:
        typer.Exit: always.

    """
    complain(message)
    raise typer.Exit(code)
