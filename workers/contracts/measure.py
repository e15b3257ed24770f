"""What compares the networks of a chain with each other, beyond what they predict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from workers.contracts.plug_in import Component, PlugIn

if TYPE_CHECKING:
    import torch

Role = Literal["parent", "pruned", "separate"]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A network that is measured.

    ``parent`` is the dense parent, ``pruned`` a level of the chain, and ``separate`` the dense
    parent of another seed: two networks that have nothing but the data and the recipe in common are
    the yardstick for how far a pruned one is from its parent. ``ratio`` is the one that a plan asks
    for, and for a measure the one that was achieved.
    """

    key: str
    role: Role
    ratio: float = 0.0


class Probe(Protocol):
    """What a measure works with: networks, test images, randomness."""

    @property
    def device(self) -> torch.device:
        """Where networks and images are."""
        ...

    @property
    def generator(self) -> torch.Generator:
        """On the CPU, the only source of randomness; the same for all chains on the same data."""
        ...

    def network(self, subject: Subject) -> torch.nn.Module:
        """Load a network in evaluation mode; keep no more of them than needed."""
        ...

    def test_images(self, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Choose test images at random, or take all if there are no more.

        The same ones for every measure and chain on the same data.

        Returns:
            Normalised images (count, channels, height, width) and their labels, (count,), or
            (count, height, width) where the data set has maps of them.

        """
        ...


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One number that a measure found.

    Attributes:
        subject: the place, in the sequence that was measured, of the network that it is about.
        quantity: what it is, as ``matching_labels``.
        value: the number; NaN where it is not defined.
        against: the place of the network that it is compared with, or −1.
        part: the layer that it is about, or nothing.
        at: what it is a function of, such as a noise level; NaN if of nothing.
        spread: its standard deviation over draws or images; NaN if there is none.

    """

    subject: int
    quantity: str
    value: float
    against: int = -1
    part: str = ""
    at: float = nan
    spread: float = nan


@dataclass(frozen=True, kw_only=True)
class Measure(PlugIn):
    """Something that is measured on all networks of a chain at once.

    ``repeatable`` is false where numbers differ from run to run, as timings do; ``labels`` are the
    kinds of data, as of ``DataSet``, whose networks can be measured.
    """

    repeatable: ClassVar[bool] = True
    labels: ClassVar[tuple[str, ...]] = ("class",)

    def check(self, network: torch.nn.Module) -> None:
        """Refuse a network that cannot be measured, before any is trained.

        Args:
            network: untrained, of the architecture that a sweep names.

        Raises:
            PermanentError: the network is not of a kind that can be measured so.

        """

    def measure(self, subjects: Sequence[Subject], probe: Probe) -> Iterable[Reading]:
        """Measure ``subjects``: the parent, then the pruned ones, then the separate one if any.

        Raises:
            PermanentError: the networks are not of a kind that can be measured so.

        """
        raise NotImplementedError

    def passes(self, subjects: int) -> float:
        """Estimate the cost in forward passes of single images, for so many subjects."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class MeasureCell:
    """A measure as a trial sees it: the key of what it finds on a chain, its label, itself."""

    key: str
    label: str
    measure: Component
