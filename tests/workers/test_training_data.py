"""Images on the device: parting, normalisation, augmentation, order."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workers.contracts import DataError, DataSet, Images, Split, Training
from workers.images.normalisation import normalise, statistics
from workers.images.subsets import holdout
from workers.training.augmentation import EpochDraws, crop_and_mirror
from workers.training.device_data import DeviceData

CPU = torch.device("cpu")
PLAIN = Training(epochs=1, batch_size=16)


@dataclass(frozen=True, kw_only=True)
class Noise(DataSet):
    """Random images whose first pixel holds their number."""

    count: int = 50

    def load(self, split: Split, root: Path) -> Images:
        pixels = np.random.default_rng(0).integers(0, 256, (self.count, 5, 4, 3), dtype=np.uint8)
        pixels[:, 0, 0, 0] = np.arange(self.count)
        return Images(pixels, np.arange(self.count) % 7)

    def classes(self, root: Path) -> tuple[str, ...]:
        return tuple("abcdefg")


def data(**options: float) -> DeviceData:
    return DeviceData(Noise(**options), Path(), CPU)  # type: ignore[arg-type]


def numbers(pixels: torch.Tensor) -> list[int]:
    return pixels[:, 0, 0, 0].tolist()


def test_parts_are_disjoint_complete_and_fixed() -> None:
    first, second = data(), data()
    fit, held = numbers(first.fit.pixels), numbers(first.held_out.pixels)
    assert (len(fit), len(held)) == (45, 5)
    assert sorted(fit + held) == list(range(50))
    assert fit == numbers(second.fit.pixels)
    assert first.fit.labels.tolist() == [number % 7 for number in fit]
    assert (first.channels, first.classes) == (3, tuple("abcdefg"))


def test_holdout_limits() -> None:
    assert len(data(holdout=0.0).held_out) == 0
    for wrong in (1.0, -0.1):
        with pytest.raises(ValueError, match=f"holdout is {wrong}, expected a fraction from 0"):
            data(holdout=wrong)
    with pytest.raises(DataError, match=r"cannot hold 0\.999 of 50 examples out"):
        data(holdout=0.999)
    assert data(holdout=0.0).samples(0) == ()


@pytest.mark.parametrize(
    ("holdout", "multiple", "held"),
    [(0.1, 1, 5), (0.1, 8, 5), (0.3, 4, 16), (0.2, 5, 10), (0.5, 64, 25)],
)
def test_holdout_is_rounded_up_to_whole_batches_from_one_on(
    holdout: float, multiple: int, held: int
) -> None:
    parted = DeviceData(Noise(holdout=holdout), Path(), CPU, multiple)
    assert (len(parted.fit), len(parted.held_out)) == (50 - held, held)


def test_holdout_of_the_paper() -> None:
    kept, held = holdout(50_000, 0.1, multiple=128)
    assert (len(kept), len(held)) == (44_880, 5_120)


def test_statistics_are_exact() -> None:
    pixels = np.array([0, 255, 0, 255], np.uint8).reshape(2, 2, 1, 1)
    assert statistics(pixels) == ([0.5], [0.5])
    assert statistics(np.full((3, 2, 2, 1), 51, np.uint8)) == ([0.2], [1.0])
    noise = np.random.default_rng(1).integers(0, 256, (40, 9, 7, 3), dtype=np.uint8)
    mean, std = statistics(noise)
    np.testing.assert_allclose(mean, (noise / 255).mean((0, 1, 2)), rtol=1e-14)
    np.testing.assert_allclose(std, (noise / 255).std((0, 1, 2)), rtol=1e-13)


def test_statistics_leave_the_held_out_images_aside() -> None:
    parted = data()
    expected = (parted.fit.pixels.numpy() / 255).mean((0, 1, 2))
    np.testing.assert_allclose(parted.mean, expected, rtol=1e-6)


def test_normalised_images_have_mean_0_deviation_1_and_channels_last() -> None:
    parted = data()
    batch = normalise(parted.fit.pixels, parted.mean, parted.std)
    assert batch.shape == (45, 3, 5, 4)
    assert batch.dtype == torch.float32
    assert batch.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(batch.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(batch.std((0, 2, 3), correction=0), torch.ones(3))


def test_an_epoch_shows_every_image_once_in_an_order_of_its_own() -> None:
    parted = data()

    def labels(seed: int, epoch: int) -> list[int]:
        return [int(x) for _, batch in parted.batches(PLAIN, seed, epoch) for x in batch]

    assert sorted(labels(0, 0)) == sorted(parted.fit.labels.tolist())
    assert labels(0, 0) == labels(0, 0)
    assert labels(0, 0) != labels(0, 1)
    assert labels(0, 0) != labels(1, 0)


@pytest.mark.parametrize(("batch_size", "sizes"), [(16, [16, 16, 13]), (22, [22, 22]), (99, [45])])
def test_batch_sizes(batch_size: int, sizes: list[int]) -> None:
    recipe = Training(epochs=1, batch_size=batch_size)
    found = [len(labels) for _, labels in data().batches(recipe, 0, 0)]
    assert found == sizes
    assert data().steps_per_epoch(recipe) == len(sizes)


def test_images_keep_their_labels_when_augmented() -> None:
    parted = data()
    recipe = Training(epochs=1, batch_size=45, crop=1, flip=True)
    plain, labels = next(parted.batches(Training(epochs=1, batch_size=45), 4, 0))
    augmented, same = next(parted.batches(recipe, 4, 0))
    assert torch.equal(labels, same)
    assert augmented.shape == plain.shape
    # The inner rows and columns are in every crop of a padding of 1, mirrored or not.
    inner = augmented.flatten(1).sort().values, plain[:, :, 1:-1, 1:-1].flatten(1)
    assert all(torch.isin(few, many).all() for many, few in zip(*inner, strict=True))


@given(st.integers(0, 4), st.integers(0, 1000))
def test_crop_and_mirror_is_what_numpy_does_image_by_image(padding: int, seed: int) -> None:
    pixels = torch.randint(1, 256, (6, 5, 7, 3), dtype=torch.uint8)
    draws = EpochDraws.draw(6, Training(epochs=1, crop=padding, flip=True), seed, 0)
    found = crop_and_mirror(pixels, padding, draws.top, draws.left, draws.mirrored)
    margin = ((padding, padding), (padding, padding), (0, 0))
    for index, image in enumerate(pixels.numpy()):
        top, left = int(draws.top[index]), int(draws.left[index])
        expected = np.pad(image, margin)[top : top + 5, left : left + 7]
        if draws.mirrored[index]:
            expected = expected[:, ::-1]
        np.testing.assert_array_equal(found[index].numpy(), expected)


def test_draws_cover_all_shifts_and_mirror_half() -> None:
    draws = EpochDraws.draw(20_000, Training(epochs=1, crop=4, flip=True), 0, 0)
    for shift in (draws.top, draws.left):
        assert torch.bincount(shift, minlength=9).min() > 20_000 / 9 * 0.9
    assert draws.mirrored.float().mean().item() == pytest.approx(0.5, abs=0.02)
    assert not EpochDraws.draw(100, Training(epochs=1, crop=4), 0, 0).mirrored.any()


def test_samples_are_held_out_examples_drawn_by_seed() -> None:
    parted = data(holdout=0.5)
    batches = parted.samples(0, count=20, batch_size=8)
    assert [len(images) for images, _ in batches] == [8, 8, 4]
    images, labels = (torch.cat(part) for part in zip(*batches, strict=True))
    known = {
        row.numpy().tobytes(): int(label)
        for row, label in zip(
            normalise(parted.held_out.pixels, parted.mean, parted.std),
            parted.held_out.labels,
            strict=True,
        )
    }
    found = [row.numpy().tobytes() for row in images]
    assert len(set(found)) == 20
    assert [known[row] for row in found] == labels.tolist()
    assert labels.dtype == torch.int64
    other = parted.samples(1, count=20, batch_size=8)
    assert not torch.equal(batches[0][0], other[0][0])
    assert sum(len(labels) for _, labels in parted.samples(0)) == 25


@pytest.mark.parametrize(
    ("count", "batch_size", "expected"),
    [(25, 8, [8, 8, 9]), (24, 8, [8, 8, 8]), (1, 8, [1]), (9, 8, [9]), (10, 8, [8, 2]), (0, 8, [])],
)
def test_no_last_batch_of_one_sample(count: int, batch_size: int, expected: list[int]) -> None:
    batches = data(holdout=0.5).samples(0, count, batch_size)
    assert [len(labels) for _, labels in batches] == expected
