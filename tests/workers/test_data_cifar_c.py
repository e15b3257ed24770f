"""CIFAR-10-C and CIFAR-100-C from files that the test writes as they are published."""

from pathlib import Path

import numpy as np
import pytest

from orchestrator.plan.keys import describe
from workers.contracts import Component, DataError
from workers.data.cifar10_c import Cifar10C
from workers.data.cifar100_c import Cifar100C
from workers.registry import DATA_SETS

EACH = 4
LABELS = np.tile(np.array([9, 0, 3, 3], np.uint8), 5)
PIXELS = np.random.default_rng(0).integers(0, 256, (5 * EACH, 32, 32, 3), dtype=np.uint8)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("CIFAR-10-C", "CIFAR-100-C"):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "labels.npy", LABELS)
        np.save(tmp_path / name / "fog.npy", PIXELS)
        np.save(tmp_path / name / "jpeg_compression.npy", PIXELS[::-1])
    return tmp_path


@pytest.mark.parametrize("name", ["cifar10_c", "cifar100_c"])
@pytest.mark.parametrize("severity", [1, 3, 5])
def test_reads_the_block_of_the_severity(root: Path, name: str, severity: int) -> None:
    data = DATA_SETS.create(Component(name, {"corruption": "fog", "severity": severity}))
    images = data.load("test", root)
    np.testing.assert_array_equal(images.pixels, PIXELS[(severity - 1) * EACH : severity * EACH])
    assert (images.labels.tolist(), images.labels.dtype) == ([9, 0, 3, 3], np.int64)
    assert data.count("test", root) == EACH
    assert data.available(root)


def test_only_the_block_is_read(root: Path) -> None:
    pixels = Cifar10C(corruption="fog").load("test", root).pixels
    assert isinstance(pixels, np.memmap)
    assert not pixels.flags.writeable


def test_severity_3_is_the_default_as_of_the_tasks(root: Path) -> None:
    assert Cifar10C(corruption="fog") == Cifar10C(corruption="fog", severity=3)


def test_the_task_s_name_and_the_file_s_are_the_same_thing(root: Path) -> None:
    ours, theirs = Cifar10C(corruption="jpeg"), Cifar10C(corruption="jpeg_compression")
    assert describe("cifar10_c", ours) == describe("cifar10_c", theirs)
    expected = PIXELS[::-1][2 * EACH : 3 * EACH]
    np.testing.assert_array_equal(ours.load("test", root).pixels, expected)


def test_what_enters_keys_is_the_corruption_and_not_the_place(root: Path) -> None:
    data = Cifar100C(corruption="fog", severity=4, folder="elsewhere")
    expected = {"name": "cifar100_c", "version": 1, "corruption": "fog", "severity": 4}
    assert describe("cifar100_c", data) == expected


def test_classes_are_those_of_the_clean_data(root: Path) -> None:
    names = Cifar10C(corruption="fog").classes(root)
    assert (len(names), names[0], names[3], names[9]) == (10, "airplane", "cat", "truck")
    names = Cifar100C(corruption="fog").classes(root)
    assert (len(set(names)), names[0], names[1], names[99]) == (
        100,
        "apple",
        "aquarium_fish",
        "worm",
    )


def test_fingerprint_follows_the_files_that_are_read(root: Path) -> None:
    fog, jpeg = Cifar10C(corruption="fog"), Cifar10C(corruption="jpeg")
    before = fog.fingerprint(root), jpeg.fingerprint(root)
    assert before[0] != before[1]
    np.save(root / "CIFAR-10-C" / "fog.npy", PIXELS[::-1])
    assert fog.fingerprint(root) != before[0]
    assert jpeg.fingerprint(root) == before[1]
    np.save(root / "CIFAR-10-C" / "labels.npy", LABELS[::-1])
    assert jpeg.fingerprint(root) != before[1]


def test_missing_files_say_what_to_put_where(root: Path) -> None:
    snow = Cifar10C(corruption="snow")
    assert not snow.available(root)
    wanted = (
        r"there is no .*snow\.npy; extract CIFAR-10-C\.tar of https://zenodo\.org/records/2535967"
    )
    with pytest.raises(DataError, match=wanted):
        snow.load("test", root)
    with pytest.raises(DataError, match=r"extract CIFAR-100-C\.tar of .*/3555552 so that .*100-C"):
        Cifar100C(corruption="snow").fingerprint(root)


def test_there_is_nothing_to_train_on(root: Path) -> None:
    with pytest.raises(DataError, match=r"cifar10_c is a test set .*; train on cifar10, and"):
        Cifar10C(corruption="fog").load("train", root)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"corruption": "fogg"}, "unknown corruption 'fogg', did you mean 'fog'"),
        ({"corruption": "fog", "severity": 6}, "severity: expected 1 to 5, found 6"),
        ({"corruption": "fog", "severity": "3"}, "severity: expected 1 to 5, found '3'"),
        ({"corruption": "fog", "holdout": 5}, "holdout is 5, expected a fraction"),
    ],
)
def test_what_is_not_published_is_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Cifar10C(**options)


@pytest.mark.parametrize(
    ("file", "array", "message"),
    [
        ("fog.npy", PIXELS[:-1], r"uint8 of shape \(19, 32, 32, 3\), expected uint8 .*\(20, 32"),
        ("fog.npy", PIXELS / 255, r"float64 of shape"),
        ("labels.npy", LABELS[:-1], "expected integers, as many for each of five severities"),
        ("labels.npy", LABELS + 1, "labels from 1 to 10, expected 0 to 9"),
    ],
)
def test_other_arrays_are_refused(root: Path, file: str, array: np.ndarray, message: str) -> None:
    np.save(root / "CIFAR-10-C" / file, array)
    with pytest.raises(DataError, match=message):
        Cifar10C(corruption="fog").load("test", root)


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00"])
def test_damaged_files_are_named(root: Path, content: bytes) -> None:
    (root / "CIFAR-10-C" / "fog.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"cannot read .*fog\.npy"):
        Cifar10C(corruption="fog").load("test", root)


def test_pickled_arrays_are_refused(root: Path) -> None:
    objects = np.array([{}], dtype=object)
    np.save(root / "CIFAR-10-C" / "labels.npy", objects, allow_pickle=True)
    with pytest.raises(DataError, match=r"cannot read .*labels\.npy"):
        Cifar10C(corruption="fog").load("test", root)
