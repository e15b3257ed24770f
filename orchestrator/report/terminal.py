"""The short version of the report, for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestrator.report import tables
from orchestrator.report.cells import Cell, Number
from orchestrator.report.context import ReportContext
from orchestrator.report.numbers import count, interval, percent, points

if TYPE_CHECKING:
    from orchestrator.analysis.analyse import Results

HEADER = ("method", "train mean", "test mean", "test min", "worst task", "slope")
FAILURES = 10


def summary(results: Results, context: ReportContext) -> RenderableType:
    """Make one table per network, a line for each of the first failures and each kind of gap.

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
    for name in HEADER:
        text = name in ("method", "worst task")
        table.add_column(
            name, justify="left" if text else "right", no_wrap=not text, overflow="fold"
        )
    slopes = {row[0]: row[1] for row in tables.slopes(results, context, network, "").rows}
    for row in tables.overview(results, context, network, setting, "").rows:
        table.add_row(*(Text(cell) for cell in _cells(row, slopes.get(row[0]))))
    if not table.rows:
        table.add_row(*(Text(cell) for cell in ("nothing yet", *("",) * 5)))
    return table


def _cells(row: tuple[Cell, ...], slope: Cell | None) -> Iterator[str]:
    label, train, test, _, lowest, worst = row
    yield str(label)
    yield _whole(train)
    yield _whole(test)
    yield _whole(lowest).partition(" ")[0]
    yield str(worst).partition(" (+")[0]
    yield slope.text if isinstance(slope, Number) else ""


def _whole(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    return f"{percent(cell.value, 0)} {interval(cell.low, cell.high, 0)}".strip()


def _lines(context: ReportContext) -> Iterator[Text]:
    for chain, cause in context.failures[:FAILURES]:
        yield _line("failed", f"{chain}: {' '.join(cause.split())}", "red")
    if (more := len(context.failures) - FAILURES) > 0:
        yield _line("failed", f"and {count(more, 'more chain')}; see the report", "red")
    if context.blocked:
        chains = count(len(context.blocked), "chain")
        yield _line("blocked", f"{chains} that waited for a failed one")
    if context.missing:
        yield _line("missing", ", ".join(f"{number:,} {what}" for what, number in context.missing))
    if misses := context.ratio_misses:
        furthest = max(abs(miss.requested - miss.achieved) for miss in misses)
        networks, by = count(len(misses), "network"), f"{100 * furthest:.1f} points"
        yield _line("ratios", f"{networks} missed theirs by up to {by}; see the report")


def _line(word: str, what: str, style: str = "yellow") -> Text:
    return Text.assemble((f"{word}: ", style), what)
