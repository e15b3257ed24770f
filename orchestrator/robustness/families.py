"""Families of test conditions, so that dozens of tasks can be told in a few words.

Corruptions are grouped as by Hendrycks and Dietterich (2019, "Benchmarking Neural Network
Robustness to Common Corruptions and Perturbations"), whose extra corruptions are one per group.
"""

from __future__ import annotations

from functools import cache

from workers.contracts import Task
from workers.registry import TASKS, UnknownPlugInError

NATURAL = "natural shift"
INPUT_NOISE = "input noise"
ADVERSARIAL = "adversarial"
OTHER_DATA = "other data"
OTHER_SHIFT = "other shift"
NOMINAL = "nominal"
SHIFTED = "shifted"
CLEAN = "clean"
CORRUPTIONS = {
    "noise": ("gaussian_noise", "impulse_noise", "shot_noise", "speckle_noise"),
    "blur": ("defocus_blur", "gaussian_blur", "glass_blur", "motion_blur", "zoom_blur"),
    "weather": ("brightness", "fog", "frost", "snow", "spatter"),
    "digital": ("contrast", "elastic_transform", "jpeg", "pixelate", "saturate"),
}
FAMILIES = (
    NATURAL,
    *CORRUPTIONS,
    *(f"published {name}" for name in CORRUPTIONS),
    INPUT_NOISE,
    ADVERSARIAL,
    OTHER_SHIFT,
    OTHER_DATA,
    CLEAN,
)
"""In the order in which a report lists them."""
NO_SHIFT = (OTHER_DATA, CLEAN)
"""Families of what is not an image from the test set's classes under a shift."""

_BY_NAME = {name: family for family, names in CORRUPTIONS.items() for name in names}
_BY_NAME["jpeg_compression"] = _BY_NAME["jpeg"]  # as files of published test sets are called


@cache
def family(label: str) -> str:
    """Name the family of a task by its label, which begins with the name of its plug-in.

    Published corrupted images are of a family apart from generated ones. A plug-in that is not
    among the built-in ones is judged by its contract; one that cannot be looked up here is of
    another shift.
    """
    name = label.partition("-")[0]
    if name == NOMINAL:
        return CLEAN
    if known := corruption(label)[1]:
        return f"published {_BY_NAME[known]}" if name == SHIFTED else _BY_NAME[known]
    if name.endswith("_input_noise"):
        return INPUT_NOISE
    try:
        plug_in = TASKS.get(name)
    except UnknownPlugInError:
        return OTHER_SHIFT
    if plug_in.attacks:
        return ADVERSARIAL
    if not plug_in.labelled or plug_in.members is not Task.members:
        return OTHER_DATA
    return NATURAL if plug_in.replaces is not Task.replaces else OTHER_SHIFT


def corruption(label: str) -> tuple[str, str]:
    """Name the published set and the corruption that a task is a severity of, or nothing.

    ``fog-3`` is of (nothing, fog), ``shifted-cifar10_c-fog-3`` of (cifar10_c, fog), and
    ``fog-3-imagenet``, of ImageNet-C's severities on small images, of (imagenet, fog).
    """
    name, *options = label.split("-")
    if name in _BY_NAME:
        return "imagenet" if "imagenet" in options else "", name
    if name == SHIFTED:
        for place, option in enumerate(options):
            if option in _BY_NAME:
                # Options come in the order of the sweep file; the severity makes no other source.
                return "-".join(one for one in options[:place] if not one.isdigit()), option
    return "", ""
