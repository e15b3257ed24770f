"""ObjectNet (A. Barbu et al., 2019): everyday objects in unusual places, poses and views."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from workers.contracts import DataError, Split
from workers.images.class_folders import listing, sizes_digest
from workers.images.decoding import undecodable
from workers.images.folders import class_names
from workers.images.one_corruption import nothing_to_train_on
from workers.images.prefetch import Pixels
from workers.images.resized_crop import central
from workers.images.streamed import Listing, StreamedDataSet, View

BORDER = 3
"""Pixels cut off on every side: the red border, and one more as Lost in Pruning's code has it."""

FOLDERS = "folder_to_objectnet_label.json"
CLASSES = "objectnet_to_imagenet_1k.json"
NUMBERS = "pytorch_to_imagenet_2012_id.json"
NAMES = "imagenet_to_label_2012_v2"


@dataclass(frozen=True, kw_only=True)
class ObjectNet(StreamedDataSet):
    """ObjectNet on the 113 of its classes that are ImageNet's too, to test ImageNet networks on.

    It is not downloaded: ``folder``, ``objectnet-1.0`` of the data root by default, holds
    ``images``/class/… and ``mappings`` as released. Where an object is of several classes of
    ImageNet the first is its label. ``imagenet`` is a folder with the 1,000 class folders of
    ImageNet, whose sorted names are the classes. The border is cut off; tests see the centre.
    """

    mean: ClassVar[tuple[float, float, float]] = (0.485, 0.456, 0.406)
    std: ClassVar[tuple[float, float, float]] = (0.229, 0.224, 0.225)

    folder: str = field(default="objectnet-1.0", metadata={"runtime": True})
    imagenet: str = field(default="imagenet/val", metadata={"runtime": True})

    def fingerprint(self, root: Path) -> str:
        """Digest labels, names and sizes of the images; their contents are not read."""
        return sizes_digest("objectnet", self._folders(root), root)

    def available(self, root: Path) -> bool:
        """Tell whether the images and the mappings are there."""
        place = self._place(root)
        names = (FOLDERS, CLASSES, NUMBERS, NAMES)
        return (place / "images").is_dir() and all(
            (place / "mappings" / name).is_file() for name in names
        )

    def classes(self, root: Path) -> tuple[str, ...]:
        """Name all classes of ImageNet, which are more than the images show.

        Raises:
            DataError: there is no folder of ImageNet, or it lacks classes.

        """
        folder = root / Path(self.imagenet).expanduser()
        names = class_names(folder)
        expected = len(_read(self._place(root) / "mappings" / NUMBERS))
        if len(names) != expected:
            raise DataError(
                f"{folder} holds {len(names)} class folders, expected all {expected} of ImageNet, "
                "whose order ObjectNet's mappings mean; give objectnet the option 'imagenet'"
            )
        return names

    def files(self, split: Split, root: Path) -> Listing:
        """List the images of the common classes, folder by folder.

        Raises:
            DataError: the train split is asked for, or files are missing or not as released.

        """
        if split == "train":
            raise nothing_to_train_on("objectnet", "imagenet", "objectnet")
        return listing(self._folders(root))

    def decode(self, view: View) -> Pixels:
        """Decode one image, and take the centre of what is inside its border."""
        from PIL import Image

        with undecodable(view.path), Image.open(view.path) as image:
            width, height = image.size
            inside = image.crop((BORDER, BORDER, width - BORDER, height - BORDER))
            return np.asarray(central(inside, self.size))

    def _place(self, root: Path) -> Path:
        return root / Path(self.folder).expanduser()

    def _folders(self, root: Path) -> dict[Path, int]:
        place = self._place(root)
        if not self.available(root):
            raise DataError(
                "there is no ObjectNet; extract objectnet-1.0.zip of https://objectnet.dev so "
                f"that {place} holds 'images' and 'mappings' with {FOLDERS}, {CLASSES}, "
                f"{NUMBERS} and {NAMES}"
            )
        labels = _labels(place / "mappings")
        return {place / "images" / name: labels[name] for name in sorted(labels)}


def _labels(mappings: Path) -> dict[str, int]:
    """Return the label of every folder that shows a class of ImageNet.

    Folders have names of objects; an object has names of ImageNet's classes, with semicolons
    between them; such a name has a line, from 0, of a file; PyTorch's label has that number.
    """
    objects = {name: folder for folder, name in _read(mappings / FOLDERS).items()}
    lines = (mappings / NAMES).read_text(encoding="utf-8").splitlines()
    number = {name.strip(): line for line, name in enumerate(lines)}
    label = {line: int(label) for label, line in _read(mappings / NUMBERS).items()}
    try:
        return {
            objects[name]: label[number[meant.split("; ")[0]]]
            for name, meant in _read(mappings / CLASSES).items()
        }
    except KeyError as error:
        raise DataError(f"the mappings in {mappings} contradict each other on {error}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path} holds no mapping; it is not as ObjectNet was released")
    return content
