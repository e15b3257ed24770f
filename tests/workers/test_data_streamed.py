"""ImageNet in a few files that the test writes, and the training data streamed from them."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from workers.contracts import Component, DataError, Training
from workers.data.imagenet import ImageNet
from workers.images.streamed import View
from workers.registry import DATA_SETS
from workers.training.loading import load_train_data
from workers.training.streamed_data import StreamedData

CPU = torch.device("cpu")
CLASSES = ("n01440764", "n01443537", "n02105855")
RECIPE = Training(epochs=1, batch_size=8, flip=True)


def write_photo(path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    width, height = (int(side) for side in random.integers(40, 90, 2))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(coarse).resize((width, height)).save(path, "JPEG", quality=95)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for label, name in enumerate(CLASSES):
        for index in range(10):
            path = tmp_path / "imagenet" / "train" / name / f"{name}_{index}.JPEG"
            write_photo(path, 100 * label + index)
        for index in range(2):
            path = tmp_path / "imagenet" / "val" / name / f"ILSVRC2012_val_{label}{index}.JPEG"
            write_photo(path, 1000 * (label + 1) + index)
    return tmp_path


SMALL = ImageNet(size=16)


def streamed(root: Path, threads: int = 2, holdout: float = 0.2, **options: int) -> StreamedData:
    return StreamedData(ImageNet(size=16, holdout=holdout), root, CPU, threads=threads, **options)


def test_lists_files_class_by_class(root: Path) -> None:
    data = DATA_SETS.create(Component("imagenet", {"size": 16}))
    assert data.classes(root) == CLASSES
    train = SMALL.examples("train", root)
    assert train.labels.tolist() == [0] * 10 + [1] * 10 + [2] * 10
    assert [Path(path).name for path in train.paths[9:11]] == [
        "n01440764_9.JPEG",
        "n01443537_0.JPEG",
    ]
    assert len(SMALL.examples("test", root)) == 6


def test_limit_takes_a_part_of_the_train_split(root: Path) -> None:
    some = ImageNet(size=16, limit=7)
    assert len(some.examples("train", root)) == 7
    assert len(some.examples("test", root)) == 6
    assert set(some.examples("train", root).paths) < set(SMALL.examples("train", root).paths)


def test_test_split_is_decoded_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = SMALL.load("test", root)
    assert isinstance(images.pixels, np.memmap)
    assert (images.pixels.shape, images.labels.tolist()) == ((6, 16, 16, 3), [0, 0, 1, 1, 2, 2])
    usual = transforms.Compose([transforms.Resize(18), transforms.CenterCrop(16)])
    for path, pixels in zip(SMALL.examples("test", root).paths, images.pixels, strict=True):
        np.testing.assert_array_equal(pixels, np.asarray(usual(Image.open(path))))
    monkeypatch.setattr(ImageNet, "decode", None)
    np.testing.assert_array_equal(SMALL.load("test", root).pixels, images.pixels)
    assert len(list((root / ".decoded").iterdir())) == 1


def test_splits_and_sizes_do_not_share_what_was_decoded(root: Path) -> None:
    assert SMALL.load("test", root).pixels.shape == (6, 16, 16, 3)
    assert SMALL.load("train", root).pixels.shape == (30, 16, 16, 3)
    assert ImageNet(size=8).load("test", root).pixels.shape == (6, 8, 8, 3)
    assert ImageNet(size=16, limit=4).load("train", root).pixels.shape == (4, 16, 16, 3)
    assert ImageNet(size=16, limit=4).load("test", root).pixels.shape == (6, 16, 16, 3)
    assert len(list((root / ".decoded").iterdir())) == 4


def test_undecodable_test_image_leaves_nothing_behind(root: Path) -> None:
    (root / "imagenet" / "val" / CLASSES[1] / "broken.JPEG").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"cannot decode .*broken\.JPEG"):
        SMALL.load("test", root)
    assert not list((root / ".decoded").iterdir())


def test_cache_that_cannot_be_written_is_named(root: Path) -> None:
    (root / ".decoded").write_text("in the way")
    with pytest.raises(DataError, match=r"cannot write .*\.decoded.*decoded to once"):
        SMALL.load("test", root)


def test_fingerprint_follows_names_and_sizes_and_not_the_place(root: Path) -> None:
    before = SMALL.fingerprint(root)
    (root / "imagenet").rename(root / "elsewhere")
    moved = ImageNet(train="elsewhere/train", test="elsewhere/val", size=16)
    assert moved.fingerprint(root) == before
    path = root / "elsewhere" / "val" / CLASSES[0] / "another.JPEG"
    write_photo(path, 5)
    later = path.parent.stat().st_mtime + 1
    os.utime(path.parent, (later, later))
    assert moved.fingerprint(root) != before


def test_fingerprint_lists_files_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = SMALL.fingerprint(root)
    monkeypatch.setattr("workers.data.imagenet._images", None)
    assert SMALL.fingerprint(root) == first


def test_missing_folders_say_what_to_put_where(tmp_path: Path) -> None:
    assert not SMALL.available(tmp_path)
    with pytest.raises(DataError, match=r"no folder .*imagenet/train; put ImageNet there as"):
        SMALL.fingerprint(tmp_path)
    for split in ("train", "val"):
        (tmp_path / "imagenet" / split / "n0").mkdir(parents=True)
    assert SMALL.available(tmp_path)
    with pytest.raises(DataError, match="holds no images"):
        SMALL.examples("train", tmp_path)
    (tmp_path / "imagenet" / "val" / "n1").mkdir()
    with pytest.raises(DataError, match="only one of them has: n1"):
        SMALL.load("test", tmp_path)


def test_parts_are_those_of_the_subset(root: Path) -> None:
    data = streamed(root)
    assert (len(data.fit), len(data.held_out)) == (24, 6)
    assert len({*data.fit.paths, *data.held_out.paths}) == 30
    assert len(streamed(root, multiple=4).held_out) == 8
    assert (data.channels, data.classes) == (3, CLASSES)
    torch.testing.assert_close(data.mean, torch.tensor([0.485, 0.456, 0.406]))
    for path, label in zip(data.fit.paths, data.fit.labels, strict=True):
        assert Path(path).parent.name == CLASSES[label]


def test_an_epoch_shows_every_image_once_normalised(root: Path) -> None:
    data = streamed(root)
    batches = list(data.batches(RECIPE, 0, 0))
    assert len(batches) == data.steps_per_epoch(RECIPE) == 3
    for images, labels in batches:
        assert (images.shape, images.dtype, len(labels)) == ((8, 3, 16, 16), torch.float32, 8)
        assert images.is_contiguous(memory_format=torch.channels_last)
        assert labels.dtype == torch.int64
    shown = torch.cat([labels for _, labels in batches])
    assert sorted(shown.tolist()) == sorted(data.fit.labels.tolist())
    pixels = torch.cat([images for images, _ in batches])
    levels = (pixels * data.std.view(-1, 1, 1) + data.mean.view(-1, 1, 1)) * 255
    torch.testing.assert_close(levels, levels.round(), atol=1e-3, rtol=0)
    assert (levels.min() >= -0.001, levels.max() <= 255.001) == (True, True)


def test_a_last_batch_of_one_is_left_out(root: Path) -> None:
    data = streamed(root)
    recipe = Training(epochs=1, batch_size=23)
    assert [len(labels) for _, labels in data.batches(recipe, 0, 0)] == [23]
    assert data.steps_per_epoch(recipe) == 1


def test_images_depend_on_seed_and_epoch_and_not_on_threads(root: Path) -> None:
    def epoch(threads: int, seed: int, epoch: int) -> torch.Tensor:
        data = streamed(root, threads)
        return torch.cat([images for images, _ in data.batches(RECIPE, seed, epoch)])

    first = epoch(1, 0, 0)
    assert torch.equal(first, epoch(5, 0, 0))
    assert not torch.equal(first, epoch(1, 0, 1))
    assert not torch.equal(first, epoch(1, 1, 0))


def test_flip_mirrors_half_of_the_images(root: Path) -> None:
    data = streamed(root)
    plain = torch.cat([x for x, _ in data.batches(Training(epochs=1, batch_size=8), 3, 0)])
    flipped = torch.cat([x for x, _ in data.batches(RECIPE, 3, 0)])
    same = (plain == flipped).flatten(1).all(1)
    mirrored = (plain.flip(3) == flipped).flatten(1).all(1)
    assert (same ^ mirrored).all()
    assert 4 <= mirrored.sum() <= 20


def test_views_of_one_file(root: Path) -> None:
    path = SMALL.examples("train", root).paths[0]
    draws = [0.3, 0.6] * 11
    crop, mirrored = (SMALL.decode(View(path, draws, flip)) for flip in (False, True))
    np.testing.assert_array_equal(crop[:, ::-1], mirrored)
    assert (crop.shape, crop.dtype) == ((16, 16, 3), np.uint8)
    assert not np.array_equal(SMALL.decode(View(path)), crop)


def test_padding_is_refused(root: Path) -> None:
    with pytest.raises(DataError, match="leave 'crop' out"):
        next(streamed(root).batches(Training(epochs=1, crop=4), 0, 0))


def test_samples_are_central_views_of_held_out_images(root: Path) -> None:
    data = streamed(root)
    batches = data.samples(0, count=5, batch_size=2)
    # A last batch of one image joins the one before it.
    assert [len(labels) for _, labels in batches] == [2, 3]
    central = {}
    for path, label in zip(data.held_out.paths, data.held_out.labels, strict=True):
        levels = torch.from_numpy(SMALL.decode(View(path)).copy()).permute(2, 0, 1) / 255
        image = (levels - data.mean.view(-1, 1, 1)) / data.std.view(-1, 1, 1)
        central[image.numpy().round(3).tobytes()] = int(label)
    for images, labels in batches:
        for image, label in zip(images, labels, strict=True):
            assert central.pop(image.contiguous().numpy().round(3).tobytes()) == label
    assert streamed(root, holdout=0.0).samples(0) == ()


def test_the_mix_corrupts_what_the_recipe_names(root: Path) -> None:
    data = streamed(root)
    robust = Training(epochs=1, batch_size=8, flip=True, mix=("brightness",))
    clean, corrupted = (
        torch.cat([images for images, _ in data.batches(recipe, 0, 0)])
        for recipe in (RECIPE, robust)
    )
    # Brightness never darkens, and leaves a sixth of the images as they are.
    assert (corrupted >= clean - 0.03).all()
    changed = (corrupted - clean).abs().flatten(1).amax(1) > 0.1
    assert 12 <= changed.sum() < 24
    again = torch.cat([images for images, _ in streamed(root, 1).batches(robust, 0, 0)])
    assert torch.equal(corrupted, again)
    assert not torch.equal(data.samples(0)[0][0], data.samples(0, recipe=robust)[0][0])


def test_it_is_what_training_asks_for(root: Path) -> None:
    data = load_train_data(ImageNet(size=16, holdout=0.2), root, CPU, multiple=4, threads=2)
    assert isinstance(data, StreamedData)
    assert len(data.held_out) == 8


def test_stopping_early_ends_the_threads(root: Path) -> None:
    batches = streamed(root).batches(RECIPE, 0, 0)
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert not [t for t in threading.enumerate() if t.name.startswith("decode")]


def test_truncated_image_is_named(root: Path) -> None:
    path = root / "imagenet" / "train" / CLASSES[0] / "n01440764_3.JPEG"
    path.write_bytes(path.read_bytes()[:400])
    data = streamed(root, holdout=0.0)
    with pytest.raises(DataError, match=r"cannot decode .*n01440764_3\.JPEG"):
        list(data.batches(RECIPE, 0, 0))


def test_a_png_called_jpeg_is_decoded(root: Path) -> None:
    path = root / "imagenet" / "train" / CLASSES[2] / "n02105855_2933.JPEG"
    Image.new("RGB", (30, 40), (255, 0, 0)).save(path, "PNG")
    assert (SMALL.decode(View(str(path), [0.5] * 22)) == [255, 0, 0]).all()
