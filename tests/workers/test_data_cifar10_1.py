"""CIFAR-10.1 from two files that the test writes, and the task that tests on it."""

from pathlib import Path

import numpy as np
import pytest

from orchestrator.plan.keys import describe
from orchestrator.spec.components import read
from workers.contracts import Component, DataError, Task
from workers.data.cifar10_1 import Cifar101
from workers.registry import DATA_SETS, TASKS
from workers.tasks.shifted import Shifted

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "cifar-10.1"
    folder.mkdir()
    np.save(folder / "cifar10.1_v6_data.npy", PIXELS)
    np.save(folder / "cifar10.1_v6_labels.npy", np.array([9, 0, 3], np.int32))
    return tmp_path


def test_reads_the_test_split(root: Path) -> None:
    data = DATA_SETS.create(Component("cifar10_1"))
    images = data.load("test", root)
    np.testing.assert_array_equal(images.pixels, PIXELS)
    assert (images.labels.tolist(), images.labels.dtype) == ([9, 0, 3], np.int64)
    names = data.classes(root)
    assert (len(names), names[0], names[3], names[9]) == (10, "airplane", "cat", "truck")
    assert data.available(root)


def test_there_is_nothing_to_train_on(root: Path) -> None:
    with pytest.raises(DataError, match="test set and has nothing to train on; train on cifar10"):
        Cifar101().load("train", root)


def test_fingerprint_follows_the_content(root: Path) -> None:
    before = Cifar101().fingerprint(root)
    assert before == Cifar101().fingerprint(root)
    np.save(root / "cifar-10.1" / "cifar10.1_v6_labels.npy", np.array([9, 0, 4], np.int64))
    assert Cifar101().fingerprint(root) != before


def test_missing_files_say_what_to_put_where(tmp_path: Path) -> None:
    assert not Cifar101().available(tmp_path)
    wanted = r"put cifar10\.1_v6_data\.npy and cifar10\.1_v6_labels\.npy of .* into .*cifar-10\.1"
    with pytest.raises(DataError, match=wanted):
        Cifar101().load("test", tmp_path)
    with pytest.raises(DataError, match=wanted):
        Cifar101().fingerprint(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00"])
def test_damaged_files_are_named(root: Path, content: bytes) -> None:
    (root / "cifar-10.1" / "cifar10.1_v6_data.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"cannot read .*cifar10\.1_v6_data\.npy"):
        Cifar101().load("test", root)


def test_pickled_arrays_are_refused(root: Path) -> None:
    objects = np.array([{}], dtype=object)
    np.save(root / "cifar-10.1" / "cifar10.1_v6_data.npy", objects, allow_pickle=True)
    with pytest.raises(DataError, match="cannot read"):
        Cifar101().load("test", root)


def test_other_arrays_are_refused(root: Path) -> None:
    np.save(root / "cifar-10.1" / "cifar10.1_v6_data.npy", PIXELS[:2])
    with pytest.raises(DataError, match=r"uint8 of shape \(2, 32, 32, 3\), expected .*\(3, 32"):
        Cifar101().load("test", root)


def test_shifted_names_the_data_set_that_it_tests_on() -> None:
    task = TASKS.create(Component("shifted", {"data": "cifar10_1"}))
    assert isinstance(task, Task)
    assert task.replaces() == Component("cifar10_1")
    options = {"train": "a", "test": "b", "size": 8}
    assert Shifted(data={"imagefolder": options}).replaces() == Component("imagefolder", options)
    assert Shifted(data={"cifar10_1": None}).replaces() == Component("cifar10_1")


def test_where_files_lie_is_no_part_of_the_description_of_shifted() -> None:
    # What the data set is and contains enters the key of the task beside it.
    options = {"train": "a", "test": "b", "size": 8}
    described = describe("shifted", Shifted(data={"imagefolder": options}))
    assert described == {"name": "shifted", "version": 1}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("cifar10.1", "unknown data set 'cifar10.1', did you mean 'cifar10"),
        ({"imagefoldr": {}}, "unknown data set 'imagefoldr', did you mean 'imagefolder'"),
        ({"cifar10_1": {"size": 8}}, "unknown option 'size'"),
        ({"imagefolder": {}}, "option 'train' is missing"),
        ({}, "data: expected a name, or one name with a mapping"),
        ({"digits": {}, "cifar10": {}}, "data: expected a name, or one name with a mapping"),
        ({"digits": [1]}, "data: expected a name, or one name with a mapping"),
    ],
)
def test_shifted_refuses_what_is_no_data_set(data: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(TASKS, {"shifted": {"data": data}}, expand=False)
