"""The images that networks are trained on, as they are stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from workers.data.digits import Digits
from workers.data.imagenet import ImageNet
from workers.data.voc import PascalVOC
from workers.images.subsets import holdout
from workers.run.members import members_of
from workers.tasks.training_images import TrainingImages
from workers.training.loading import load_train_data

CPU = torch.device("cpu")


def test_members_are_what_is_fitted_to_and_never_held_out(tmp_path: Path) -> None:
    digits = Digits(holdout=0.25)
    whole = digits.load("train", tmp_path)
    kept, _ = holdout(len(whole.labels), 0.25, multiple=16)
    train = load_train_data(digits, tmp_path, CPU, multiple=16)
    for count in (10, 10**6):
        members = members_of(train, digits, count, content="1", cache=tmp_path, threads=1)
        assert np.array_equal(members.pixels, whole.pixels[kept[:count]])
        assert np.array_equal(members.labels, whole.labels[kept[:count]])
    assert len(members.labels) == len(kept)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    from PIL import Image

    draw = np.random.default_rng(0)
    for index in range(24):
        pixels = draw.integers(0, 256, (20, 26, 3), dtype=np.uint8)
        for split in ("train", "val"):
            path = tmp_path / "imagenet" / split / f"n{index % 3:08}" / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path.with_suffix(".JPEG"), "JPEG", quality=95)
    return tmp_path


def test_members_that_stay_on_disk_are_decoded_once(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = ImageNet(size=16, holdout=0.25)
    train = load_train_data(data, photos, CPU, threads=2)
    cache = photos / "cache"
    members = members_of(train, data, 10, content="1", cache=cache, threads=2)
    assert isinstance(members.pixels, np.memmap)
    assert members.pixels.shape == (10, 16, 16, 3)
    for index in range(10):
        assert np.array_equal(members.pixels[index], data.decode(train.fit.view(index)))
    assert np.array_equal(members.labels, train.fit.labels[:10])
    everything = members_of(train, data, 10**6, content="1", cache=cache, threads=2)
    assert len(everything.labels) == 18
    assert np.array_equal(everything.pixels[:10], members.pixels)
    monkeypatch.setattr(ImageNet, "decode", None)
    again = members_of(train, data, 10, content="1", cache=cache, threads=2)
    assert np.array_equal(again.pixels, members.pixels)
    assert len(list((cache / "inputs").iterdir())) == 2


def test_members_of_segmentation_have_their_label_maps(voc_root: Path) -> None:
    data = PascalVOC(size=24, holdout=0.0)
    train = load_train_data(data, voc_root, CPU, threads=1)
    members = members_of(train, data, 5, content="1", cache=voc_root / "cache", threads=1)
    both = data.decode(train.fit.view(0))
    assert np.array_equal(members.pixels[0], both[..., :-1])
    assert np.array_equal(members.labels[0], both[..., -1])
    assert members.labels.shape == (5, 24, 24)


def test_at_least_one_image_is_asked_for() -> None:
    with pytest.raises(ValueError, match="count is 0, expected at least 1"):
        TrainingImages(count=0)
