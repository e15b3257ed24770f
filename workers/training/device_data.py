"""Training images that lie on the device as bytes, augmented and normalised there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from workers.contracts import DataSet, Images, Training
from workers.images.normalisation import normalise, statistics
from workers.images.subsets import Indices, holdout
from workers.training.augmentation import EpochDraws, crop_and_mirror
from workers.training.mixing import mixed
from workers.training.seeding import generator
from workers.training.train_data import Batch, TrainData, sizes


@dataclass(frozen=True)
class Examples:
    """Images and labels on a device.

    Attributes:
        pixels: ``uint8`` of shape (examples, height, width, channels).
        labels: ``int64`` of shape (examples,).

    """

    pixels: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


class DeviceData(TrainData):
    """A train split whose bytes lie on the device.

    The parting is the same for all networks (``DataSet.holdout``), and ``mean`` and ``std`` are
    those of what is fitted to.
    """

    fit: Examples
    held_out: Examples

    def __init__(
        self, data_set: DataSet, root: Path, device: torch.device, multiple: int = 1
    ) -> None:
        """Load the train split and bring it to ``device``.

        Args:
            data_set: what to load; its ``holdout`` parts the split.
            root: where its files are.
            device: where the examples go.
            multiple: how many are held out is rounded up to a multiple of this, from one on.

        Raises:
            DataError: the data are missing or unreadable, or nothing is left to fit to.

        """
        images = data_set.load("train", root)
        kept, held = holdout(len(images.labels), data_set.holdout, multiple=multiple)
        self.classes = data_set.classes(root)
        self.fit = _examples(images, kept, device)
        self.held_out = _examples(images, held, device)
        mean, std = statistics(images.pixels[kept])
        self.mean = torch.tensor(mean, device=device)
        self.std = torch.tensor(std, device=device)

    def batches(self, recipe: Training, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield (images, labels) of one epoch.

        The images are corrupted by the mix of the recipe, augmented and normalised: float32 of
        shape (n, channels, height, width) in channels_last. Order, corruption and augmentation
        depend on ``seed`` and ``epoch`` alone.
        """
        draws = EpochDraws.draw(len(self.fit), recipe, seed, epoch).to(self.fit.labels.device)
        source = mixed(self.fit.pixels, recipe, seed, epoch) if recipe.mix else self.fit.pixels
        for step in range(self.steps_per_epoch(recipe)):
            now = slice(step * recipe.batch_size, (step + 1) * recipe.batch_size)
            pixels = source[draws.order[now]]
            if recipe.crop or recipe.flip:
                where = draws.top[now], draws.left[now], draws.mirrored[now]
                pixels = crop_and_mirror(pixels, recipe.crop, *where)
            yield normalise(pixels, self.mean, self.std), self.fit.labels[draws.order[now]]

    def samples(
        self, seed: int, count: int = 256, batch_size: int = 32, recipe: Training | None = None
    ) -> tuple[Batch, ...]:
        """Draw ``count`` held-out examples at random, or all if there are fewer.

        Args:
            seed: of the draw.
            count: how many.
            batch_size: of the batches; a last one of a single image joins the one before.
            recipe: its mix corrupts the images; they are not cropped nor mirrored.

        """
        order = torch.randperm(len(self.held_out), generator=generator(seed, "samples"))[:count]
        chosen = order.to(self.held_out.labels.device)
        pixels, labels = self.held_out.pixels[chosen], self.held_out.labels[chosen]
        if recipe is not None and recipe.mix:
            pixels = mixed(pixels, recipe, seed, "samples")
        batches = zip(
            torch.split(normalise(pixels, self.mean, self.std), sizes(len(order), batch_size)),
            torch.split(labels, sizes(len(order), batch_size)),
            strict=True,
        )
        return tuple(batches)


def _examples(images: Images, chosen: Indices, device: torch.device) -> Examples:
    pixels, labels = (torch.from_numpy(part[chosen]) for part in (images.pixels, images.labels))
    return Examples(pixels.to(device), labels.to(device, torch.int64))
