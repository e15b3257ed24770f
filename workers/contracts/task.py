"""The conditions that a network is tested on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from workers.contracts.plug_in import Component, PlugIn

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Task(PlugIn):
    """One condition that a network is tested on.

    A task changes the stored pixels (``corrupt``: done once per data set, kept, shared by all
    trials), or the normalised batch (``perturb``: drawn during evaluation), or what the network is
    weakest at (``attack``), or the images (``replaces``, ``members``), or nothing. ``labelled`` is
    false where the images are of none of the network's classes; then there is no accuracy.
    """

    corrupts: ClassVar[bool] = False
    attacks: ClassVar[bool] = False
    labelled: ClassVar[bool] = True

    @property
    def passes(self) -> float:
        """Cost of one image, in forward passes of the network."""
        return 1.0

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Map clean pixels to test pixels.

        Args:
            pixels: float32 in [0, 1] of shape (n, channels, height, width).
            generator: on the device of ``pixels``; the only source of randomness.

        Returns:
            The same shape and range; the caller clips and truncates to ``uint8``.

        """
        return pixels

    def perturb(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Map a normalised batch (n, channels, height, width) to the batch that is predicted."""
        return batch

    def attack(
        self,
        predict: Callable[[torch.Tensor], torch.Tensor],
        pixels: torch.Tensor,
        labels: torch.Tensor,
        generator: torch.Generator,
    ) -> torch.Tensor:
        """Map pixels to such as the network errs on.

        Args:
            predict: pixels → logits; normalises, and can be differentiated with respect to the
                pixels alone.
            pixels: float32 in [0, 1] of shape (n, channels, height, width), on the device.
            labels: int64 of shape (n,), or (n, height, width) for segmentation, on the device.
            generator: on the CPU; the only source of randomness.

        Returns:
            The same shape and range.

        """
        raise NotImplementedError

    def replaces(self) -> Component | None:
        """Name the data set whose test split takes the place of the network's own, if any."""
        return None

    def own_labels(self, theirs: Sequence[str], own: Sequence[str]) -> Sequence[int | None]:
        """Say which of the network's labels each class of the replacing data set has.

        Args:
            theirs: names of the classes of that data set, in its label order.
            own: those of the network's data set; empty where they are not known.

        Returns:
            One label per class of ``theirs``; None leaves its images out.

        Raises:
            ValueError: the classes do not fit.

        """
        return range(len(theirs))

    def members(self) -> int:
        """Say how many images of its training the network is shown instead of test images."""
        return 0
