"""``models`` and ``models check``: which networks there are, and whether one can be pruned."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.arguments import Json
from orchestrator.cli.output import complain, show, show_json

if TYPE_CHECKING:
    from workers.contracts import Component
    from workers.pruning.check import Checked

models = typer.Typer(invoke_without_command=True)

Name = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="As in a sweep file: resnet20, package.module:factory, '{resnet20: {width: 32}}'.",
    ),
]


@models.callback()
def list_models(context: typer.Context, as_json: Json = False) -> None:
    """List the models that a sweep can name; or check one."""
    if context.invoked_subcommand is None:
        from orchestrator.cli.catalogue import entries, table

        found = entries("models")
        show_json(found) if as_json else show(table(found))


@models.command()
def check(
    model: Name,
    channels: Annotated[int, typer.Option(min=1, help="Channels of the images.")] = 3,
    size: Annotated[int, typer.Option(min=1, help="Their height and width in pixels.")] = 32,
    classes: Annotated[int, typer.Option(min=2, help="Classes to tell apart.")] = 10,
    as_json: Json = False,
) -> None:
    """Tell whether every method can prune a model, and if not, why; needs no data."""
    from dataclasses import asdict

    from orchestrator.search_path import extend_search_path, no_bytecode

    extend_search_path((str(Path.cwd()),))
    with no_bytecode():
        component = _component(model)
        if sys.stderr.isatty():
            complain(f"pruning {model} by half with every method …")
        from workers.pruning.check import check_model

        checked = check_model(component, channels=channels, classes=classes, size=size)
    if as_json:
        show_json(asdict(checked))
    else:
        _show(checked)
    if any(method.error for method in checked.methods):
        raise typer.Exit(1)


def _component(written: str) -> Component:
    """Read a model as a sweep file writes it.

    Raises:
        SweepError: there is no such model, or an option is wrong.

    """
    import yaml
    from pydantic import ValidationError

    from orchestrator.spec.components import read
    from orchestrator.spec.mistakes import SweepError, findings
    from workers.registry import MODELS

    try:
        # A name such as nets:small is a string, though YAML would take "nets: small" apart.
        value: Any = yaml.safe_load(written) if written.startswith("{") else written
        (component,) = read(MODELS, value, expand=False)
    except yaml.YAMLError as error:
        raise SweepError(f"{written}: not valid YAML") from error
    except ValidationError as error:
        raise SweepError(*(what for _, what in findings(error))) from error
    return component


def _show(checked: Checked) -> None:
    from rich.table import Table

    print(
        f"{checked.parameters:,} parameters, {checked.prunable:,} of them in {checked.layers} "
        f"prunable layers; {checked.macs / 1e6:,.1f} million multiply-accumulates per image"
    )
    for skipped in checked.skipped:
        print(f"never pruned: {skipped.parameters:,} in {skipped.kind} ({_few(skipped.names)})")
    if checked.uncalled:
        print(f"never called as a layer when evaluated: {_few(checked.uncalled)}")
    if checked.dead:
        print(f"never learn, no gradient reaches them: {_few(checked.dead)}")
    rows = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("method", "prunes it"):
        rows.add_column(heading, overflow="fold")
    for method in checked.methods:
        rows.add_row(method.method, f"no: {method.error}" if method.error else "yes")
    show(rows)


def _few(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
