"""Reads label maps: pictures whose pixels are class numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workers.contracts import DataError
from workers.images.decoding import undecodable

if TYPE_CHECKING:
    from PIL import Image

VOID = 255
"""The number of pixels that belong to no class."""


def read_label_map(path: str, classes: int) -> Image.Image:
    """Read the map at ``path``: a PNG of class numbers, or a file of the SBD data set (``.mat``).

    Raises:
        DataError: it cannot be read, or holds other numbers than those of ``classes`` and ``VOID``.

    """
    labels = _from_matlab(path) if path.endswith(".mat") else _from_picture(path)
    found = np.unique(np.asarray(labels))
    wrong = found[(found >= classes) & (found != VOID)]
    if len(wrong):
        expected = f"expected 0 to {classes - 1}, or {VOID} for none"
        raise DataError(f"{path} has pixels of class {wrong[0]}, {expected}")
    return labels


def _from_picture(path: str) -> Image.Image:
    from PIL import Image

    with undecodable(path), Image.open(path) as stored:
        stored.load()
    if stored.mode not in {"L", "P"}:
        raise DataError(
            f"{path} has colours ({stored.mode}), expected a class number in each pixel, "
            "as a grey or palette PNG"
        )
    return stored


def _from_matlab(path: str) -> Image.Image:
    """Read the field ``GTcls.Segmentation`` of a MATLAB 5 file, a format without code in it."""
    from PIL import Image
    from scipy.io import loadmat

    try:
        return Image.fromarray(
            loadmat(path, variable_names=["GTcls"])["GTcls"]["Segmentation"][0, 0]
        )
    except Exception as error:  # SciPy raises whatever a damaged file makes it stumble over
        raise DataError(f"cannot read the label map {path}: {error}") from error
