"""Images in Parquet files, as Hugging Face `datasets` writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.contracts import DataError, Images, Split
from workers.images.checksums import fingerprint
from workers.images.decoding import Channels, decode_all
from workers.images.limited import LimitedDataSet

Paths = str | tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Parquet(LimitedDataSet):
    """Encoded images and integer labels in Parquet files.

    ``train`` and ``test`` are a file, a folder of ``*.parquet`` files, or a list of either.
    ``image`` names a column of type binary or struct<bytes, path>, ``label`` an integer column.
    ``size`` scales, and crops at the centre, to a square; without it all images must have one size.
    Class names come from Hugging Face metadata where there are any, and are the numbers otherwise.
    """

    train: Paths = field(metadata={"runtime": True})
    test: Paths = field(metadata={"runtime": True})
    image: str = "image"
    label: str = "label"
    size: int | None = None
    channels: Channels = 3

    def fingerprint(self, root: Path) -> str:
        """Digest the contents of the files; their names and places are left out."""
        files = {
            f"{split}/{index}": path
            for split in ("train", "test")
            for index, path in enumerate(self._files(split, root))
        }
        return fingerprint(files, root)

    def available(self, root: Path) -> bool:
        """Tell whether all files are there."""
        try:
            return bool(self._files("train", root) and self._files("test", root))
        except DataError:
            return False

    def read(self, split: Split, root: Path) -> Images:
        """Decode one split, in the order of the rows.

        Raises:
            DataError: a file or column is missing, an image is unreadable, a label names no class.

        """
        labels = self._labels(split, root)
        classes = len(self.classes(root))
        if not ((labels >= 0) & (labels < classes)).all():
            raise DataError(
                f"column '{self.label}' of the {split} split holds labels from {labels.min()} to "
                f"{labels.max()}, expected 0 to {classes - 1}"
            )
        encoded = self._encoded(split, root)
        pixels = decode_all(encoded, len(labels), channels=self.channels, size=self.size)
        return Images(pixels, labels)

    def classes(self, root: Path) -> tuple[str, ...]:
        """Name the classes, from the metadata of the first training file or by number."""
        import pyarrow.parquet as pq

        metadata = pq.read_schema(self._files("train", root)[0]).metadata or {}
        described = json.loads(metadata.get(b"huggingface", b"{}"))
        features = described.get("info", {}).get("features", {})
        names = features.get(self.label, {}).get("names")
        return tuple(names or map(str, range(int(self._labels("train", root).max()) + 1)))

    def _labels(self, split: Split, root: Path) -> NDArray[np.int64]:
        import pyarrow as pa

        chunks = [batch.column(0) for batch in self._batches(split, root, self.label)]
        if not any(map(len, chunks)):
            raise DataError(f"the {split} split has no rows")
        if any(not pa.types.is_integer(chunk.type) or chunk.null_count for chunk in chunks):
            empty = sum(chunk.null_count for chunk in chunks)
            raise DataError(
                f"column '{self.label}' of the {split} split should hold an integer in every row; "
                f"it is {chunks[0].type} with {empty} empty rows"
            )
        return np.concatenate([np.asarray(chunk, dtype=np.int64) for chunk in chunks])

    def _encoded(self, split: Split, root: Path) -> Iterator[tuple[str, bytes]]:
        rows = (
            cell
            for batch in self._batches(split, root, self.image)
            for cell in batch.column(0).to_pylist()
        )
        for row, cell in enumerate(rows):
            content = cell.get("bytes") if isinstance(cell, dict) else cell
            if not isinstance(content, bytes):
                raise DataError(
                    f"column '{self.image}' of the {split} split holds no image in row {row}; "
                    "expected the encoded bytes, as binary or struct<bytes, path>"
                )
            yield f"row {row} of the {split} split", content

    def _batches(self, split: Split, root: Path, column: str) -> Iterator[Any]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        for path in self._files(split, root):
            try:
                file = pq.ParquetFile(path)
                if column not in file.schema_arrow.names:
                    has = ", ".join(file.schema_arrow.names)
                    raise DataError(f"{path} has no column '{column}'; it has {has}")
                yield from file.iter_batches(batch_size=1024, columns=[column])
            except (OSError, pa.ArrowInvalid) as error:
                raise DataError(f"cannot read {path} as Parquet: {error}") from error

    def _files(self, split: str, root: Path) -> list[Path]:
        named = self.train if split == "train" else self.test
        found: list[Path] = []
        for name in (named,) if isinstance(named, str) else named:
            path = root / Path(name).expanduser()
            found += sorted(path.glob("*.parquet")) if path.is_dir() else [path]
            if not found or not found[-1].is_file():
                raise DataError(f"there is no Parquet file at {path}")
        return found
