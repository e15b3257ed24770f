"""What a report says of one network: its prune potentials, then part by part what else is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.report import (
    bars,
    calibration,
    class_iou,
    corruption,
    curves,
    detection,
    distortion,
    excess,
    features,
    layers,
    noise,
    single_networks,
    tables,
)
from orchestrator.report.answer import answer
from orchestrator.report.canvas import style
from orchestrator.report.cells import Table
from orchestrator.report.context import ReportContext
from orchestrator.report.drawing import Drawing
from orchestrator.report.grouping import FEW, Grouped, by_family, worst, worst_text
from orchestrator.report.levels import harmless
from orchestrator.report.part import Part, Scene
from orchestrator.report.series import headline, of_network

if TYPE_CHECKING:
    from orchestrator.analysis.analyse import Results
    from orchestrator.robustness.columns import Robustness

PARTS: tuple[Callable[[Scene], Part | None], ...] = (
    calibration.part,
    class_iou.part,
    distortion.part,
    corruption.part,
    detection.outliers,
    detection.membership,
    noise.part,
    features.part,
    layers.part,
    single_networks.part,
)


@dataclass(frozen=True, kw_only=True)
class Section:
    """What the page says of one network; ``others`` are the tables at the other δ and rules.

    Of many tasks the families and the worst are in ``bars`` and ``curves``, and ``families`` is
    their table; ``worst`` says which those are. All tasks one by one are in ``all_bars`` and
    ``all_curves``, folded.
    """

    network: str
    stem: str
    answer: str
    overview: Table
    families: Table | None
    worst: str
    tasks: Table
    slopes: Table
    others: tuple[tuple[Table, Table], ...]
    curves: Sequence[Drawing]
    bars: Sequence[Drawing]
    all_curves: Sequence[Drawing]
    all_bars: Sequence[Drawing]
    excess: Sequence[Drawing]
    parts: tuple[Part, ...]

    def all_tables(self) -> Iterator[Table]:
        """Yield every table of the section, for the files beside the page."""
        yield from filter(None, (self.overview, self.families, self.tasks, self.slopes))
        for pair in self.others:
            yield from pair
        for part in self.parts:
            yield from part.all_tables()


def section(
    results: Results,
    context: ReportContext,
    found: Robustness | None,
    network: str,
    stem: str,
    folder: Path,
) -> Section:
    """Say what is known of one network; figures go to ``folder``."""
    first, *others = tables.settings(results, context) or [(context.delta, context.rule)]
    told = (results, context, network)
    with style(salt=stem):
        drawn = _draw(*told, stem, folder)
        parts = _parts(*told, found, stem, folder)
    families = tables.per_family(*told, first, f"families-{stem}") if drawn["all_bars"] else None
    return Section(
        network=network,
        stem=stem,
        answer=answer(*told),
        overview=tables.overview(*told, first, f"potential-{stem}"),
        families=families,
        worst=worst_text(of_network(results.potentials, network), context),
        tasks=tables.per_task(*told, first, f"tasks-{stem}"),
        slopes=tables.slopes(*told, f"slopes-{stem}"),
        others=tuple(_other(*told, stem, other) for other in others),
        parts=parts,
        **drawn,
    )


def _other(
    results: Results, context: ReportContext, network: str, stem: str, setting: tuple[float, str]
) -> tuple[Table, Table]:
    name = f"{stem}-{setting[0]:g}-{setting[1]}"
    return (
        tables.overview(results, context, network, setting, f"potential-{name}"),
        tables.per_task(results, context, network, setting, f"tasks-{name}"),
    )


def _draw(
    results: Results, context: ReportContext, network: str, stem: str, folder: Path
) -> dict[str, list[Drawing]]:
    points, slopes, bands = (
        of_network(frame, network) for frame in (results.excess, results.slopes, results.bands)
    )
    whole = Grouped(
        of_network(results.potentials, network), of_network(results.curves, network), context
    )
    all_bars, all_curves = _pair(whole, stem, folder)
    drawn = {"bars": all_bars, "curves": all_curves, "all_bars": [], "all_curves": []}
    if whole.curves["task"].nunique() > FEW:
        told = (whole.potentials, whole.curves, context)
        family_bars, family_curves = _pair(by_family(*told), f"{stem}-families", folder)
        worst_bars, worst_curves = _pair(worst(*told), f"{stem}-worst", folder)
        drawn = {
            "bars": family_bars + worst_bars,
            "curves": family_curves + worst_curves,
            "all_bars": all_bars,
            "all_curves": all_curves,
        }
    return drawn | {"excess": excess.draw(points, slopes, bands, context, folder, f"excess-{stem}")}


def _pair(what: Grouped, stem: str, folder: Path) -> tuple[list[Drawing], list[Drawing]]:
    told = (what.potentials, what.context, folder)
    return (
        bars.draw(*told, f"potential-{stem}"),
        curves.draw(what.curves, *told, f"curves-{stem}"),
    )


def _parts(
    results: Results,
    context: ReportContext,
    network: str,
    found: Robustness | None,
    stem: str,
    folder: Path,
) -> tuple[Part, ...]:
    if found is None:
        return ()
    scene = Scene(
        found=found,
        context=context,
        network=network,
        stem=stem,
        folder=folder,
        within=harmless(headline(results.summary, context), results.curves, context, network),
    )
    return tuple(part for make in PARTS if (part := make(scene)))
