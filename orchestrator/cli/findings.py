"""What ``verify-results`` shows: a table of findings, a line for each, or records for scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestrator.analysis.claims import CLAIMS

if TYPE_CHECKING:
    from orchestrator.analysis.estimates import Verdict
    from orchestrator.analysis.evidence import Finding

STYLES: dict[Verdict, str] = {"does not hold": "red", "cannot be told": "yellow", "holds": "green"}
COLUMNS = ("method", "verdict", "in %")


def findings_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """Write a line for each, what does not hold first, then what cannot be told.

    The network and the schedule are named where there are several.
    """
    networks, schedules = (_several(findings, field) for field in ("network", "schedule"))
    for finding in sorted(findings, key=lambda finding: list(STYLES).index(finding.verdict)):
        about = finding.about
        parts = (about.network * networks, about.method, about.schedule * schedules)
        where = " ".join(filter(None, parts))
        words = (where, _words(finding), finding.numbers)
        yield f"{finding.verdict:<14} {': '.join(filter(None, words))}"


def findings_table(findings: Sequence[Finding]) -> RenderableType:
    """Make a table for each network and schedule; the schedule is named where there are several."""
    several = _several(findings, "schedule")
    tables = []
    places = dict.fromkeys((one.about.network, one.about.schedule) for one in findings)
    for network, schedule in places:
        title = f"{network or 'no network'} {schedule * several}".strip()
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for column in (title, *COLUMNS):
            wraps = column == COLUMNS[-1]
            table.add_column(Text(column), no_wrap=not wraps, overflow="fold")
        for finding in findings:
            if (finding.about.network, finding.about.schedule) == (network, schedule):
                table.add_row(*_cells(finding))
        tables.append(table)
    return Group(*tables)


def _several(findings: Sequence[Finding], field: str) -> bool:
    return len({getattr(finding.about, field) for finding in findings} - {""}) > 1


def _words(finding: Finding) -> str:
    return finding.expected.replace("_", " ") if finding.expected in CLAIMS else finding.expected


def _cells(finding: Finding) -> Iterator[Text]:
    yield Text(_words(finding))
    yield Text(finding.about.method or "all")
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
    failed, untold, held = (counts[verdict] for verdict in STYLES)
    hold, do = "holds" if held == 1 else "hold", "does" if failed == 1 else "do"
    return f"{held} {hold}, {failed} {do} not hold, {untold} cannot be told"
