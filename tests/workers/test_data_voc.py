"""Pascal VOC in a few files that the test writes: splits, geometry, label maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

from workers.contracts import Component, DataError, Training
from workers.data.voc import PascalVOC
from workers.images.streamed import View
from workers.registry import DATA_SETS
from workers.training.loading import load_train_data
from workers.training.streamed_data import StreamedData

SMALL = PascalVOC(size=17)
SBD = PascalVOC(size=17, split="sbd")
NAMES = "VOCdevkit/VOC2012/JPEGImages/{}.jpg"
RECIPE = Training(epochs=1, batch_size=4, flip=True)


def names(data: PascalVOC, split: str, root: Path) -> list[int]:
    return [int(Path(path).stem[-6:]) for path in data.files(split, root).paths]


def streamed(root: Path, threads: int = 2, holdout: float = 0.25) -> StreamedData:
    data = PascalVOC(size=17, holdout=holdout)
    return StreamedData(data, root, torch.device("cpu"), threads=threads)


def test_whatever_is_labelled_and_no_test_image_is_trained_on(voc_root: Path) -> None:
    assert names(SMALL, "train", voc_root) == list(range(18))
    assert names(SMALL, "test", voc_root) == [18, 19, 20, 21]
    assert names(SBD, "train", voc_root) == list(range(10))
    assert names(SBD, "test", voc_root) == list(range(10, 20))
    assert len(SMALL.classes(voc_root)) == 21
    some = PascalVOC(size=17, limit=5)
    assert len(some.examples("train", voc_root)) == 5
    assert len(some.examples("test", voc_root)) == 4


def test_voc_s_own_labels_count_where_there_are_two(voc_root: Path) -> None:
    maps = SMALL.files("train", voc_root).labels
    assert [Path(path).suffix for path in maps] == [".mat"] * 16 + [".png"] * 2
    assert {Path(path).suffix for path in SBD.files("test", voc_root).labels} == {".mat"}


@pytest.mark.parametrize("data", [SMALL, PascalVOC(size=30), PascalVOC(size=64)])
def test_test_images_are_the_centre_decoded_once(
    voc_root: Path, data: PascalVOC, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = data.load("test", voc_root)
    assert test.pixels.shape == (4, data.size, data.size, 3)
    assert (test.labels.shape, test.labels.dtype) == ((4, data.size, data.size), np.uint8)
    assert isinstance(test.pixels, np.memmap)
    listing = data.files("test", voc_root)
    for path, label_map, pixels, labels in zip(
        listing.paths, listing.labels, test.pixels, test.labels, strict=True
    ):
        image = F.center_crop(F.resize(Image.open(path), data.size), data.size)
        np.testing.assert_array_equal(pixels, np.asarray(image))
        nearest = F.resize(Image.open(label_map), data.size, InterpolationMode.NEAREST)
        np.testing.assert_array_equal(labels, np.asarray(F.center_crop(nearest, data.size)))
    monkeypatch.setattr(PascalVOC, "decode", None)
    np.testing.assert_array_equal(data.load("test", voc_root).labels, test.labels)


@pytest.mark.parametrize(
    ("draws", "short", "left", "top"),
    [
        ([0.0, 0.0, 0.0], 8, 0, 0),  # smaller than the window: 10 by 8, filled up
        ([0.5, 0.999, 0.0], 20, 9, 0),  # 26 by 20
        ([0.999, 0.5, 0.999], 32, 13, 15),  # 42 by 32
    ],
)
def test_a_random_window_is_the_scaled_picture_cropped(
    voc_root: Path, draws: list[float], short: int, left: int, top: int
) -> None:
    view = SMALL.files("train", voc_root).view(17, draws)
    shown = SMALL.decode(view)
    image, labels = F.resize(Image.open(view.path), short), Image.open(view.label_map)
    labels = F.resize(labels, short, InterpolationMode.NEAREST)
    window = np.s_[top : top + 17, left : left + 17]
    inside = np.asarray(image)[window]
    np.testing.assert_array_equal(shown[: len(inside), : inside.shape[1], :3], inside)
    wanted = np.full((17, 17), 255)
    wanted[: len(inside), : inside.shape[1]] = np.asarray(labels)[window]
    np.testing.assert_array_equal(shown[..., 3], wanted)
    assert not shown[len(inside) :, :, :3].any()
    assert not shown[:, inside.shape[1] :, :3].any()
    mirrored = SMALL.decode(view._replace(mirrored=True))
    np.testing.assert_array_equal(mirrored, shown[:, ::-1])


def test_the_window_of_the_paper_scales_short_sides_to_256_to_1024() -> None:
    from workers.images.scaled_window import Window

    shortest, longest = (Window.random(500, 375, 513, [d, 0, 0]) for d in (0.0, 0.9999))
    assert (shortest.width, shortest.height) == (341, 256)
    assert (longest.width, longest.height) == (1365, 1024)
    assert Window.random(375, 500, 513, [0.9999, 0.9999, 0.9999]).top == 1365 - 513


def test_images_and_labels_move_together(voc_root: Path) -> None:
    """The images are black where the labels are not 0, whatever the window and the mirroring."""
    data = streamed(voc_root)
    batches = list(data.batches(RECIPE, 0, 0))
    assert [labels.shape for _, labels in batches] == [(4, 17, 17)] * 3 + [(2, 17, 17)]
    images, labels = (torch.cat(parts) for parts in zip(*batches, strict=True))
    assert labels.dtype == torch.int64
    assert set(labels.unique().tolist()) == {0, 1, 2, 3, 255}
    grey = (images * data.std.view(-1, 1, 1) + data.mean.view(-1, 1, 1)).mean(1)
    # Edges are blurred by scaling and JPEG: most pixels tell.
    assert (grey[labels == 0] > 0.5).float().mean() > 0.95
    assert (grey[(labels > 0) & (labels < 255)] < 0.5).float().mean() > 0.9
    assert len(data.held_out) == 4


def test_draws_depend_on_seed_and_epoch_and_not_on_threads(voc_root: Path) -> None:
    def epoch(threads: int, seed: int, number: int) -> torch.Tensor:
        batches = streamed(voc_root, threads).batches(RECIPE, seed, number)
        return torch.cat([torch.cat([x, y[:, None]], 1) for x, y in batches])

    first = epoch(1, 0, 0)
    assert torch.equal(first, epoch(4, 0, 0))
    assert not torch.equal(first, epoch(1, 0, 1))
    assert not torch.equal(first, epoch(1, 1, 0))


def test_samples_are_central_views_with_their_maps(voc_root: Path) -> None:
    data = streamed(voc_root)
    (batch,) = data.samples(0, count=3)
    images, labels = batch
    assert (images.shape, labels.shape, labels.dtype) == ((3, 3, 17, 17), (3, 17, 17), torch.int64)
    held = [data.held_out.view(index) for index in range(4)]
    central = {PascalVOC.decode(SMALL, view)[..., 3].tobytes() for view in held}
    assert {label.numpy().astype(np.uint8).tobytes() for label in labels} <= central


def test_the_registry_and_training_find_it(voc_root: Path) -> None:
    data = DATA_SETS.create(Component("voc", {"size": 17}))
    assert data.labels == "map"
    train = load_train_data(data, voc_root, torch.device("cpu"), multiple=2)
    assert (len(train.held_out), train.channels, len(train.classes)) == (2, 3, 21)


def test_the_fingerprint_is_of_contents_and_split(voc_root: Path) -> None:
    before = SMALL.fingerprint(voc_root)
    assert before == PascalVOC(size=33).fingerprint(voc_root) != SBD.fingerprint(voc_root)
    labels = voc_root / "VOCdevkit" / "VOC2012" / "SegmentationClass" / "2008_000016.png"
    Image.new("L", (40, 30), 7).save(labels)
    assert SMALL.fingerprint(voc_root) != before


def test_what_is_missing_is_named(voc_root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    empty = tmp_path_factory.mktemp("empty")
    for data in (SMALL, SBD):
        assert not data.available(empty)
        with pytest.raises(DataError, match=r"extract VOCtrainval_11-May-2012\.tar .*benchmark"):
            data.fingerprint(empty)
    (voc_root / "VOCdevkit" / "VOC2012" / "SegmentationClass" / "2008_000021.png").unlink()
    with pytest.raises(DataError, match="no label map of 2008_000021; extract"):
        SMALL.files("test", voc_root)
    (voc_root / "VOCdevkit").rename(voc_root / "elsewhere")
    assert not SMALL.available(voc_root)
    assert SBD.available(voc_root)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            Image.new("RGB", (40, 30)),
            r"2008_000020\.png has colours \(RGB\), expected a class number",
        ),
        (
            Image.new("L", (40, 30), 21),
            r"2008_000020\.png has pixels of class 21, expected 0 to 20, or 255",
        ),
        (Image.new("L", (30, 40)), r"2008_000020\.png are not of one size"),
        (b"no image", r"cannot decode .*2008_000020\.png"),
    ],
)
def test_a_bad_label_map_is_named(voc_root: Path, content: object, message: str) -> None:
    path = voc_root / "VOCdevkit" / "VOC2012" / "SegmentationClass" / "2008_000020.png"
    content.save(path) if isinstance(content, Image.Image) else path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        SMALL.load("test", voc_root)


def test_a_damaged_map_of_sbd_is_named(voc_root: Path) -> None:
    path = voc_root / "benchmark_RELEASE" / "dataset" / "cls" / "2008_000003.mat"
    path.write_bytes(path.read_bytes()[:150])
    image = str(voc_root / NAMES.format("2008_000003"))
    with pytest.raises(DataError, match=r"cannot read the label map .*2008_000003\.mat"):
        SMALL.decode(View(image, label_map=str(path)))
