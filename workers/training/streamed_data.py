"""Training images that are decoded anew in every epoch, by threads, while the device works."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import torch
from torch import Tensor

from workers.contracts import DataError, Training
from workers.images.normalisation import normalise
from workers.images.prefetch import decode_batches
from workers.images.streamed import Listing, StreamedDataSet, View
from workers.images.subsets import holdout
from workers.training.augmentation import EpochDraws
from workers.training.mixing import mixed
from workers.training.seeding import generator
from workers.training.train_data import Batch, TrainData, sizes


class StreamedData(TrainData):
    """A train split that stays on disk; ``mean`` and ``std`` are constants of the data set."""

    fit: Listing
    held_out: Listing

    def __init__(
        self,
        data_set: StreamedDataSet,
        root: Path,
        device: torch.device,
        *,
        multiple: int = 1,
        threads: int = os.cpu_count() or 1,
    ) -> None:
        """List the train split.

        Args:
            data_set: decodes the images.
            root: of the data.
            device: where batches go.
            multiple: how many are held out is rounded up to a multiple of this, if that leaves
                something to fit to.
            threads: how many decode; the images are the same for any number.

        Raises:
            DataError: the data are missing, or nothing is left to fit to.

        """
        examples = data_set.examples("train", root)
        kept, held = holdout(len(examples), data_set.holdout, multiple=multiple)
        self.fit, self.held_out = examples.take(kept), examples.take(held)
        self.classes = data_set.classes(root)
        self.mean = torch.tensor(data_set.mean, device=device)
        self.std = torch.tensor(data_set.std, device=device)
        self._data_set = data_set
        self._threads = threads

    def batches(self, recipe: Training, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield (images, labels) of one epoch; closing the iterator ends the threads.

        The images are cropped at random, mirrored if the recipe flips, corrupted by its mix, and
        normalised: float32 of shape (n, channels, height, width) in channels_last. All depends on
        ``seed`` and ``epoch`` alone.

        Raises:
            DataError: an image cannot be decoded, or the recipe pads and crops besides.

        """
        if recipe.crop:
            raise DataError(
                f"the recipe pads and crops by {recipe.crop} pixels, but images that are read "
                "while training have a random crop of their own: leave 'crop' out"
            )
        draws = EpochDraws.draw(len(self.fit), recipe, seed, epoch)
        steps = self.steps_per_epoch(recipe)
        orders = torch.split(draws.order, recipe.batch_size)[:steps]
        mirrored = torch.split(draws.mirrored, recipe.batch_size)[:steps]
        crops = generator(seed, "crops", epoch)
        views = (self._random_views(*both, crops) for both in zip(orders, mirrored, strict=True))
        yield from self._stream(self.fit, orders, views, recipe, seed, epoch)

    def samples(
        self, seed: int, count: int = 256, batch_size: int = 32, recipe: Training | None = None
    ) -> tuple[Batch, ...]:
        """Draw ``count`` held-out examples at random, or all if there are fewer.

        They are the central views, as in tests, corrupted by the mix of ``recipe``.

        Raises:
            DataError: an image cannot be decoded.

        """
        order = torch.randperm(len(self.held_out), generator=generator(seed, "samples"))[:count]
        orders = torch.split(order, sizes(len(order), batch_size))
        views = ([self.held_out.view(index) for index in chosen.tolist()] for chosen in orders)
        return tuple(self._stream(self.held_out, orders, views, recipe, seed, "samples"))

    def _random_views(self, order: Tensor, mirrored: Tensor, source: torch.Generator) -> list[View]:
        draws = torch.rand(len(order), self._data_set.draws, generator=source, dtype=torch.float64)
        return list(map(self.fit.view, order.tolist(), draws.tolist(), mirrored.tolist()))

    def _stream(
        self,
        examples: Listing,
        orders: Sequence[Tensor],
        views: Iterable[Sequence[View]],
        recipe: Training | None,
        *path: str | int,
    ) -> Iterator[Batch]:
        """Decode ``views``, of which those of a batch are of the examples in its order.

        ``path`` seeds the mix.
        """
        decode, shape = self._data_set.decode, self._data_set.shape
        with closing(decode_batches(decode, views, shape, self._threads)) as decoded:
            for step, (chosen, shown) in enumerate(zip(orders, decoded, strict=True)):
                pixels, labels = self._parted(torch.from_numpy(shown), examples, chosen)
                if recipe is not None and recipe.mix:
                    pixels = mixed(pixels, recipe, *path, step)
                yield normalise(pixels, self.mean, self.std), labels

    def _parted(self, shown: Tensor, examples: Listing, chosen: Tensor) -> Batch:
        """Bring images and their classes, or the label maps that were decoded with them, over."""
        shown = self._on_device(shown)
        if self._data_set.labels == "map":
            return shown[..., :-1], shown[..., -1].long()
        return shown, self._on_device(torch.from_numpy(examples.labels)[chosen])

    def _on_device(self, content: Tensor) -> Tensor:
        if self.mean.device.type == "cuda":
            # From pinned memory the copy does not wait for what the device is busy with.
            content = content.pin_memory()
        return content.to(self.mean.device, non_blocking=True)
