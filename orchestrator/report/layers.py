"""How alike representations are, layer by layer."""

from __future__ import annotations

import pandas as pd

from orchestrator.report import by_level
from orchestrator.report.part import Figure, Part, Scene
from orchestrator.report.readings import quantity, readings_of, series_of

TITLES = {"cka": "CKA", "svcca": "SVCCA"}
NOTE = (
    "1: the same but for a rotation (CKA, Kornblith et al. 2019: and a factor; SVCCA, Raghu et al. "
    "2017: within the main directions). Layers are numbered from the input; their "
    "names are in the table of readings."
)


def part(scene: Scene) -> Part | None:
    """Show the similarity of each layer to the parent's, where it was measured."""
    frame = readings_of(scene, *TITLES)
    if frame.empty:
        return None
    names = list(dict.fromkeys(frame["part"]))
    numbered = frame.assign(layer=frame["part"].map(names.index) + 1)
    measured = [name for name in TITLES if (frame["quantity"] == name).any()]
    drawn = by_level.draw(
        [_quantity(numbered, name) for name in measured],
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
    return Part(name="layers", title="Similarity of representations", figures=(figure,), note=NOTE)


def _quantity(frame: pd.DataFrame, name: str) -> by_level.Quantity:
    return quantity(frame[frame["quantity"] == name], f"{TITLES[name]} with the parent", "layer")
