"""Robust training: what is drawn, and that images become what their corruption makes of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from workers.contracts import DataSet, Images, Split, Task, Training
from workers.images.normalisation import normalise
from workers.registry import TASKS
from workers.training.device_data import DeviceData
from workers.training.mixing import corruption_task, mixed


@dataclass(frozen=True, kw_only=True)
class Lift(Task):
    """Adds ten levels per severity, and half a level that truncation takes away."""

    corrupts = True
    severity: int = 3
    severities: str = "cifar"

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return pixels + (10 * self.severity + 0.5) / 255


@dataclass(frozen=True, kw_only=True)
class Noise(Task):
    """Forgets the image."""

    corrupts = True
    severity: int = 3
    severities: str = "cifar"

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return torch.rand(pixels.shape, generator=generator)


@pytest.fixture
def _test_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds: dict[str, Any] = {"lift": Lift, "noise": Noise}
    monkeypatch.setattr(TASKS, "get", kinds.__getitem__)


def recipe(*mix: str, **fields: Any) -> Training:
    return Training(epochs=1, mix=mix, **fields)


GREY = torch.full((3000, 2, 2, 1), 100, dtype=torch.uint8)
PHOTOS = torch.randint(0, 256, (120, 8, 8, 3), dtype=torch.uint8)


@pytest.mark.usefixtures("_test_tasks")
def test_severities_are_uniform_over_clean_and_five() -> None:
    lifted = mixed(GREY, recipe("lift"), 0, 0)[:, 0, 0, 0].int()
    assert set(lifted.tolist()) == {100, 110, 120, 130, 140, 150}
    assert torch.bincount(lifted)[100::10].min() > 500 * 0.85


@pytest.mark.usefixtures("_test_tasks")
def test_corruptions_are_uniform_and_images_whole() -> None:
    result = mixed(GREY, recipe("lift", "noise"), 0, 0).flatten(1).int()
    flat = (result == result[:, :1]).all(1)
    # Half of the images are noise, of which a sixth is clean.
    assert (~flat).float().mean().item() == pytest.approx(5 / 12, abs=0.03)
    assert len(result[~flat].unique(dim=0)) == int((~flat).sum())


@pytest.mark.usefixtures("_test_tasks")
def test_what_is_drawn_depends_on_the_path_alone() -> None:
    one, again = (mixed(GREY, recipe("lift", "noise"), 3, 1) for _ in range(2))
    assert torch.equal(one, again)
    for path in ((3, 2), (4, 1), (3, "samples")):
        assert not torch.equal(one, mixed(GREY, recipe("lift", "noise"), *path))
    assert (GREY == 100).all()


@pytest.mark.usefixtures("_test_tasks")
def test_values_are_clipped_not_wrapped() -> None:
    assert mixed(GREY + 150, recipe("lift"), 0, 0).unique().tolist() == [250, 255]


@pytest.mark.usefixtures("_test_tasks")
def test_the_table_of_severities_is_that_of_the_recipe() -> None:
    assert corruption_task("lift", 2, recipe("lift")) == Lift(severity=2, severities="imagenet")
    of_cifar = recipe("lift", mix_severities="cifar")
    assert corruption_task("lift", 5, of_cifar) == Lift(severity=5)


def test_every_image_is_what_its_corruption_makes_of_it_alone() -> None:
    """Contrast looks at single images and draws nothing."""
    robust = recipe("contrast", mix_severities="cifar")
    result = mixed(PHOTOS, robust, 0, 0)
    candidates = [PHOTOS]
    for severity in range(1, 6):
        task, nothing = corruption_task("contrast", severity, robust), torch.Generator()
        planes = PHOTOS.permute(0, 3, 1, 2).float() / 255
        alone = torch.cat([task.corrupt(plane[None], nothing) for plane in planes])
        candidates.append(alone.clamp(0, 1).mul(255).byte().permute(0, 2, 3, 1))
    # The mean of an image may round differently in a batch, and truncation makes a level of that.
    off = torch.stack([(result.int() - made.int()).abs().flatten(1).amax(1) for made in candidates])
    assert (off.amin(0) <= 1).all()
    nearest = off.argmin(0)
    assert nearest.unique().tolist() == [0, 1, 2, 3, 4, 5]
    assert torch.equal(result[nearest == 0], PHOTOS[nearest == 0])


MIX = (
    *("contrast", "elastic_transform", "gaussian_blur", "impulse_noise", "motion_blur"),
    *("pixelate", "shot_noise", "snow", "zoom_blur"),
)


@pytest.mark.parametrize("table", ["imagenet", "cifar"])
def test_mix_of_the_paper(table: str) -> None:
    photos = torch.randint(0, 256, (216, 32, 32, 3), dtype=torch.uint8)
    result = mixed(photos, recipe(*MIX, mix_severities=table), 0, 0)
    assert (result.shape, result.dtype) == (photos.shape, torch.uint8)
    clean = (result == photos).flatten(1).all(1).float().mean().item()
    assert clean == pytest.approx(1 / 6, abs=0.08)


@dataclass(frozen=True, kw_only=True)
class Photos(DataSet):
    """The photos above; the label is the number of the image."""

    def load(self, split: Split, root: Path) -> Images:
        return Images(PHOTOS.numpy(), np.arange(len(PHOTOS), dtype=np.int64))

    def classes(self, root: Path) -> tuple[str, ...]:
        return tuple(map(str, range(len(PHOTOS))))


def test_epochs_and_samples_are_mixed_and_labels_kept() -> None:
    data = DeviceData(Photos(holdout=0.5), Path(), torch.device("cpu"))
    robust = recipe("contrast", mix_severities="cifar", batch_size=60)
    (images, labels), (other, _) = (next(data.batches(robust, 0, epoch)) for epoch in (0, 1))
    clean = normalise(PHOTOS[labels], data.mean, data.std)
    kept = (images == clean).flatten(1).all(1)
    assert 1 <= kept.sum() <= 25
    # The image keeps its mean, however low its contrast.
    torch.testing.assert_close(images.mean((2, 3)), clean.mean((2, 3)), atol=0.03, rtol=0)
    assert not torch.equal(images.sum((1, 2, 3)).sort()[0], other.sum((1, 2, 3)).sort()[0])
    ((samples, numbers),) = data.samples(0, 60, 60, robust)
    ((plain, same),) = data.samples(0, 60, 60)
    assert torch.equal(numbers, same)
    assert 1 <= (samples == plain).flatten(1).all(1).sum() <= 25
