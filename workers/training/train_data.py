"""What training, probing and pruning ask of a train split, wherever its images lie."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from typing import Protocol

from torch import Tensor

from workers.contracts import Training

Batch = tuple[Tensor, Tensor]
"""Normalised float32 images (n, channels, height, width) and their int64 labels."""


class TrainData(Protocol):
    """A train split, parted into what networks are fitted to and what is held out.

    ``mean`` and ``std`` are float32 of shape (channels,), of pixels in [0, 1].
    """

    classes: tuple[str, ...]
    mean: Tensor
    std: Tensor

    @property
    def held_out(self) -> Sized:
        """Examples that no network trains on."""
        ...

    @property
    def channels(self) -> int:
        """Channels of the images."""
        ...

    def steps_per_epoch(self, recipe: Training) -> int:
        """Count the batches of an epoch."""
        ...

    def batches(self, recipe: Training, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield the batches of one epoch, which depend on ``recipe``, ``seed`` and ``epoch`` alone.

        They are on the device of ``mean``, in channels_last.
        """
        ...

    def samples(
        self, seed: int, count: int = 256, batch_size: int = 32, recipe: Training | None = None
    ) -> tuple[Batch, ...]:
        """Draw ``count`` held-out examples, or all if there are fewer; none if none are held out.

        They are not cropped nor mirrored, but corrupted by the mix of ``recipe``. No batch is of
        one image, unless there is only one.
        """
        ...
