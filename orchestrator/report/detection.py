"""What confidences give away: foreign images, and images of the training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from orchestrator.report import panels
from orchestrator.report.cells import Cell, Number, Table
from orchestrator.report.levels import AT_POTENTIAL, ratio_cell
from orchestrator.report.panels import Panel
from orchestrator.report.part import Figure, Part, Scene
from orchestrator.report.series import of_network

CHANCE = 0.5
MOST_ROWS = 20
OUTLIERS = {"auroc": "AUROC", "fpr95": "FPR at 95 % TPR"}
ATTACKS = {
    "balanced_accuracy": "balanced accuracy",
    "auroc": "AUROC",
    "tpr_at_low_fpr": "TPR at 0.1 % FPR",
}
OUTLIER_NOTE = (
    "AUROC: probability that a test image scores above a foreign one. FPR at 95 % TPR: share of "
    "foreign images taken for test images where 95 % of those are recognised (Hendrycks and Gimpel "
    "2017; energy: Liu et al. 2020). Intervals of AUROC cover seeds and images, those of FPR seeds."
)
ATTACK_NOTE = (
    "Members are training images, others test images; chance is 50 %. Thresholds per class come "
    "from the network of the seed before and one half of the images, the other half is judged "
    "(Song and Mittal 2021, Yuan and Zhang 2022). Intervals cover seeds and images, but for TPR."
)


def outliers(scene: Scene) -> Part | None:
    """Show how well foreign images are told from test images, where the sweep has some."""
    told = of_network(scene.found.outlier_means, scene.network)
    if told.empty:
        return None
    auroc = told[told["metric"] == "auroc"]
    wanted = [
        Panel(title=f"{task}\nby {score} (%)", rows=rows, reference=CHANCE)
        for (task, score), rows in auroc.groupby(["task", "score"], sort=False)
    ]
    caption = f"Outlier detection by {scene.network} in percent, {AT_POTENTIAL}"
    table = _table(scene, told, ("task", "score"), OUTLIERS, "outliers", caption)
    figure = _figure(scene, wanted, "outliers", "AUROC of outlier detection")
    return Part(
        name="outliers",
        title="Foreign images",
        figures=figure,
        **_placed(table),
        note=OUTLIER_NOTE,
    )


def membership(scene: Scene) -> Part | None:
    """Show how well attacks tell training images from test images, where the sweep has a task."""
    told = of_network(scene.found.membership_means, scene.network)
    if told.empty:
        return None
    accuracy = told[told["metric"] == "balanced_accuracy"]
    several = told["task"].nunique() > 1
    wanted = [
        Panel(title=f"{task}\n" * several + f"by {attack} (%)", rows=rows, reference=CHANCE)
        for (task, attack), rows in accuracy.groupby(["task", "attack"], sort=False)
    ]
    caption = f"Membership inference on {scene.network} in percent, {AT_POTENTIAL}"
    keys = ("task", "attack") if several else ("attack",)
    table = _table(scene, told, keys, ATTACKS, "membership", caption)
    figure = _figure(scene, wanted, "membership", "Balanced accuracy of membership inference")
    return Part(
        name="membership",
        title="Training images",
        figures=figure,
        **_placed(table),
        note=ATTACK_NOTE,
    )


def _figure(scene: Scene, wanted: Sequence[Panel], name: str, what: str) -> tuple[Figure, ...]:
    drawn = panels.draw(
        wanted,
        scene.context,
        scene.folder,
        f"{name}-{scene.stem}",
        reference="chance",
        share_y="all",
    )
    caption = f"{what} over achieved prune ratio, mean over seeds with interval."
    label = f"Curves: {what} over prune ratio for {scene.network}"
    return (Figure(drawings=drawn, what=label, caption=caption),) if drawn else ()


def _placed(table: Table) -> dict[str, tuple[Table, ...]]:
    """Fold a table that would fill the screen."""
    return {"folded" if len(table.rows) > MOST_ROWS else "tables": (table,)}


def _table(
    scene: Scene,
    frame: pd.DataFrame,
    keys: Sequence[str],
    columns: Mapping[str, str],
    name: str,
    caption: str,
) -> Table:
    """Make a row for each network and what ``keys`` tell apart."""
    rows: list[tuple[Cell, ...]] = [
        (
            label,
            ratio_cell(own),
            *map(str, names),
            *(Number.of(own[own["metric"] == metric]) for metric in columns),
        )
        for label, network in scene.networks(frame)
        for names, own in network.groupby(list(keys), sort=False)
    ]
    header = ("network", "prune ratio", *keys, *columns.values())
    return Table(f"{name}-{scene.stem}", caption, header, tuple(rows))
