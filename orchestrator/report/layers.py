"""How alike representations are, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from orchestrator.report import by_level
from orchestrator.report.part import Figure, Part, Scene
from orchestrator.report.readings import by_measure, quantity, readings_of, series_of

TITLES = {"cka": "CKA", "svcca": "SVCCA"}
NOTE = (
    "1: the same but for a rotation (CKA, Kornblith et al. 2019: and a factor; SVCCA, Raghu et al. "
    "2017: within the main directions). Layers are numbered from the input; their "
    "names are in the table of readings."
)
UNKNOWN = (
    " Lines break where a value is not defined: where all of a layer is pruned and, for SVCCA, "
    "where a layer has too few rows for its directions (more images help). {layers}."
)


def part(scene: Scene) -> Part | None:
    """Show the similarity of each layer to the parent's, where it was measured."""
    frame = readings_of(scene, *TITLES)
    if frame.empty:
        return None
    names = list(dict.fromkeys(frame["part"]))
    numbered = frame.assign(layer=frame["part"].map(names.index) + 1)
    drawn = by_level.draw(
        [one for name in TITLES for one in _quantities(numbered, name)],
        series_of(scene, frame),
        scene.folder,
        f"layers-{scene.stem}",
        x="layer",
        whole=True,
    )
    figure = Figure(
        drawings=drawn,
        what=f"Curves: similarity of representations by layer for {scene.network}",
        caption="Similarity of every layer’s outputs to the parent’s; numbers are prune ratios, "
        "the dashed line is the parent of another seed. Means over seeds.",
    )
    return Part(
        name="layers",
        title="Similarity of representations",
        figures=(figure,),
        note=NOTE + _unknown(numbered),
    )


def _quantities(frame: pd.DataFrame, name: str) -> Iterator[by_level.Quantity]:
    for one in by_measure(frame[frame["quantity"] == name]):
        yield quantity(one.rows, f"{TITLES[name]} with the parent{one.told}", "layer")


def _unknown(frame: pd.DataFrame) -> str:
    """Say of which layers, by number and name, some network has no value; nothing if of none."""
    gone = frame[frame["value"].isna() & (frame["against"] == "parent")]
    told = [
        f"{TITLES[str(name)]} lacks values at layer "
        + ", ".join(f"{one.layer} ({one.part})" for one in own.itertuples())
        for name, own in gone[["quantity", "layer", "part"]]
        .drop_duplicates()
        .sort_values("layer")
        .groupby("quantity")
    ]
    return UNKNOWN.format(layers="; ".join(told)) if told else ""
