"""Write the whole report into a folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from orchestrator.report import tables
from orchestrator.report.cells import Table
from orchestrator.report.context import ReportContext
from orchestrator.report.latex import latex
from orchestrator.report.page import render
from orchestrator.report.section import section

if TYPE_CHECKING:
    from orchestrator.analysis.analyse import Results
    from orchestrator.robustness.columns import Robustness


def write_report(
    results: Results, context: ReportContext, folder: Path, found: Robustness | None = None
) -> Path:
    """Write report.html, figures/ (PNG, PDF) and tables/ (CSV, LaTeX); return the HTML's path.

    The same results and context give the same bytes. The report of a partial sweep shows what there
    is and says what is not.

    Args:
        results: of the analysis; frames may be empty.
        context: of the sweep.
        folder: is made if it is not there; files of an earlier report are overwritten.
        found: tables on robustness, of which the page shows those that have rows.

    """
    figures, written = folder / "figures", folder / "tables"
    figures.mkdir(parents=True, exist_ok=True)
    written.mkdir(parents=True, exist_ok=True)
    _write_csv(results, context, found, written)
    sections = [
        section(results, context, found, network, stem, figures)
        for network, stem in zip(context.networks, stems(context.networks), strict=True)
    ]
    shortfalls = list(tables.shortfalls(context))
    for one in sections:
        _write_latex(one.all_tables(), written)
    _write_latex(shortfalls, written)
    page = folder / "report.html"
    page.write_text(render(results, context, sections, shortfalls), encoding="utf-8")
    return page


def stems(names: Sequence[str]) -> list[str]:
    """Make file stems of names: all different, and free of what a path could trip over."""
    made: list[str] = []
    for name in names:
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "network"
        made.append(stem if stem not in made else f"{stem}-{len(made) + 1}")
    return made


def _write_csv(
    results: Results, context: ReportContext, found: Robustness | None, folder: Path
) -> None:
    """Write every table whole: all networks, all δ, full precision."""
    frames = {each.name: getattr(results, each.name) for each in fields(results)}
    if found:
        frames |= {each.name: getattr(found, each.name) for each in fields(found)}
    frames["failures"] = pd.DataFrame(context.failures, columns=["chain", "cause"])
    frames["blocked"] = pd.DataFrame(context.blocked, columns=["chain", "waited_for"])
    frames["missing"] = pd.DataFrame(context.missing, columns=["what", "count"])
    for name, frame in frames.items():
        if isinstance(frame, pd.DataFrame):
            frame.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")


def _write_latex(made: Iterable[Table], folder: Path) -> None:
    for table in made:
        if table.rows:
            (folder / f"{table.name}.tex").write_text(latex(table), encoding="utf-8")
