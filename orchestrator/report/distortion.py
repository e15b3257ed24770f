"""Who bears the loss: recall distortion, pruning identified exemplars, classes that shift."""

from __future__ import annotations

from math import nan

import pandas as pd

from orchestrator.report import panels
from orchestrator.report.cells import Cell, Number, Table
from orchestrator.report.levels import by_level
from orchestrator.report.panels import Panel
from orchestrator.report.part import Figure, Part, Scene
from orchestrator.report.series import of_network

NOTE = (
    "α is the slope, over the classes, of how far a class is from the mean accuracy after pruning "
    "on how far it was before (Good et al. 2022): above 1 (>) pruning intensifies the differences, "
    "below 1 (<) it evens them out, ? cannot be told; the label holds for all levels at once. An "
    "exemplar (PIE, Hooker et al. 2019) is an image whose most frequent prediction over the seeds "
    "changes by pruning; of fewer than ten seeds their number is rough. A class shifts where "
    "pruning changes its recall otherwise than the mean accuracy. Classes without test images, or "
    "with the same recall for every seed, cannot be tested."
)
UNBALANCED = (
    " The classes of this test set are not equally large, so that no line through the origin is "
    "called for: recall_distortion.csv has the slope with an intercept too."
)
SIGNIFICANT = 0.05
CLAIMS = {"grows": "α grows", "differs": "α differs", "falls": "α falls"}
WELCH = "beyond the mean accuracy, out of all classes; by Welch’s test at 5 % after Holm"


def part(scene: Scene) -> Part | None:
    """Show α, exemplars and classes that shift over the levels, where there are any."""
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
        shifts = _shifts(of_network(scene.found.classes, scene.network), task)
        tables += [
            by_level(frame, scene.context, f"{name}-{stem}", caption, write)
            for frame, name, caption, write in (
                (own, "alpha", f"Recall distortion α of {of}", _alpha),
                (told, "exemplars", f"Pruning identified exemplars of {of}", _count),
                (
                    shifts,
                    "classes",
                    f"Classes of {of} whose recall pruning shifts {WELCH}",
                    _classes,
                ),
            )
        ]
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
        folded=tuple(table for table in (_tests(scene),) if table.rows),
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


def _tests(scene: Scene) -> Table:
    """List the pairs of levels, methods and networks between which α is told apart."""
    frame = of_network(scene.found.alpha_tests, scene.network)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            str(row["task"]),
            CLAIMS[row["claim"]],
            f"{row['first_method']}, level {row['first_level']}",
            *(str(row[f"second_{what}"]) for what in ("network", "method", "level")),
            Number(value=row["t"], unit="plain", decimals=1),
            Number(value=row["adjusted_p"], unit="plain", decimals=3),
        )
        for row in frame[frame["adjusted_p"] < SIGNIFICANT].to_dict("records")
    )
    caption = (
        f"Where α of {scene.network} is told apart at 5 % after Bonferroni over the pairs of a "
        "method, of a level and of all networks"
    )
    header = ("task", "claim", "first", "second network", "method", "level", "t", "p")
    return Table(f"alpha-tests-{scene.stem}", caption, header, rows)


def _alpha(row: pd.Series) -> Cell:
    mark = "" if row["label"] == "?" and row["seeds"] < 2 else str(row["label"])
    return Number(value=float(row["alpha"]), unit="plain", decimals=2, mark=mark)


def _count(row: pd.Series) -> Cell:
    return f"{row['count']:,} ({100 * row['fraction']:.1f}\u00a0%)"


def _shifts(classes: pd.DataFrame, task: str) -> pd.DataFrame:
    """Count the classes of each level: found to shift, tested, all; nothing for one seed."""
    own = classes[classes["task"] == task]
    judged = own.assign(
        found=own["adjusted_p"] < SIGNIFICANT, tested=own["adjusted_p"].notna(), classes=1
    )
    keys = ["method", "schedule", "level"]
    counts = judged.groupby(keys, as_index=False).agg(
        ratio=("ratio", "mean"),
        found=("found", "sum"),
        tested=("tested", "sum"),
        classes=("classes", "sum"),
    )
    return counts[counts["tested"] > 0]


def _classes(row: pd.Series) -> Cell:
    untested = row["classes"] - row["tested"]
    return f"{row['found']} of {row['classes']}" + (f" ({untested} not tested)" if untested else "")
