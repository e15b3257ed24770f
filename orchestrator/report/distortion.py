"""Who bears the loss: recall distortion, pruning identified exemplars, corruption error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import nan

import pandas as pd

from orchestrator.report import panels
from orchestrator.report.cells import Cell, Number, Table
from orchestrator.report.levels import ratio_names, spread_out
from orchestrator.report.panels import Panel
from orchestrator.report.part import Figure, Part, Scene
from orchestrator.report.series import Series, of_network, present

NOTE = (
    "α is the slope, over the classes, of how far a class is from the mean accuracy after pruning "
    "on how far it was before (Good et al. 2022): above 1 (>) pruning intensifies the differences, "
    "below 1 (<) it evens them out, ? cannot be told; the label holds for all levels at once. An "
    "exemplar (PIE, Hooker et al. 2019) is an image whose most frequent prediction over the seeds "
    "changes by pruning; of fewer than ten seeds their number is rough."
)
UNBALANCED = (
    " The classes of this test set are not equally large, so that no line through the origin is "
    "called for: recall_distortion.csv has the slope with an intercept too."
)
SIGNIFICANT = 0.05
Write = Callable[[pd.Series], Cell]


def part(scene: Scene) -> Part | None:
    """Show α, exemplars and the mean corruption error over the levels, where there are any."""
    alphas = of_network(scene.found.alphas, scene.network)
    exemplars = of_network(scene.found.exemplars, scene.network)
    if alphas["alpha"].isna().all() and exemplars.empty:
        return None
    balanced = of_network(scene.found.recall_distortion, scene.network)["balanced"]
    tasks = list(dict.fromkeys([*alphas["task"], *exemplars["task"]]))
    wanted, tables = [], []
    for task in tasks:
        own, told = alphas[alphas["task"] == task], exemplars[exemplars["task"] == task]
        wanted += _panels(own, told, task)
        stem = scene.stem if len(tasks) == 1 else f"{scene.stem}-{tasks.index(task) + 1}"
        of = f"{scene.network} on {task}"
        tables += [
            _by_level(scene, own, f"alpha-{stem}", f"Recall distortion α of {of}", _alpha),
            _by_level(
                scene, told, f"exemplars-{stem}", f"Pruning identified exemplars of {of}", _count
            ),
        ]
    tables += [*_corruption(scene), _classes(scene)]
    name = f"distortion-{scene.stem}"
    drawn = panels.draw(
        wanted,
        scene.context,
        scene.folder,
        name,
        columns=2,
        reference="no distortion",
        share_y="row" if len(wanted) == 1 else "col",
    )
    figure = Figure(
        drawings=drawn,
        what=f"Curves: recall distortion and exemplars over prune ratio for {scene.network}",
        caption="Recall distortion α, mean over seeds with an interval that holds for all levels "
        "at once, and the share of pruning identified exemplars.",
    )
    shown = tuple(table for table in tables if table.rows)
    return Part(
        name="distortion",
        title="Who bears the loss",
        figures=(figure,) if drawn else (),
        tables=shown,
        note=NOTE if balanced.all() else NOTE + UNBALANCED,
    )


def _panels(alphas: pd.DataFrame, exemplars: pd.DataFrame, task: str) -> list[Panel]:
    found = []
    if alphas["alpha"].notna().any():
        rows = alphas.rename(columns={"alpha": "mean"})
        found.append(
            Panel(title=f"α on {task}", rows=rows, unit="plain", reference=1.0, focused=True)
        )
    if not exemplars.empty:
        rows = exemplars.rename(columns={"fraction": "mean"}).assign(low=nan, high=nan)
        found.append(Panel(title=f"exemplars on {task} (%)", rows=rows))
    return found


def _by_level(scene: Scene, frame: pd.DataFrame, name: str, caption: str, write: Write) -> Table:
    levels = spread_out(sorted(frame["level"].unique().tolist()))
    rows = tuple(
        (one.label, *(_at(one, frame, level, write) for level in levels))
        for one in present(frame, scene.context)
    )
    return Table(name, caption, ("method", *ratio_names(frame, levels)), rows)


def _at(series: Series, frame: pd.DataFrame, level: int, write: Write) -> Cell:
    own = series.rows(frame[frame["level"] == level])
    return write(own.iloc[0]) if len(own) else ""


def _alpha(row: pd.Series) -> Cell:
    mark = "" if row["label"] == "?" and row["seeds"] < 2 else str(row["label"])
    return Number(value=float(row["alpha"]), unit="plain", decimals=2, mark=mark)


def _count(row: pd.Series) -> Cell:
    return f"{row['count']:,} ({100 * row['fraction']:.1f}\u00a0%)"


def _classes(scene: Scene) -> Table:
    """Count the classes that pruning treats otherwise than the average; empty for one seed."""
    frame = of_network(scene.found.classes, scene.network)
    tested = frame[frame["adjusted_p"].notna()]
    found = tested.assign(found=tested["adjusted_p"] < SIGNIFICANT)
    keys = ["method", "schedule", "level"]
    counts = found.groupby(keys, as_index=False).agg(
        ratio=("ratio", "mean"), found=("found", "sum"), tested=("found", "size")
    )
    caption = f"Classes of {scene.network} whose recall pruning shifts beyond the mean accuracy"
    return _by_level(
        scene,
        counts,
        f"classes-{scene.stem}",
        f"{caption}, by Welch’s test at 5 % after Holm",
        lambda row: f"{row['found']} of {row['tested']}",
    )


def _corruption(scene: Scene) -> Iterator[Table]:
    """Yield the mean corruption error, of generated corruptions and of each published set."""
    frame = of_network(scene.found.corruption_error, scene.network)
    mean = frame[(frame["corruption"] == "mCE") & frame["corruption_error"].notna()]
    keys = ["method", "schedule", "level"]
    for name, rows in mean.groupby("source", sort=False):
        source = str(name)
        yield _by_level(
            scene,
            rows.groupby(keys, as_index=False)[["ratio", "corruption_error"]].mean(),
            "-".join(filter(None, ("corruption-error", source, scene.stem))),
            f"Mean corruption error of {scene.network} in percent of its parent’s"
            + (f", on {source}" if source else ""),
            lambda row: Number(value=float(row["corruption_error"])),
        )
