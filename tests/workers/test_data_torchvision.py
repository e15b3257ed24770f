"""MNIST, Fashion-MNIST and SVHN without a network: small files in the published formats."""

import gzip
import struct
from hashlib import md5
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.io import savemat
from torchvision import datasets

from workers.contracts import DataError
from workers.data.fashion_mnist import FashionMnist
from workers.data.mnist import Mnist
from workers.data.svhn import Svhn
from workers.images.mnist import IdxImages

MNIST = pytest.mark.parametrize("kind", [Mnist, FashionMnist])


@MNIST
def test_checksums_and_folder_are_those_of_torchvision(
    kind: type[IdxImages], tmp_path: Path
) -> None:
    theirs = getattr(datasets, kind.torchvision_name)
    assert kind.checksums == dict(theirs.resources)
    assert kind.folder == f"{theirs.__name__}/raw"
    assert kind().fingerprint(tmp_path) == "-".join(md5 for _, md5 in theirs.resources)
    assert not kind().available(tmp_path)
    assert not any(tmp_path.iterdir())


def test_svhn_checksums_are_those_of_torchvision(tmp_path: Path) -> None:
    listed = {s: datasets.SVHN.split_list[s] for s in ("train", "test")}
    assert Svhn.checksums == {name: checksum for _, name, checksum in listed.values()}
    assert Svhn().fingerprint(tmp_path).count("-") == 1
    assert all(url.startswith(Svhn.home) for url, _, _ in listed.values())


def idx(array: NDArray[np.uint8]) -> bytes:
    sizes = struct.pack(f">{array.ndim}i", *array.shape)
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes(), mtime=0)


def write_idx(root: Path, kind: type[IdxImages], monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.arange(5 * 28 * 28).reshape(5, 28, 28).astype(np.uint8)
    labels = np.array([9, 0, 3, 1, 9], np.uint8)
    parts = (pixels[:3], labels[:3], pixels[3:], labels[3:])
    contents = dict(zip(kind.checksums, map(idx, parts), strict=True))
    (root / kind.folder).mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (root / kind.folder / name).write_bytes(content)
    checksums = {name: md5(content).hexdigest() for name, content in contents.items()}
    monkeypatch.setattr(kind, "checksums", checksums)


@MNIST
def test_mnist_reads_the_archives(
    kind: type[IdxImages], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_idx(tmp_path, kind, monkeypatch)
    train, test = (kind().load(split, tmp_path) for split in ("train", "test"))
    assert (train.pixels.shape, test.pixels.shape) == ((3, 28, 28, 1), (2, 28, 28, 1))
    assert (train.pixels.dtype, train.labels.dtype) == (np.uint8, np.int64)
    assert (train.labels.tolist(), test.labels.tolist()) == ([9, 0, 3], [1, 9])
    assert train.pixels[2, 5, 6, 0] == (2 * 784 + 5 * 28 + 6) % 256
    assert len(kind(limit=2).load("train", tmp_path).labels) == 2
    assert len(kind(limit=1).load("test", tmp_path).labels) == 2


def test_class_names_in_label_order(tmp_path: Path) -> None:
    assert Mnist().classes(tmp_path) == Svhn().classes(tmp_path) == tuple("0123456789")
    assert FashionMnist().classes(tmp_path) == tuple(datasets.FashionMNIST.classes)


def test_damaged_archive_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_idx(tmp_path, Mnist, monkeypatch)
    name = "t10k-labels-idx1-ubyte.gz"
    (tmp_path / Mnist.folder / name).write_bytes(idx(np.zeros(2, np.uint8)))
    assert len(Mnist().load("train", tmp_path).labels) == 3
    with pytest.raises(DataError, match=rf"delete the folder.*{name} differs from its published"):
        Mnist().load("test", tmp_path)
    (tmp_path / Mnist.folder / name).unlink()
    with pytest.raises(DataError, match="incomplete or damaged"):
        Mnist().load("test", tmp_path)


def write_mat(path: Path, labels: list[int]) -> str:
    count = len(labels)
    pixels = np.arange(32 * 32 * 3 * count).reshape(32, 32, 3, count).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"X": pixels, "y": np.array(labels, np.uint8)[:, None]})
    return md5(path.read_bytes()).hexdigest()


def test_svhn_reads_both_splits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {}
    for split, labels in (("train", [10, 1, 2]), ("test", [9, 10])):
        url, name, _ = datasets.SVHN.split_list[split]
        listed[split] = [url, name, write_mat(tmp_path / "svhn" / name, labels)]
    monkeypatch.setattr(datasets.SVHN, "split_list", listed)
    train, test = (Svhn().load(split, tmp_path) for split in ("train", "test"))
    # The published files call a zero 10.
    assert (train.labels.tolist(), test.labels.tolist()) == ([0, 1, 2], [9, 0])
    assert (train.pixels.shape, train.pixels.dtype) == ((3, 32, 32, 3), np.uint8)
    assert train.pixels[2, 4, 5, 1] == (((4 * 32 + 5) * 3 + 1) * 3 + 2) % 256
    assert train.pixels.flags.c_contiguous
    assert len(Svhn(limit=2).load("train", tmp_path).labels) == 2
    (tmp_path / "svhn" / "test_32x32.mat").write_bytes(b"damaged")
    with pytest.raises(DataError, match="incomplete or damaged; delete the folder"):
        Svhn().load("test", tmp_path)


@pytest.mark.parametrize("kind", [Mnist, FashionMnist, Svhn])
def test_failed_download_says_what_to_put_where(
    kind: type[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(getattr(datasets, kind.torchvision_name), "download", fail)
    first = next(iter(kind.checksums))
    with pytest.raises(
        DataError, match=rf"no route to host\); put {first}, .* into .*{kind.folder}"
    ):
        kind().load("train", tmp_path)
    assert not any(tmp_path.iterdir())


def test_download_appears_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(self: Any) -> None:
        write_idx(Path(self.root), Mnist, monkeypatch)
        for name in Mnist.checksums:
            content = gzip.decompress((Path(self.raw_folder) / name).read_bytes())
            (Path(self.raw_folder) / name.removesuffix(".gz")).write_bytes(content)
        assert not (tmp_path / "MNIST").exists()

    monkeypatch.setattr(datasets.MNIST, "download", download)
    assert Mnist().load("train", tmp_path).labels.tolist() == [9, 0, 3]
    assert [path.name for path in tmp_path.iterdir()] == ["MNIST"]
