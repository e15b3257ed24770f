"""Runs one network over all tasks and yields what it predicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from workers.contracts import Images, PermanentError, Runtime, Task, TaskCell
from workers.evaluation.inputs import Pixels, task_pixels
from workers.evaluation.outliers import outliers_of
from workers.evaluation.pixel_counts import PixelCounts, pixel_counts
from workers.evaluation.predictions import Predictions
from workers.evaluation.seeding import block_generator, block_size
from workers.evaluation.seen import Seen, frozen
from workers.evaluation.shift import images_of
from workers.evaluation.softmax_scores import predictions
from workers.modes import evaluating
from workers.registry import TASKS

CUDA_BATCH = 4096
CUDA_PIXELS = CUDA_BATCH * 64 * 64
CPU_PIXELS = 64 * 32 * 32
"""So few that what a layer puts out stays in the cache, for which small networks gain a fifth."""
CPU_LEAST = 8
Members = Callable[[int], Images]


def evaluate(
    network: nn.Module,
    tasks: Sequence[TaskCell],
    test: Images,
    *,
    mean: Tensor,
    std: Tensor,
    fingerprint: str,
    runtime: Runtime,
    device: torch.device | str,
    members: Members | None = None,
) -> Iterator[Predictions | PixelCounts]:
    """Predict every task in evaluation mode, with one load of the network.

    Args:
        network: (n, channels, height, width) → (n, classes) logits, or for segmentation (n,
            classes, height, width), itself or as ``out`` of a mapping; moved to ``device``, and
            left in the mode it came in.
        tasks: what to test on, in this order.
        test: the clean test images.
        mean: float32 of shape (channels,); the network sees (pixels / 255 − mean) / std.
        std: likewise.
        fingerprint: identifies the data set, for the cache of corrupted images.
        runtime: names that cache.
        device: where the network runs. Noise is drawn on the CPU, so all devices see the same.
        members: gives so many of the images that the network was trained on.

    Raises:
        DataError: a task tests segmentation on images of one class each, or the reverse.
        PermanentError: a task asks for ``members`` and there are none, or for outliers of a network
            for segmentation.

    """
    device = torch.device(device)
    network.to(device)
    seen = Seen(network, mean.to(device), std.to(device))
    with evaluating(network), frozen(network):
        for cell in tasks:
            task = TASKS.create(cell.task)
            images = _images(cell, task, test, runtime, members)
            pixels = task_pixels(
                images.pixels, task, key=cell.key, fingerprint=fingerprint, cache=runtime.cache
            )
            logits = _logits(seen, Images(pixels, images.labels), task, cell.key)
            gather = pixel_counts if images.labels.ndim > 1 else predictions
            yield gather(cell.key, logits, images.labels)


def check_fit(tasks: Sequence[TaskCell], test: Images, runtime: Runtime) -> None:
    """Load what ``tasks`` put in place of ``test``, so that a misfit shows before any training.

    Raises:
        DataError: images are missing, unreadable, changed, or not of the shape of ``test``.
        PermanentError: a task asks for outliers of a network for segmentation.

    """
    for cell in tasks:
        task = TASKS.create(cell.task)
        if task.replaces():
            _images(cell, task, test, runtime, None)


def _images(
    cell: TaskCell, task: Task, test: Images, runtime: Runtime, members: Members | None
) -> Images:
    if count := task.members():
        if members is None:
            raise PermanentError(f"{cell.label}: nobody knows what the network was trained on")
        return members(count)
    if not task.labelled and (other := task.replaces()):
        return outliers_of(cell, other, test, runtime.data_root)
    return images_of(cell, test, runtime.data_root)


def _logits(seen: Seen, images: Images, task: Task, key: str) -> Iterator[Tensor]:
    """Yield logits of one batch after the other, on the device."""
    blocks = _blocks_per_batch(images.pixels, seen.device)
    at_once = _fitting(images.pixels, seen.device)
    for first in range(0, -(-len(images.pixels) // block_size(images.pixels.shape)), blocks):
        shown = _shown(seen, images, task, key, range(first, first + blocks))
        for batch in torch.split(shown, at_once):
            with torch.inference_mode():
                logits = seen.logits(batch)
            yield logits


@torch.inference_mode(False)  # whoever draws batches may be in it, and attacks must not
def _shown(seen: Seen, images: Images, task: Task, key: str, blocks: range) -> Tensor:
    """Make the normalised batch of these ``blocks``, each with a generator of its own."""
    size = block_size(images.pixels.shape)
    part = slice(blocks.start * size, blocks.stop * size)
    levels = _on_device(images.pixels[part], seen.device)
    generators = (block_generator(key, block) for block in blocks)
    if task.attacks:
        labels = torch.split(_on_device(images.labels[part], seen.device).long(), size)
        each = zip(torch.split(levels, size), labels, generators, strict=False)
        parts = [seen.attacked(task, *one) for one in each]
    else:
        each_shown = zip(torch.split(seen.shown(levels), size), generators, strict=False)
        parts = [task.perturb(*one) for one in each_shown]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _on_device(content: Pixels | np.ndarray, device: torch.device) -> Tensor:
    # np.array copies: a memory-mapped file is read-only, which tensors cannot express.
    copy = torch.from_numpy(np.array(content))
    if device.type == "cuda":
        # From pinned memory the copy does not wait for what the device is busy with.
        copy = copy.pin_memory()
    return copy.to(device, non_blocking=True)


def _blocks_per_batch(pixels: Pixels, device: torch.device) -> int:
    """Batches are whole blocks: one on a CPU, and what fits easily on a GPU."""
    if device.type == "cpu":
        return 1
    return max(1, min(CUDA_BATCH, _fitting(pixels, device)) // block_size(pixels.shape))


def _fitting(pixels: Pixels, device: torch.device) -> int:
    """Count the images that a network sees at once; of large ones that is less than a block."""
    size = int(pixels.shape[1] * pixels.shape[2])
    if device.type == "cpu":
        return max(CPU_LEAST, CPU_PIXELS // size)
    return max(1, CUDA_PIXELS // size)
