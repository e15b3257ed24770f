"""Runs one network over all tasks and yields what it predicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from workers.contracts import Images, Runtime, Task, TaskCell
from workers.evaluation.inputs import Pixels, task_pixels
from workers.evaluation.pixel_counts import PixelCounts, pixel_counts
from workers.evaluation.predictions import Predictions
from workers.evaluation.seeding import BLOCK, block_generator
from workers.evaluation.shift import images_of
from workers.images.normalisation import normalise
from workers.modes import evaluating
from workers.registry import TASKS

CUDA_BATCH = 4096
BATCH_PIXELS = CUDA_BATCH * 64 * 64


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

    Raises:
        DataError: a task tests segmentation on images of one class each, or the reverse.

    """
    device = torch.device(device)
    network.to(device)
    scale = mean.to(device), std.to(device)
    with evaluating(network):
        for cell in tasks:
            task = TASKS.create(cell.task)
            images = images_of(cell, test, runtime.data_root)
            pixels = task_pixels(
                images.pixels, task, key=cell.key, fingerprint=fingerprint, cache=runtime.cache
            )
            logits = _logits(network, pixels, task, cell.key, *scale)
            if images.labels.ndim > 1:
                yield pixel_counts(cell.key, logits, images.labels)
            else:
                yield _predictions(cell.key, torch.cat(list(logits)).cpu(), images)


@torch.inference_mode()
def _logits(
    network: nn.Module, pixels: Pixels, task: Task, key: str, mean: Tensor, std: Tensor
) -> Iterator[Tensor]:
    """Yield logits of one batch after the other, on the device."""
    blocks = _blocks_per_batch(pixels, mean.device)
    at_once = _fitting(pixels)
    for first in range(0, -(-len(pixels) // BLOCK), blocks):
        # np.array copies: a memory-mapped file is read-only, which tensors cannot express.
        levels = torch.from_numpy(np.array(pixels[first * BLOCK : (first + blocks) * BLOCK]))
        batch = normalise(levels.to(mean.device), mean, std)
        parts = [
            task.perturb(part, block_generator(key, first + index))
            for index, part in enumerate(torch.split(batch, BLOCK))
        ]
        whole = parts[0] if len(parts) == 1 else torch.cat(parts)
        for images in torch.split(whole, at_once):
            outputs = network(images)
            yield (outputs["out"] if isinstance(outputs, Mapping) else outputs).float()


def _blocks_per_batch(pixels: Pixels, device: torch.device) -> int:
    """Batches are whole blocks: one on a CPU, for its cache, and what fits easily on a GPU."""
    if device.type == "cpu":
        return 1
    return max(1, min(CUDA_BATCH, _fitting(pixels)) // BLOCK)


def _fitting(pixels: Pixels) -> int:
    """Count the images that a network sees at once; of large ones that is less than a block."""
    height, width = pixels.shape[1:3]
    return max(1, BATCH_PIXELS // int(height * width))


def _predictions(key: str, logits: Tensor, test: Images) -> Predictions:
    probability = logits.softmax(1)
    predicted = logits.argmax(1)
    label = torch.from_numpy(np.array(test.labels))
    return Predictions(
        task=key,
        label=label.numpy().astype(np.int16),
        predicted=predicted.numpy().astype(np.int16),
        p_true=probability.gather(1, label[:, None])[:, 0].numpy(),
        confidence=probability.gather(1, predicted[:, None])[:, 0].numpy(),
    )
