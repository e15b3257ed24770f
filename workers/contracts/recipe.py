"""The training recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Training:
    """A training recipe; epochs may be fractions where they are points in time.

    ``multi_step`` multiplies the rate by ``gamma`` at each of ``milestones``, ``step`` after every
    ``period`` epochs; ``polynomial`` is (1 − t)^``power``; ``warmup`` rises linearly from 0 and
    overrides the schedule while it lasts. The rate is set before every step. ``crop`` pads by that
    many pixels and crops at random; ``flip`` mirrors half of the images. ``precision`` is that of
    forward and backward passes under autocast; weights stay float32. Loss: mean cross entropy.
    Weight decay applies to all parameters.

    ``mix`` names corruptions: every image is, in every epoch, corrupted by one of them at a
    severity uniform over 0 to 5, where 0 leaves it clean (the robust training of Lost in Pruning),
    before it is cropped and mirrored. ``mix_severities`` says which table the severities are from.
    """

    epochs: int
    batch_size: int = 128
    lr: float = 0.1
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 1e-4
    schedule: Literal["constant", "multi_step", "step", "cosine", "polynomial"] = "multi_step"
    milestones: tuple[float, ...] = ()
    period: float = 30.0
    gamma: float = 0.1
    power: float = 0.9
    warmup: float = 0.0
    crop: int = 0
    flip: bool = False
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    mix: tuple[str, ...] = ()
    mix_severities: Literal["cifar", "imagenet"] = "imagenet"
