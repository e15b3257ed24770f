"""The names of the 19 common corruptions, as tasks here and as the published files have them.

D. Hendrycks, T. Dietterich, Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations, 2019.
"""

from __future__ import annotations

from collections.abc import Collection

from workers.nearest import nearest

GROUPS = {
    "blur": ("defocus_blur", "glass_blur", "motion_blur", "zoom_blur"),
    "digital": ("contrast", "elastic_transform", "jpeg", "pixelate"),
    "extra": ("gaussian_blur", "saturate", "spatter", "speckle_noise"),
    "noise": ("gaussian_noise", "impulse_noise", "shot_noise"),
    "weather": ("brightness", "fog", "frost", "snow"),
}
"""The corruptions by the archive of ImageNet-C that holds them."""

CORRUPTIONS = tuple(sorted(name for names in GROUPS.values() for name in names))
SEVERITIES = (1, 2, 3, 4, 5)

_PUBLISHED = {"jpeg": "jpeg_compression"}
_OWN = {published: own for own, published in _PUBLISHED.items()}


def published(corruption: str) -> str:
    """Return the name that the published files have for ``corruption``."""
    return _PUBLISHED.get(corruption, corruption)


def group(corruption: str) -> str:
    """Return the archive of ImageNet-C that holds ``corruption``."""
    return next(name for name, members in GROUPS.items() if corruption in members)


def canonical(corruption: str) -> str:
    """Return the task's name for ``corruption``, which may be the published one.

    Raises:
        ValueError: it is none of the 19.

    """
    own = _OWN.get(corruption, corruption)
    if own not in CORRUPTIONS:
        raise ValueError(f"unknown corruption '{corruption}', {nearest(corruption, CORRUPTIONS)}")
    return own


def selected(only: Collection[str], without: Collection[str]) -> tuple[str, ...]:
    """Return the corruptions ``only``, all 19 if there are none, except ``without``, sorted.

    Raises:
        ValueError: a name is none of the 19, or none is left.

    """
    wanted = {canonical(name) for name in only} or set(CORRUPTIONS)
    left = wanted - {canonical(name) for name in without}
    if not left:
        raise ValueError("only and without leave no corruption, expected at least one")
    return tuple(sorted(left))
