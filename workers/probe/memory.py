"""How much of a GPU a trial fills, found out by doing for a moment what the trial will do.

Batches are as large as they will be, and of nothing: no test image is read or corrupted. Pruning
and measures are not tried.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
import torch

from workers.checkpoint import architecture, build
from workers.contracts import Chain, Component, Images, Runtime, Task, TaskCell, Training
from workers.evaluation.evaluate import CUDA_BATCH, CUDA_PIXELS, evaluate
from workers.evaluation.seeding import BLOCK, block_size
from workers.probe.gpu import Gpu
from workers.registry import DATA_SETS, TASKS
from workers.training.cuda_graph import WARM_UP
from workers.training.loading import load_train_data
from workers.training.train import train
from workers.training.train_data import Batch, TrainData

MARGIN = 1.1
"""For what comes in another order in a long run, and leaves gaps."""
STEPS = WARM_UP + 2
"""Enough for a step to be recorded as a CUDA graph and replayed."""
GRADIENT = Component("fgsm")
"""One gradient with respect to the images is what every attack takes, again and again."""


def memory_share(
    chain: Chain, tasks: Sequence[TaskCell], runtime: Runtime, gpu: Gpu | None = None
) -> float:
    """Train and evaluate for a moment, and return the fraction of the GPU's memory that it takes.

    The data are loaded as a trial loads them, and downloaded if they are not here.

    Args:
        chain: whose network it is, and whose recipes.
        tasks: what the network will be evaluated on.
        runtime: of the trial.
        gpu: that of this process by default.

    """
    gpu = gpu or Gpu()
    gpu.watch()
    data_set, device = DATA_SETS.create(chain.data), gpu.device
    data = load_train_data(data_set, runtime.data_root, device, threads=runtime.decoders)
    made_as = architecture(chain.model, channels=data.channels, classes=len(data.classes))
    for recipe in _recipes(chain):
        _train(build(made_as), data, recipe, device)
    plug_ins = {cell.task.name: (cell, TASKS.create(cell.task)) for cell in tasks}
    test = _black_images(data, chain.training, maps=data_set.labels == "map")
    if not any(task.replaces() or task.members() for _, task in plug_ins.values()):
        test = _first(test, data_set.count("test", runtime.data_root))
    network = build(made_as)
    for cell, images in _evaluations(plug_ins.values(), test):
        told = evaluate(
            network,
            [cell],
            images,
            mean=data.mean,
            std=data.std,
            fingerprint="",
            runtime=runtime,
            device=device,
        )
        deque(told, maxlen=0)
    return (MARGIN * gpu.peak() + gpu.beside()) / gpu.total()


class FirstSteps(TrainData):
    """The first batches of an epoch, then one as short as its last."""

    def __init__(self, data: TrainData) -> None:
        """Take them from ``data``."""
        self.fit, self.held_out = data.fit, data.held_out
        self.mean, self.std, self.classes = data.mean, data.std, data.classes
        self._data = data

    def steps_per_epoch(self, recipe: Training) -> int:
        """Count the batches."""
        return min(self._data.steps_per_epoch(recipe), STEPS + 1)

    def batches(self, recipe: Training, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield them."""
        rest = len(self.fit) % recipe.batch_size
        every = self._data.batches(recipe, seed, epoch)
        for images, labels in islice(every, self.steps_per_epoch(recipe) - 1):
            yield images, labels
        images, labels = next(every)
        yield (images[:rest], labels[:rest]) if rest > 1 else (images, labels)


def _recipes(chain: Chain) -> Iterable[Training]:
    """List the recipes that networks are trained by, but for those that take the same memory."""
    both = (chain.training, chain.retraining or chain.training)
    return {(one.batch_size, one.precision, one.mix): one for one in both}.values()


def _train(
    network: torch.nn.Module, data: TrainData, recipe: Training, device: torch.device
) -> None:
    """Take a few steps that change nothing, with masks over all weights."""
    masks = {name: torch.ones_like(weight) for name, weight in network.named_parameters()}
    still = replace(recipe, lr=0.0)
    train(network, FirstSteps(data), still, seed=0, device=device, masks=masks, until=1)


def _black_images(data: TrainData, recipe: Training, *, maps: bool) -> Images:
    """Make as many images as are ever on the GPU at once, black and of the first class."""
    # Without its mix, which would corrupt a whole epoch of images for the first batch.
    images, _ = next(data.batches(replace(recipe, mix=()), 0, 0))
    channels, height, width = images.shape[1:]
    shape = max(BLOCK, min(CUDA_BATCH, CUDA_PIXELS // (height * width))), height, width
    labels = np.zeros(shape, np.uint8) if maps else np.zeros(shape[0], np.int64)
    return Images(np.zeros((*shape, channels), np.uint8), labels)


def _first(images: Images, count: int) -> Images:
    return Images(images.pixels[:count], images.labels[:count])


def _evaluations(
    tasks: Collection[tuple[TaskCell, Task]], test: Images
) -> Iterator[tuple[TaskCell, Images]]:
    """Yield what takes most, and on what: on all images at once, or on a block that is attacked.

    To the network corrupted images, those of another data set and those that it was trained on are
    images like any other.
    """
    yield _cell(Component("nominal")), test
    for cell, task in tasks:
        if not (task.corrupts or task.attacks or task.replaces() or task.members()):
            yield cell, test
    if any(task.attacks for _, task in tasks):
        yield _cell(GRADIENT), _first(test, block_size(test.pixels.shape))


def _cell(task: Component) -> TaskCell:
    return TaskCell(key="", label=task.name, task=task)
