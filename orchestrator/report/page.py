"""The HTML page: one self-contained file that needs neither network nor script."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from orchestrator.report import numbers
from orchestrator.report.answer import intervals_note
from orchestrator.report.cells import Table
from orchestrator.report.context import ReportContext
from orchestrator.report.section import Section
from orchestrator.report.tables import setting_text

if TYPE_CHECKING:
    from orchestrator.analysis.analyse import Results

HERE = Path(__file__).parent


def render(
    results: Results,
    context: ReportContext,
    sections: Sequence[Section],
    shortfalls: Sequence[Table],
) -> str:
    """Fill the template; everything but the page's own style and figures is escaped."""
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        duration=numbers.duration,
        points=numbers.points,
        initial=lambda text: text[:1].upper() + text[1:],
    )
    return environment.get_template("page.html").render(
        context=context,
        sections=sections,
        shortfalls=shortfalls,
        setting=setting_text(context.delta, context.rule),
        note=intervals_note(results, context),
        counts=[
            numbers.count(context.counts.networks, "network"),
            numbers.count(context.counts.cells, "evaluation"),
            numbers.count(context.counts.epochs, "epoch"),
            f"{numbers.duration(context.counts.seconds)} of training",
        ],
        css=Markup((HERE / "page.css").read_text(encoding="utf-8")),
    )
