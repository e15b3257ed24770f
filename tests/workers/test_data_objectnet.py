"""ObjectNet in a small copy that the test writes, its mappings in the original formats."""

import json
from pathlib import Path

import pytest
from PIL import Image

from workers.contracts import Component, DataError
from workers.data.objectnet import ObjectNet
from workers.registry import DATA_SETS

# Four classes of "ImageNet"; the lines of the names are in another order than PyTorch's labels.
WNIDS = ("n02000001", "n02000002", "n02000003", "n02000004")
LINES = ("digital clock", "bow tie, bow-tie, bowtie", "analog clock", "soap dispenser")
NUMBERS = {"0": 2, "1": 1, "2": 0, "3": 3}
FOLDERS = {"alarm_clock": "Alarm clock", "armband": "Armband", "tie": "Tie"}
CLASSES = {
    "Alarm clock": "digital clock; analog clock",
    "Tie": "bow tie, bow-tie, bowtie",
}
RED = (255, 0, 0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    mappings = tmp_path / "objectnet-1.0" / "mappings"
    mappings.mkdir(parents=True)
    (mappings / "folder_to_objectnet_label.json").write_text(json.dumps(FOLDERS))
    (mappings / "objectnet_to_imagenet_1k.json").write_text(json.dumps(CLASSES))
    (mappings / "pytorch_to_imagenet_2012_id.json").write_text(json.dumps(NUMBERS))
    (mappings / "imagenet_to_label_2012_v2").write_text("\n".join(LINES) + "\n")
    for grey, (folder, count) in enumerate({"tie": 1, "armband": 2, "alarm_clock": 2}.items()):
        place = tmp_path / "objectnet-1.0" / "images" / folder
        place.mkdir(parents=True)
        for index in range(count):
            image = Image.new("RGB", (46, 38), RED)
            image.paste((50 * grey + index,) * 3, (3, 3, 43, 35))
            image.save(place / f"{index}.png")
    for name in WNIDS:
        (tmp_path / "imagenet" / "val" / name).mkdir(parents=True)
    return tmp_path


def test_images_of_common_classes_have_the_first_label(root: Path) -> None:
    data = DATA_SETS.create(Component("objectnet", {"size": 16}))
    assert data.available(root)
    assert data.classes(root) == WNIDS
    images = data.load("test", root)
    # Both alarm clocks are "digital clock": line 0, which is label 2; the tie is line 1, label 1.
    assert images.labels.tolist() == [2, 2, 1]
    assert images.pixels[:, 0, 0, 0].tolist() == [100, 101, 0]
    assert data.count("test", root) == 3


def test_the_border_is_cut_off(root: Path) -> None:
    pixels = ObjectNet(size=16).load("test", root).pixels
    for image, grey in zip(pixels, (100, 101, 0), strict=True):
        assert (image == grey).all()


def test_fingerprint_follows_images_and_labels(root: Path) -> None:
    data = ObjectNet()
    first = data.fingerprint(root)
    assert first == data.fingerprint(root)
    armband = root / "objectnet-1.0" / "images" / "armband"
    (armband / "new.png").write_bytes(b"of no common class")
    assert data.fingerprint(root) == first
    mapping = root / "objectnet-1.0" / "mappings" / "pytorch_to_imagenet_2012_id.json"
    mapping.write_text(json.dumps({"0": 0, "1": 1, "2": 2, "3": 3}))
    second = data.fingerprint(root)
    assert second != first
    (root / "objectnet-1.0" / "images" / "tie" / "new.png").write_bytes(b"image")
    assert data.fingerprint(root) != second


def test_missing_files_say_what_to_put_where(root: Path) -> None:
    (root / "objectnet-1.0" / "mappings" / "imagenet_to_label_2012_v2").unlink()
    assert not ObjectNet().available(root)
    wanted = r"extract objectnet-1\.0\.zip of https://objectnet\.dev so that .*objectnet-1\.0 holds"
    with pytest.raises(DataError, match=wanted):
        ObjectNet().fingerprint(root)


def test_labels_mean_the_order_of_all_classes_of_imagenet(root: Path) -> None:
    (root / "imagenet" / "val" / WNIDS[0]).rmdir()
    with pytest.raises(DataError, match="holds 3 class folders, expected all 4 of ImageNet"):
        ObjectNet().classes(root)
    with pytest.raises(DataError, match=r"there is no folder .*elsewhere"):
        ObjectNet(imagenet="elsewhere").classes(root)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        (
            "objectnet_to_imagenet_1k.json",
            '{"Tie": "bow tie"}',
            "contradict each .* 'bow tie'",
        ),
        ("folder_to_objectnet_label.json", "{}", "contradict each .* 'Alarm clock'"),
        ("folder_to_objectnet_label.json", "{", "cannot read .*folder_to_objectnet_label"),
        ("folder_to_objectnet_label.json", "[]", "holds no mapping"),
    ],
)
def test_other_mappings_are_refused(root: Path, file: str, content: str, message: str) -> None:
    (root / "objectnet-1.0" / "mappings" / file).write_text(content)
    with pytest.raises(DataError, match=message):
        ObjectNet().files("test", root)


def test_a_missing_class_folder_is_named(root: Path) -> None:
    for path in (folder := root / "objectnet-1.0" / "images" / "tie").iterdir():
        path.unlink()
    folder.rmdir()
    with pytest.raises(DataError, match=r"cannot read .*tie: No such file"):
        ObjectNet().fingerprint(root)


def test_there_is_nothing_to_train_on(root: Path) -> None:
    with pytest.raises(DataError, match=r"objectnet is a test set .*; train on imagenet"):
        ObjectNet().load("train", root)
