"""CIFAR without a network: a small copy in the published layout, and a download that fails."""

import pickle
from hashlib import md5
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torchvision import datasets

from workers.contracts import DataError
from workers.data.cifar10 import Cifar10
from workers.data.cifar100 import Cifar100


def test_fingerprint_and_folder_are_those_that_torchvision_checks(tmp_path: Path) -> None:
    for ours, theirs in ((Cifar10(), datasets.CIFAR10), (Cifar100(), datasets.CIFAR100)):
        assert ours.fingerprint(tmp_path) == theirs.tgz_md5
        assert ours.folder == theirs.base_folder
        assert not ours.available(tmp_path)
    assert not any(tmp_path.iterdir())


def write(path: Path, content: dict[str, Any]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content))
    return md5(path.read_bytes()).hexdigest()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a copy of four images and let torchvision accept its checksums."""
    folder = tmp_path / "cifar-10-batches-py"
    rows = np.arange(4 * 3072).reshape(4, 3072).astype(np.uint8)
    train = write(folder / "data_batch_1", {"data": rows[:3], "labels": [1, 0, 1]})
    test = write(folder / "test_batch", {"data": rows[3:], "labels": [0]})
    meta = write(folder / "batches.meta", {"label_names": ["cat", "dog"]})
    monkeypatch.setattr(datasets.CIFAR10, "train_list", [["data_batch_1", train]])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", [["test_batch", test]])
    monkeypatch.setattr(datasets.CIFAR10, "meta", {**datasets.CIFAR10.meta, "md5": meta})
    return tmp_path


def test_reads_pixels_by_row_column_and_channel(root: Path) -> None:
    train = Cifar10().load("train", root)
    assert train.pixels.shape == (3, 32, 32, 3)
    assert train.pixels.dtype == np.uint8
    assert train.labels.tolist() == [1, 0, 1]
    # The published rows hold 1,024 red values, then green, then blue.
    assert train.pixels[0, 1, 2].tolist() == [(c * 1024 + 34) % 256 for c in range(3)]
    assert Cifar10().load("test", root).labels.tolist() == [0]
    assert Cifar10().classes(root)[3:6] == ("cat", "deer", "dog")
    assert Cifar10().available(root)
    assert len(Cifar10(limit=2).load("train", root).labels) == 2


def test_damaged_folder_is_not_replaced(root: Path) -> None:
    (root / "cifar-10-batches-py" / "data_batch_1").write_bytes(b"damaged")
    with pytest.raises(DataError, match="incomplete or damaged; delete the folder"):
        Cifar10().load("train", root)


def test_failed_download_says_what_to_put_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(datasets.CIFAR10, "download", fail)
    with pytest.raises(DataError, match=r"no route to host.*extract cifar-10-python\.tar\.gz into"):
        Cifar10().load("train", tmp_path)
    assert not any(tmp_path.iterdir())
