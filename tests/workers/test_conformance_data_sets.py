"""What every registered data set must do."""

import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from workers.contracts import Component, DataError, DataSet
from workers.images.downloaded import DownloadedDataSet
from workers.registry import DATA_SETS

REQUIRED: dict[str, dict[str, Any]] = {
    "voc": {"size": 8},
    **{name: {"corruption": "fog"} for name in ("cifar10_c", "cifar100_c", "imagenet_c")},
}


def data_set(name: str, root: Path) -> DataSet:
    """Make the data set, with a black image where it reads files of one's own."""
    image = io.BytesIO()
    Image.new("RGB", (8, 8)).save(image, "png")
    if name in {"imagefolder", "imagenet"}:
        for split in ("train", "test"):
            (root / split / "a").mkdir(parents=True)
            (root / split / "a" / "1.png").write_bytes(image.getvalue())
        return DATA_SETS.create(Component(name, {"train": "train", "test": "test", "size": 8}))
    if name == "parquet":
        table = pa.table({"image": [image.getvalue()], "label": [0]})
        pq.write_table(table, root / "a.parquet")
        return DATA_SETS.create(Component(name, {"train": "a.parquet", "test": "a.parquet"}))
    return DATA_SETS.create(Component(name, REQUIRED.get(name, {})))


@pytest.mark.parametrize("name", DATA_SETS.names())
def test_data_set(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if name == "voc":
        request.getfixturevalue("voc_root")
    data = data_set(name, tmp_path)
    if not data.available(tmp_path):
        assert_known_or_missed(data, tmp_path)
        pytest.skip(f"{name} would have to be downloaded")
    assert data.fingerprint(tmp_path) == data.fingerprint(tmp_path)
    classes = data.classes(tmp_path)
    for split in ("train", "test"):
        images = data.load(split, tmp_path)
        assert images.pixels.dtype == np.uint8
        assert images.pixels.ndim == 4
        maps = data.labels == "map"
        assert images.labels.dtype == (np.uint8 if maps else np.int64)
        assert images.labels.shape == images.pixels.shape[: 3 if maps else 1]
        void = {255} if maps else set()
        assert set(np.unique(images.labels).tolist()) - void <= set(range(len(classes)))
        assert len(images.labels) == len(images.pixels) > 0


def assert_known_or_missed(data: DataSet, root: Path) -> None:
    """Without its files a data set knows its fingerprint, or says what to put where."""
    if isinstance(data, DownloadedDataSet):
        assert data.fingerprint(root) == data.fingerprint(root)
    else:
        with pytest.raises(DataError, match=re.escape(str(root))):
            data.fingerprint(root)


def test_data_sets_are_imported_without_torch() -> None:
    script = (
        "import sys; from workers.registry import DATA_SETS;"
        "[DATA_SETS.get(name) for name in DATA_SETS.names()];"
        "assert not {'torch', 'torchvision', 'sklearn', 'PIL', 'pyarrow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
