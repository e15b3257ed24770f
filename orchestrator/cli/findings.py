"""What ``verify-results`` shows: a table of findings, or records for scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from orchestrator.analysis.estimates import Verdict
    from orchestrator.analysis.evidence import Finding

STYLES: dict[Verdict, str] = {"holds": "green", "does not hold": "red", "cannot be told": "yellow"}
COLUMNS = ("method", "verdict", "in %")


def findings_table(findings: Sequence[Finding]) -> RenderableType:
    """Make a table for each network; the schedule is named where there are several."""
    several = len({finding.about.schedule for finding in findings} - {""}) > 1
    tables = []
    for network in dict.fromkeys(finding.about.network for finding in findings):
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for column in (network or "no network", *COLUMNS):
            wraps = column == COLUMNS[-1]
            table.add_column(Text(column), no_wrap=not wraps, overflow="fold")
        for finding in findings:
            if finding.about.network == network:
                table.add_row(*_cells(finding, several))
        tables.append(table)
    return Group(*tables)


def _cells(finding: Finding, several: bool) -> Iterator[Text]:
    method = finding.about.method or "all"
    yield Text(finding.expected)
    yield Text(f"{method} {finding.about.schedule}" if several else method)
    yield Text(finding.verdict, style=STYLES[finding.verdict])
    yield Text(finding.numbers)


def as_records(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return the findings as plain data."""
    return [
        {
            "expected": finding.expected,
            **asdict(finding.about),
            "verdict": finding.verdict,
            "numbers": finding.numbers,
        }
        for finding in findings
    ]


def tally(findings: Sequence[Finding]) -> str:
    """Count the verdicts: ``3 hold, 1 does not hold, 2 cannot be told``."""
    counts = Counter(finding.verdict for finding in findings)
    held, failed, untold = (counts[verdict] for verdict in STYLES)
    hold, do = "holds" if held == 1 else "hold", "does" if failed == 1 else "do"
    return f"{held} {hold}, {failed} {do} not hold, {untold} cannot be told"
