"""Corrupted training images, every image by its own corruption in every epoch.

The robust training of Lost in Pruning (Liebenwein et al., 2021): per image and epoch a corruption
uniform over the mix and a severity uniform over 0 to 5, where 0 leaves the image clean.
"""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor

from workers.contracts import Component, Task, Training
from workers.registry import TASKS
from workers.training.seeding import derive_seed, generator

SEVERITIES = 5
BLOCK = 256
"""Images corrupted in one call. What is drawn for them depends on it: it is no matter of speed."""


def mixed(pixels: Tensor, recipe: Training, *path: str | int) -> Tensor:
    """Corrupt a copy of ``pixels`` by the mix of ``recipe``.

    Args:
        pixels: ``uint8`` of shape (n, height, width, channels).
        recipe: names the corruptions and the table of their severities.
        path: seeds all draws, such as (seed, epoch).

    Returns:
        Likewise; values are clipped and truncated, as those of test images are.

    """
    source = generator(*path, "mix")
    corruption = torch.randint(len(recipe.mix), (len(pixels),), generator=source)
    severity = torch.randint(SEVERITIES + 1, (len(pixels),), generator=source)
    result = pixels.clone()
    for (index, name), level in product(enumerate(recipe.mix), range(1, SEVERITIES + 1)):
        chosen = torch.nonzero((corruption == index) & (severity == level)).flatten()
        task = corruption_task(name, level, recipe)
        random = torch.Generator(pixels.device).manual_seed(derive_seed(*path, name, level))
        for block in torch.split(chosen.to(pixels.device), BLOCK) if len(chosen) else ():
            result[block] = _corrupted(pixels[block], task, random)
    return result


def corruption_task(name: str, severity: int, recipe: Training) -> Task:
    """Make the corruption of that name and severity, from the table that ``recipe`` says."""
    table = recipe.mix_severities
    options = {"severity": severity} | ({"severities": table} if table != "cifar" else {})
    return TASKS.create(Component(name, options))


def _corrupted(pixels: Tensor, task: Task, random: torch.Generator) -> Tensor:
    planes = pixels.permute(0, 3, 1, 2).contiguous().float() / 255
    levels = task.corrupt(planes, random).clamp(0, 1).mul_(255).byte()
    return levels.permute(0, 2, 3, 1)
