"""ImageNet-C as published (D. Hendrycks, T. Dietterich, 2019): corrupted test images."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from workers.contracts import DataError, Split
from workers.images.class_folders import listing, sizes_digest
from workers.images.corruption_names import group, published
from workers.images.decoding import undecodable
from workers.images.folders import class_names
from workers.images.one_corruption import OneCorruption, nothing_to_train_on
from workers.images.prefetch import Pixels
from workers.images.streamed import Listing, StreamedDataSet, View

HOME = "https://zenodo.org/records/2235448"


@dataclass(frozen=True, kw_only=True)
class ImageNetC(OneCorruption, StreamedDataSet):
    """ImageNet-C: 50,000 test images of 1,000 classes under one corruption, as published.

    It is not downloaded: in ``folder``, ``imagenet-c`` of the data root by default, the images lie
    in corruption/severity/class/…, or below a folder for each archive (``blur``, ``digital``,
    ``extra``, ``noise``, ``weather``). ``corruption`` is named as the task is, or as its folder is.
    The published images are the central 224 by 224 pixels and seen whole, scaled to ``size``.
    """

    mean: ClassVar[tuple[float, float, float]] = (0.485, 0.456, 0.406)
    std: ClassVar[tuple[float, float, float]] = (0.229, 0.224, 0.225)

    folder: str = field(default="imagenet-c", metadata={"runtime": True})

    def fingerprint(self, root: Path) -> str:
        """Digest names and sizes of all files; their contents are not read."""
        kind = f"imagenet_c/{self.corruption}/{self.severity}"
        return sizes_digest(kind, self._folders(root), root)

    def available(self, root: Path) -> bool:
        """Tell whether the folder of the corruption and severity is there."""
        return any(place.is_dir() for place in self._places(root))

    def classes(self, root: Path) -> tuple[str, ...]:
        """Name the class folders, sorted."""
        return class_names(self._place(root))

    def files(self, split: Split, root: Path) -> Listing:
        """List the images, class by class.

        Raises:
            DataError: the train split is asked for, or there is no folder or no image.

        """
        if split == "train":
            shift = f"{{imagenet_c: {{corruption: {self.corruption}}}}}"
            raise nothing_to_train_on("imagenet_c", "imagenet", shift)
        return listing(self._folders(root))

    def decode(self, view: View) -> Pixels:
        """Decode one image and scale the whole of it to ``shape``."""
        from PIL import Image

        with undecodable(view.path), Image.open(view.path) as encoded:
            image = encoded.convert("RGB")
        if image.size != (self.size, self.size):
            image = image.resize((self.size, self.size), Image.Resampling.BILINEAR)
        return np.asarray(image)

    def _folders(self, root: Path) -> dict[Path, int]:
        place = self._place(root)
        return {place / name: label for label, name in enumerate(class_names(place))}

    def _place(self, root: Path) -> Path:
        first, grouped = self._places(root)
        for place in (first, grouped):
            if place.is_dir():
                return place
        archive = f"{group(self.corruption)}.tar"
        raise DataError(
            f"there is neither {first} nor {grouped}; extract {archive} of {HOME} there"
        )

    def _places(self, root: Path) -> tuple[Path, Path]:
        folder = root / Path(self.folder).expanduser()
        inner = Path(published(self.corruption), str(self.severity))
        return folder / inner, folder / group(self.corruption) / inner
