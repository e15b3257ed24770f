"""The learning rate of every step."""

from __future__ import annotations

import math

from workers.contracts import Training


def learning_rate(recipe: Training, step: int, steps_per_epoch: int) -> float:
    """Return the learning rate of the step that follows ``step`` earlier ones.

    A linear warm-up from 0 overrides the schedule while it lasts, as in Lost in Pruning (Liebenwein
    et al., 2021), and the schedule's time t runs from 0 to 1 over all epochs, warm-up included.
    """
    if step < recipe.warmup * steps_per_epoch:
        return recipe.lr * step / (recipe.warmup * steps_per_epoch)
    t = min(step / max(recipe.epochs * steps_per_epoch, 1), 1.0)
    match recipe.schedule:
        case "constant":
            return recipe.lr
        case "multi_step":
            passed = sum(step >= milestone * steps_per_epoch for milestone in recipe.milestones)
            return recipe.lr * recipe.gamma**passed
        case "step":
            return recipe.lr * recipe.gamma ** math.floor(step / (recipe.period * steps_per_epoch))
        case "cosine":
            return recipe.lr * (1 + math.cos(math.pi * t)) / 2
        case "polynomial":
            return recipe.lr * math.pow(1 - t, recipe.power)
