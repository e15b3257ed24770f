"""What training, probing and pruning ask of a train split, wherever its images lie."""

from __future__ import annotations

from collections.abc import Iterator, Sized

from torch import Tensor

from workers.contracts import Training

Batch = tuple[Tensor, Tensor]
"""Normalised float32 images (n, channels, height, width) and their int64 labels."""


class TrainData:
    """A train split, parted into what networks are fitted to and what is held out.

    Attributes:
        fit: what networks train on.
        held_out: what no network trains on.
        mean, std: float32 of shape (channels,), of pixels in [0, 1].
        classes: their names in label order.

    """

    fit: Sized
    held_out: Sized
    mean: Tensor
    std: Tensor
    classes: tuple[str, ...]

    @property
    def channels(self) -> int:
        """Channels of the images."""
        return len(self.mean)

    def steps_per_epoch(self, recipe: Training) -> int:
        """Count the batches of an epoch.

        A last batch of one image is left out: batch normalisation needs two.
        """
        full, rest = divmod(len(self.fit), recipe.batch_size)
        return max(full + (rest > 1), 1)

    def batches(self, recipe: Training, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield the batches of one epoch, which depend on ``recipe``, ``seed`` and ``epoch`` alone.

        They are on the device of ``mean``, in channels_last.
        """
        raise NotImplementedError

    def samples(
        self, seed: int, count: int = 256, batch_size: int = 32, recipe: Training | None = None
    ) -> tuple[Batch, ...]:
        """Draw ``count`` held-out examples, or all if there are fewer; none if none are held out.

        They are not cropped nor mirrored, but corrupted by the mix of ``recipe``. No batch is of
        one image, unless there is only one.
        """
        raise NotImplementedError


def sizes(count: int, batch_size: int) -> list[int]:
    """Part ``count`` into full batches and the rest; a rest of 1 joins the last full batch."""
    full, rest = divmod(count, batch_size)
    if rest == 1 and full:
        return [batch_size] * (full - 1) + [batch_size + 1]
    return [batch_size] * full + [rest] * (rest > 0)
