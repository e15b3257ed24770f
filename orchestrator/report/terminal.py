"""The short version of the report, for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestrator.report import tables
from orchestrator.report.context import ReportContext
from orchestrator.report.numbers import interval, percent, points

if TYPE_CHECKING:
    from orchestrator.analysis.analyse import Results

HEADER = ("method", "train mean", "test mean", "test min", "worst task", "slope")


def summary(results: Results, context: ReportContext) -> RenderableType:
    """Make one table per network, and one line per failure or gap.

    Potentials and their intervals are in percent; slopes of the excess error in percentage points,
    from dense to wholly pruned. Names are never read as markup.
    """
    shown = [_table(results, context, network) for network in context.networks]
    return Group(*shown, *_lines(context))


def _table(results: Results, context: ReportContext, network: str) -> Table:
    setting = (context.delta, context.rule)
    margin = f"δ = {points(context.delta)}"
    table = Table(
        title=Text(f"{network}: prune potential in %, {margin}", style="bold"),
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for place, name in enumerate(HEADER):
        text = name in ("method", "worst task")
        table.add_column(name, no_wrap=not text, overflow="fold", min_width=4 if place else None)
    slopes = {row[0]: row[1] for row in tables.slopes(results, context, network, "").rows}
    for row in tables.overview(results, context, network, setting, "").rows:
        table.add_row(*(Text(cell) for cell in _cells(row, slopes.get(row[0]))))
    if not table.rows:
        table.add_row(*(Text(cell) for cell in ("nothing yet", *("",) * 5)))
    return table


def _cells(row: tuple[tables.Cell, ...], slope: tables.Cell | None) -> Iterator[str]:
    label, train, test, _, lowest, worst = row
    yield str(label)
    yield _whole(train)
    yield _whole(test)
    yield _whole(lowest).partition(" ")[0]
    yield str(worst)
    yield slope.text if isinstance(slope, tables.Number) else ""


def _whole(cell: tables.Cell) -> str:
    if isinstance(cell, str):
        return cell
    return f"{percent(cell.value, 0)} {interval(cell.low, cell.high, 0)}".strip()


def _lines(context: ReportContext) -> Iterator[Text]:
    for chain, cause in context.failures:
        yield Text.assemble(("failed ", "red"), f"{chain}: {' '.join(cause.split())}")
    for chain, waited in context.blocked:
        yield Text.assemble(("blocked ", "yellow"), f"{chain} waited for {waited}")
    for what, number in context.missing:
        yield Text.assemble(("missing ", "yellow"), f"{number:,} {what}")
    for miss in context.ratio_misses:
        wanted, got = percent(miss.requested), percent(miss.achieved)
        yield Text.assemble(("ratio missed ", "yellow"), f"{miss.network}: {got} % for {wanted} %")
