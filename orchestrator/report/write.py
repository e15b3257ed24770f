"""Write the whole report into a folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from orchestrator.report import bars, curves, excess, tables
from orchestrator.report.answer import answer
from orchestrator.report.canvas import style
from orchestrator.report.context import ReportContext
from orchestrator.report.drawing import Drawing
from orchestrator.report.latex import latex
from orchestrator.report.page import Section, render
from orchestrator.report.series import of_network

if TYPE_CHECKING:
    from orchestrator.analysis.analyse import Results


@dataclass(frozen=True)
class _Folders:
    figures: Path
    tables: Path


def write_report(results: Results, context: ReportContext, folder: Path) -> Path:
    """Write report.html, figures/ (PNG, PDF) and tables/ (CSV, LaTeX); return the HTML's path.

    The same results and context give the same bytes. The report of a partial sweep shows what there
    is and says what is not.

    Args:
        results: of the analysis; frames may be empty.
        context: of the sweep.
        folder: is made if it is not there; files of an earlier report are overwritten.

    """
    folders = _Folders(folder / "figures", folder / "tables")
    folders.figures.mkdir(parents=True, exist_ok=True)
    folders.tables.mkdir(parents=True, exist_ok=True)
    _write_csv(results, context, folders.tables)
    sections = [
        _section(results, context, network, stem, folders)
        for network, stem in zip(context.networks, stems(context.networks), strict=True)
    ]
    shortfalls = list(tables.shortfalls(context))
    _write_latex(shortfalls, folders.tables)
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


def _section(
    results: Results, context: ReportContext, network: str, stem: str, folders: _Folders
) -> Section:
    first, *others = tables.settings(results, context) or [(context.delta, context.rule)]
    section = Section(
        network=network,
        stem=stem,
        answer=answer(results, context, network),
        overview=tables.overview(results, context, network, first, f"potential-{stem}"),
        tasks=tables.per_task(results, context, network, first, f"tasks-{stem}"),
        slopes=tables.slopes(results, context, network, f"slopes-{stem}"),
        others=tuple(_other(results, context, network, stem, other) for other in others),
        **_draw(results, context, network, stem, folders.figures),
    )
    pairs = [table for pair in section.others for table in pair]
    _write_latex([section.overview, section.tasks, section.slopes, *pairs], folders.tables)
    return section


def _other(
    results: Results, context: ReportContext, network: str, stem: str, setting: tuple[float, str]
) -> tuple[tables.Table, tables.Table]:
    name = f"{stem}-{setting[0]:g}-{setting[1]}"
    return (
        tables.overview(results, context, network, setting, f"potential-{name}"),
        tables.per_task(results, context, network, setting, f"tasks-{name}"),
    )


def _draw(
    results: Results, context: ReportContext, network: str, stem: str, folder: Path
) -> dict[str, list[Drawing]]:
    def own(frame: pd.DataFrame) -> pd.DataFrame:
        return of_network(frame, network)

    potentials = own(results.potentials)
    fits = own(results.excess), own(results.slopes), own(results.bands)
    with style(salt=stem):
        return {
            "curves": curves.draw(
                own(results.curves), potentials, context, folder, f"curves-{stem}"
            ),
            "bars": bars.draw(potentials, context, folder, f"potential-{stem}"),
            "excess": excess.draw(*fits, context, folder, f"excess-{stem}"),
        }


def _write_csv(results: Results, context: ReportContext, folder: Path) -> None:
    """Write every table of the results whole: all networks, all δ, full precision."""
    frames = {each.name: getattr(results, each.name) for each in fields(results)}
    frames["failures"] = pd.DataFrame(context.failures, columns=["chain", "cause"])
    frames["blocked"] = pd.DataFrame(context.blocked, columns=["chain", "waited_for"])
    frames["missing"] = pd.DataFrame(context.missing, columns=["what", "count"])
    for name, frame in frames.items():
        if isinstance(frame, pd.DataFrame):
            frame.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")


def _write_latex(made: Iterable[tables.Table], folder: Path) -> None:
    for table in made:
        if table.rows:
            (folder / f"{table.name}.tex").write_text(latex(table), encoding="utf-8")
