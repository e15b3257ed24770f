"""Tasks that "Lost in Pruning" (MLSys 2021) speaks of together, by their plug-ins' names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

NOMINAL = "nominal"
NOISE = ("gaussian_noise", "impulse_noise", "shot_noise", "speckle_noise")
BLUR = ("defocus_blur", "gaussian_blur", "glass_blur", "motion_blur", "zoom_blur")
WEATHER = ("brightness", "fog", "frost", "snow")
INPUT_NOISE = ("gaussian_input_noise", "uniform_input_noise")
# The corruptions that robust training sees, and those that it does not.
MIX_1 = (
    "contrast", "elastic_transform", "gaussian_blur", "impulse_noise", "motion_blur", "pixelate",
    "shot_noise", "snow", "zoom_blur",
)  # fmt: skip
MIX_2 = (
    "brightness", "defocus_blur", "fog", "frost", "gaussian_noise", "glass_blur", "jpeg",
    "saturate", "spatter", "speckle_noise",
)  # fmt: skip


Measured = TypeVar("Measured")


def among(found: Mapping[str, Measured], names: tuple[str, ...]) -> dict[str, Measured]:
    """Return what was found on the tasks whose plug-ins are called ``names``, by label."""
    return {label: one for label, one in found.items() if label.partition("-")[0] in names}


def by_level(found: Mapping[str, Measured], name: str) -> list[Measured]:
    """List what was found on the task ``name``, from the least level (of noise) to the greatest."""
    levels = {
        float(label.partition("-")[2]): one
        for label, one in found.items()
        if re.fullmatch(rf"{name}-\d*\.?\d+(e[-+]?\d+)?", label)
    }
    return [levels[level] for level in sorted(levels)]
