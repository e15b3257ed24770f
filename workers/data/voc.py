"""Pascal VOC 2012 for segmentation (M. Everingham et al., 2015), with the labels of SBD."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from workers.contracts import DataError, Split
from workers.images.checksums import fingerprint
from workers.images.decoding import undecodable
from workers.images.label_maps import VOID, read_label_map
from workers.images.prefetch import Pixels
from workers.images.scaled_window import DRAWS, Window
from workers.images.streamed import Listing, StreamedDataSet, View

CLASSES = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair",
    "cow", "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa",
    "train", "tvmonitor",
)  # fmt: skip
SUFFIXES = frozenset({".png", ".mat"})
VOC = Path("VOCdevkit", "VOC2012")
SBD = Path("benchmark_RELEASE", "dataset")
REMEDY = (
    "extract VOCtrainval_11-May-2012.tar (Pascal VOC 2012) and benchmark.tgz (SBD, Semantic "
    f"Boundaries Dataset), which make {VOC.parts[0]} and {SBD.parts[0]}, into"
)


@dataclass(frozen=True, kw_only=True)
class PascalVOC(StreamedDataSet):
    """Pascal VOC 2012: every pixel is of one of 21 classes, background included, or of none.

    The archives of VOC 2012 and of SBD (B. Hariharan et al., Semantic Contours from Inverse
    Detectors, 2011), which labels more of its images, are extracted into the data root. ``split``
    is ``augmented``, the usual one: 1,449 test images, VOC's ``val``, and the 10,582 others that
    either labels, by VOC where it does; or ``sbd``, that of Lost in Pruning: SBD's own 2,857 test
    and 8,498 training images and labels, for which VOC is not needed. Training sees the image
    scaled and cut out at random, tests the centre.
    """

    labels: ClassVar[Literal["class", "map"]] = "map"
    mean: ClassVar[tuple[float, float, float]] = (0.485, 0.456, 0.406)
    std: ClassVar[tuple[float, float, float]] = (0.229, 0.224, 0.225)
    draws: ClassVar[int] = DRAWS

    size: int = 513
    split: Literal["augmented", "sbd"] = "augmented"

    def fingerprint(self, root: Path) -> str:
        """Digest images and label maps of both splits; where they lie is left out."""
        files = {}
        for split in ("train", "test"):
            listing = self.files(split, root)
            for path, labels in zip(listing.paths, listing.labels, strict=True):
                files[f"{split}/{Path(path).stem}"] = Path(path)
                files[f"{split}/{Path(path).stem} labels"] = Path(labels)
        return fingerprint(files, root)

    def available(self, root: Path) -> bool:
        """Tell whether the folders are there."""
        return all(path.exists() for path in (self._images(root), *self._maps(root)))

    def classes(self, root: Path) -> tuple[str, ...]:
        """Name the 21 classes, background first."""
        return CLASSES

    def files(self, split: Split, root: Path) -> Listing:
        """List the images of a split and their label maps, by name.

        Raises:
            DataError: a folder, the list of test images or one of their maps is missing.

        """
        maps = self._map_by_name(root)
        listed = self._test_list(root).read_text().split()
        if missing := set(listed) - maps.keys():
            raise DataError(f"there is no label map of {min(missing)}; {REMEDY} {root}")
        chosen = sorted(listed) if split == "test" else sorted(maps.keys() - set(listed))
        if not chosen:
            raise DataError(f"there are no {split} images; {REMEDY} {root}")
        paths = [str(self._images(root) / f"{name}.jpg") for name in chosen]
        return Listing(paths, np.array([maps[name] for name in chosen]))

    def decode(self, view: View) -> Pixels:
        """Decode one image and its label map to (size, size, 4), the labels last.

        Raises:
            DataError: a file cannot be decoded, or they are not of one size.

        """
        from PIL import Image

        labels = read_label_map(view.label_map, len(CLASSES))
        with undecodable(view.path), Image.open(view.path) as image:
            if image.size != labels.size:
                raise DataError(f"{view.path} and {view.label_map} are not of one size")
            if view.draws is None:
                window = Window.central(*image.size, self.size)
            else:
                window = Window.random(*image.size, self.size, view.draws)
            pixels = window.of_image(image)
        both = np.dstack([pixels, window.of_labels(labels, VOID)])
        return both[:, ::-1] if view.mirrored else both

    def _map_by_name(self, root: Path) -> dict[str, str]:
        if not self.available(root):
            raise DataError(f"there is no Pascal VOC in {root}; {REMEDY} {root}")
        maps: dict[str, str] = {}
        for folder in self._maps(root):
            maps |= {path.stem: str(path) for path in folder.iterdir() if path.suffix in SUFFIXES}
        return maps

    def _images(self, root: Path) -> Path:
        return root / (SBD / "img" if self.split == "sbd" else VOC / "JPEGImages")

    def _maps(self, root: Path) -> list[Path]:
        """Folders of label maps; of two maps of an image, the later folder's counts."""
        folders = [root / SBD / "cls"]
        return folders if self.split == "sbd" else [*folders, root / VOC / "SegmentationClass"]

    def _test_list(self, root: Path) -> Path:
        inside = SBD if self.split == "sbd" else VOC / "ImageSets" / "Segmentation"
        return root / inside / "val.txt"
