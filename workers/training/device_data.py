"""Training images that lie on the device as bytes, augmented and normalised there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from workers.contracts import DataError, DataSet, Images, Training
from workers.images.subsets import Indices, holdout
from workers.training.augmentation import EpochDraws, crop_and_mirror
from workers.training.normalisation import normalise, statistics
from workers.training.seeding import generator


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


class DeviceData:
    """The train split of a data set, parted into what networks are fitted to and what is held out.

    The parting is the same for all networks (``DataSet.holdout``).

    Attributes:
        fit: what networks train on.
        held_out: what no network trains on.
        mean, std: float32 of shape (channels,), of the pixels of ``fit`` in [0, 1].
        classes: their names in label order.

    """

    def __init__(self, data_set: DataSet, root: Path, device: torch.device) -> None:
        """Load the train split and bring it to ``device``.

        Raises:
            DataError: the data are missing or unreadable, or nothing is left to fit to.

        """
        images = data_set.load("train", root)
        kept, held = holdout(len(images.labels), data_set.holdout)
        self.classes = data_set.classes(root)
        self.fit = _examples(images, kept, device)
        self.held_out = _examples(images, held, device)
        mean, std = statistics(images.pixels[kept])
        self.mean = torch.tensor(mean, device=device)
        self.std = torch.tensor(std, device=device)

    @property
    def channels(self) -> int:
        """Channels of the images."""
        return self.fit.pixels.shape[-1]

    def steps_per_epoch(self, recipe: Training) -> int:
        """Count the batches of an epoch.

        A last batch of one image is left out: batch normalisation needs two.
        """
        full, rest = divmod(len(self.fit), recipe.batch_size)
        return max(full + (rest > 1), 1)

    def batches(self, recipe: Training, seed: int, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (images, labels) of one epoch.

        The images are augmented and normalised float32 of shape (n, channels, height, width) in
        channels_last. Order and augmentation depend on ``seed`` and ``epoch`` alone.
        """
        draws = EpochDraws.draw(len(self.fit), recipe, seed, epoch).to(self.fit.labels.device)
        for step in range(self.steps_per_epoch(recipe)):
            now = slice(step * recipe.batch_size, (step + 1) * recipe.batch_size)
            pixels = self.fit.pixels[draws.order[now]]
            if recipe.crop or recipe.flip:
                where = draws.top[now], draws.left[now], draws.mirrored[now]
                pixels = crop_and_mirror(pixels, recipe.crop, *where)
            yield normalise(pixels, self.mean, self.std), self.fit.labels[draws.order[now]]

    def samples(self, seed: int, count: int = 256, batch_size: int = 64) -> Iterator[Tensor]:
        """Yield normalised batches of ``count`` held-out images at random, or of all if fewer.

        Raises:
            DataError: nothing is held out.

        """
        if not len(self.held_out):
            raise DataError("a method needs samples: give the data a holdout above 0")
        order = torch.randperm(len(self.held_out), generator=generator(seed, "samples"))[:count]
        for chosen in torch.split(order.to(self.held_out.labels.device), batch_size):
            yield normalise(self.held_out.pixels[chosen], self.mean, self.std)


def _examples(images: Images, chosen: Indices, device: torch.device) -> Examples:
    pixels, labels = (torch.from_numpy(part[chosen]) for part in (images.pixels, images.labels))
    return Examples(pixels.to(device), labels.to(device))
