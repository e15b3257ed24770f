"""What a sweep can name: data sets, models, methods and tasks, free of torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from workers.pruning.allocation.layer import ScoredLayer

Value = TypeVar("Value")
Split = Literal["train", "test"]
Unit = Literal["weight", "filter", "channel"]
Spared = Literal["first", "last"]
Allocation = Literal["global", "uniform", "per_filter", "error_level", "filter_error"]
Samples = Sequence[tuple["torch.Tensor", "torch.Tensor"]]


@dataclass(frozen=True)
class Component:
    """A plug-in by name (or ``package.module:name``) with the options that a sweep gives it."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PlugIn:
    """Something a sweep names; its dataclass fields are its options.

    ``version`` enters the content key: raise it when the numbers change, and whatever descends from
    the plug-in, and nothing else, is computed again. An option that cannot change the numbers (a
    path) carries ``metadata={"runtime": True}`` and stays out of the key.
    """

    version: ClassVar[int | str] = 1


@dataclass(frozen=True)
class Images:
    """One split of a data set.

    Attributes:
        pixels: ``uint8`` of shape (examples, height, width, channels).
        labels: ``int64`` of shape (examples,), or ``uint8`` of shape (examples, height, width)
            where every pixel has a class, 255 being none.
        classes: the names of the classes in label order, where they are known.

    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64] | NDArray[np.uint8]
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DataSet(PlugIn):
    """Labelled images with a train and a test split.

    ``holdout`` is the fraction of the train split that no network trains on: it validates, and
    feeds the methods that need samples. ``labels`` says whether an image has one class or a map of
    them, for segmentation; then the metric is the mean IoU.
    """

    labels: ClassVar[Literal["class", "map"]] = "class"

    holdout: float = 0.1

    def fingerprint(self, root: Path) -> str:
        """Identify the content, from checksums and without decoding images.

        Args:
            root: the folder that downloads go to and relative paths start from.

        Raises:
            DataError: the data are missing or unreadable; the message says what to put where.

        """
        raise NotImplementedError

    def available(self, root: Path) -> bool:
        """Tell whether ``load`` would work without downloading anything."""
        return True

    def load(self, split: Split, root: Path) -> Images:
        """Decode one split, downloading it first where the data set can."""
        raise NotImplementedError

    def count(self, split: Split, root: Path) -> int:
        """Count the images of a split."""
        return len(self.load(split, root).labels)

    def classes(self, root: Path) -> tuple[str, ...]:
        """Name the classes in label order."""
        raise NotImplementedError


class PermanentError(Exception):
    """A failure that would happen again: reported with its cause, never retried."""


class DataError(PermanentError):
    """Data are missing or unreadable; the message says what was looked for and what to do."""


@dataclass(frozen=True, kw_only=True)
class Model(PlugIn):
    """A network architecture."""

    def build(self, *, channels: int, classes: int) -> torch.nn.Module:
        """Make an untrained network, (n, channels, height, width) → (n, classes) logits.

        One for segmentation gives (n, classes, height, width), as ``out`` of a mapping where it has
        an auxiliary head, ``aux``.
        """
        raise NotImplementedError

    def load_published(self, network: torch.nn.Module) -> None:
        """Give a fresh network the published weights that its training starts from, if any.

        Called once per dense parent, whereas ``build`` also makes what stored weights go into.
        """


@dataclass(frozen=True, kw_only=True)
class Method(PlugIn):
    """A pruning method: what it prunes, how it scores it, and how a budget is shared out.

    A ``unit`` is a single weight, an output filter of a layer, or an input channel of a layer (each
    consumer on its own). ``spares`` exempts the units of the first or
    last layer in the order of ``modules()``, as the code of Lost in Pruning does. The counted
    ratio, nested masks and the propagation of zeros are shared by all methods. One that
    ``pretends`` prunes nothing and counts as if it had.
    """

    unit: ClassVar[Unit] = "weight"
    spares: ClassVar[Spared | None] = None
    needs_samples: ClassVar[bool] = False
    pretends: ClassVar[bool] = False

    @property
    def allocation(self) -> Allocation:
        """Which units go first.

        ``global``: the lowest scores of all layers; ``uniform``: the same fraction of every layer;
        ``per_filter``: the same number of weights stays in every filter; ``error_level``: layers
        share one error bound (PFP); ``filter_error``: the sum of the filters' bounds is least
        (SiPP's random variants).
        """
        return "global"

    def scores(
        self, network: torch.nn.Module, samples: Samples, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """Score every unit; within a layer the smallest scores are pruned first.

        Args:
            network: in evaluation mode, never changed.
            samples: batches of normalised images (n, channels, height, width) with labels (n,),
                empty where the data set holds nothing out, which ``needs_samples`` forbids.
            generator: on the CPU; the only source of randomness.

        Returns:
            For each prunable parameter name a tensor of the weight's shape, or of shape (filters,)
            or (channels,).

        """
        raise NotImplementedError

    def multiplier(
        self, layer: ScoredLayer, kept: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """Say what the units of a layer are multiplied by: 1 if kept, unless they are sampled.

        Args:
            layer: the layer and its scores; not to be changed.
            kept: booleans of the shape of its scores: what the allocation keeps.
            generator: on the CPU; the only source of randomness.

        Returns:
            Numbers of that shape; 0 prunes.

        """
        return kept


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


@dataclass(frozen=True, kw_only=True)
class Suite(PlugIn):
    """Tasks that a sweep file names together; only they enter keys, the suite does not."""

    def tasks(self) -> Sequence[Component]:
        """List the tasks, each as a sweep file would name it alone."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Corruption(Task):
    """A common corruption at a severity of CIFAR-10-C's table or of ImageNet-C's."""

    corrupts: ClassVar[bool] = True

    severity: Literal[1, 2, 3, 4, 5] = 3
    severities: Literal["cifar", "imagenet"] = "cifar"

    def at_severity(self, table: Mapping[str, Sequence[Value]]) -> Value:
        """Look up what ``table`` says."""
        return table[self.severities][self.severity - 1]


GRADIENT_PASSES = 2.5
"""Cost of the gradient with respect to an image, in forward passes: 2.3 to 2.9 (measured)."""


@dataclass(frozen=True, kw_only=True)
class Attack(Task):
    """An adversarial attack on the network and its normalisation together.

    ``epsilon`` bounds the change of an image, of pixels in [0, 1], in the norm of the attack.

    Raises:
        ValueError: ``epsilon`` is negative or not finite.

    """

    attacks: ClassVar[bool] = True

    epsilon: float = 8 / 255

    def __post_init__(self) -> None:
        if not (self.epsilon >= 0 and isfinite(self.epsilon)):
            raise ValueError(f"epsilon is {self.epsilon}, expected a radius of at least 0")

    @property
    def gradients(self) -> int:
        """Gradients that are taken of every image."""
        return 1

    @property
    def passes(self) -> float:
        """Cost of one image, the prediction of what the attack made of it included."""
        return 1 + GRADIENT_PASSES * self.gradients
