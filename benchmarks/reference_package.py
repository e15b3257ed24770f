"""The package ``imagecorruptions`` 1.1.2, made to run on the libraries of today.

It is not a dependency. It corrupts one image at a time at the severities of ImageNet-C, and needs
opencv and scikit-image beside it. What it lacks is put in its way before it is imported:
``pkg_resources``, the name ``np.float_``, the namespace ``scipy.ndimage.interpolation`` and the
argument ``multichannel``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

Levels = NDArray[np.uint8]
NAMES = {"jpeg": "jpeg_compression"}


def reference() -> Callable[[Levels, str, int], Levels] | None:
    """Return a function of images (n, size, size, 3), corruption and severity, if it is there."""
    if find_spec("imagecorruptions") is None:
        return None
    _patch()
    from imagecorruptions import corrupt

    def all_images(images: Levels, name: str, severity: int) -> Levels:
        made = [corrupt(image, severity, NAMES.get(name, name)) for image in images]
        return np.stack(made)

    return all_images


def _patch() -> None:
    import skimage.filters

    resources: Any = ModuleType("pkg_resources")
    resources.resource_filename = lambda module, name: str(
        Path(str(sys.modules[module].__file__)).parent / name
    )
    sys.modules.setdefault("pkg_resources", resources)
    interpolation: Any = ModuleType("scipy.ndimage.interpolation")
    interpolation.map_coordinates = scipy.ndimage.map_coordinates
    sys.modules.setdefault("scipy.ndimage.interpolation", interpolation)
    vars(np).setdefault("float_", np.float64)
    gaussian = skimage.filters.gaussian

    def with_multichannel(image: Any, *args: Any, multichannel: bool = False, **others: Any) -> Any:
        if multichannel:
            others["channel_axis"] = -1
        return gaussian(image, *args, **others)

    skimage.filters.gaussian = with_multichannel
