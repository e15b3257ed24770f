"""ImageNet-C in a few files that the test writes, in both layouts its archives are kept in."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workers.contracts import Component, DataError
from workers.data.imagenet_c import ImageNetC
from workers.registry import DATA_SETS

CLASSES = ("n01440764", "n01443537", "n02105855")


def photo(seed: int, side: int = 24) -> bytes:
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    content = BytesIO()
    Image.fromarray(coarse).resize((side, side)).save(content, "JPEG", quality=85)
    return content.getvalue()


def write(place: Path, seed: int) -> None:
    for label, name in enumerate(CLASSES):
        (place / name).mkdir(parents=True)
        for index in range(label + 1):
            content = photo(100 * seed + 10 * label + index)
            (place / name / f"ILSVRC2012_val_{index}.JPEG").write_bytes(content)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "imagenet-c" / "fog" / "3", 1)
    write(tmp_path / "imagenet-c" / "digital" / "jpeg_compression" / "5", 2)
    return tmp_path


def test_reads_the_folder_of_corruption_and_severity(root: Path) -> None:
    data = DATA_SETS.create(Component("imagenet_c", {"corruption": "fog", "size": 24}))
    assert data.classes(root) == CLASSES
    assert data.count("test", root) == 6
    images = data.load("test", root)
    assert images.labels.tolist() == [0, 1, 1, 2, 2, 2]
    assert images.pixels.shape == (6, 24, 24, 3)


def test_archives_in_folders_of_their_own_are_found(root: Path) -> None:
    data = ImageNetC(corruption="jpeg", severity=5, size=24)
    assert data.available(root)
    assert len(data.load("test", root).labels) == 6
    assert data == ImageNetC(corruption="jpeg_compression", severity=5, size=24)


def test_images_are_seen_as_published_and_not_cropped_again(root: Path) -> None:
    path = root / "imagenet-c" / "fog" / "3" / CLASSES[0] / "ILSVRC2012_val_0.JPEG"
    with Image.open(path) as image:
        published = np.asarray(image.convert("RGB"))
    seen = ImageNetC(corruption="fog", size=24).load("test", root).pixels[0]
    np.testing.assert_array_equal(seen, published)
    smaller = ImageNetC(corruption="fog", size=12).load("test", root).pixels[0]
    assert smaller.shape == (12, 12, 3)
    # The whole image: its means, block by block, are those of the published one.
    blocks = published.reshape(4, 6, 4, 6, 3).mean((1, 3))
    np.testing.assert_allclose(smaller.reshape(4, 3, 4, 3, 3).mean((1, 3)), blocks, atol=12)


def test_fingerprint_tells_conditions_and_files_apart(root: Path) -> None:
    write(root / "imagenet-c" / "snow" / "3", 1)  # to the byte what fog holds
    fog, snow = ImageNetC(corruption="fog"), ImageNetC(corruption="snow")
    before = fog.fingerprint(root)
    assert before == fog.fingerprint(root) != snow.fingerprint(root)
    (root / "imagenet-c" / "fog" / "3" / CLASSES[0] / "new.JPEG").write_bytes(photo(7))
    assert fog.fingerprint(root) != before


def test_missing_folders_say_what_to_put_where(root: Path) -> None:
    missing = ImageNetC(corruption="gaussian_blur", severity=2)
    assert not missing.available(root)
    wanted = r"gaussian_blur/2 nor .*extra/gaussian_blur/2; extract extra\.tar of https://zenodo"
    for read in (missing.fingerprint, missing.classes, lambda at: missing.load("test", at)):
        with pytest.raises(DataError, match=wanted):
            read(root)


def test_folders_without_images_are_refused(root: Path) -> None:
    (root / "imagenet-c" / "frost" / "3" / CLASSES[0]).mkdir(parents=True)
    with pytest.raises(DataError, match=r"there is no image in .*frost"):
        ImageNetC(corruption="frost").load("test", root)


def test_there_is_nothing_to_train_on(root: Path) -> None:
    with pytest.raises(DataError, match=r"imagenet_c is a test set .*; train on imagenet"):
        ImageNetC(corruption="fog").load("train", root)


def test_damaged_images_are_named(root: Path) -> None:
    (root / "imagenet-c" / "fog" / "3" / CLASSES[0] / "bad.JPEG").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"cannot decode .*bad\.JPEG"):
        ImageNetC(corruption="fog", size=24).load("test", root)
