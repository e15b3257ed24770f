"""The vocabulary that orchestrator and workers share, free of torch.

First what a sweep can name (plug-ins and the training recipe), then what a trial walks (a chain),
then what a trial is given (a store, a runtime) and what it tells while it runs (events).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

Split = Literal["train", "test"]
Record = Mapping[str, Any]


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
        labels: ``int64`` of shape (examples,).

    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class DataSet(PlugIn):
    """Labelled images with a train and a test split.

    ``holdout`` is the fraction of the train split that no network trains on: it validates, and
    feeds the methods that need samples.
    """

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
        """Make an untrained network, (n, channels, height, width) → (n, classes) logits."""
        raise NotImplementedError

    def load_published(self, network: torch.nn.Module) -> None:
        """Give a fresh network the published weights that its training starts from, if any.

        Called once per dense parent, whereas ``build`` also makes what stored weights go into.
        """


@dataclass(frozen=True, kw_only=True)
class Method(PlugIn):
    """A pruning method: scores, and how the budget is shared among layers.

    ``structured`` methods score whole output filters; ``allocation`` is ``global`` (one ranking
    over all layers) or ``uniform`` (the same fraction of every layer); ``needs_samples`` methods
    are given batches.
    """

    structured: ClassVar[bool] = False
    allocation: ClassVar[Literal["global", "uniform"]] = "global"
    needs_samples: ClassVar[bool] = False

    def scores(
        self, network: torch.nn.Module, samples: Iterable[torch.Tensor]
    ) -> dict[str, torch.Tensor]:
        """Score every prunable weight; the smallest scores are pruned first.

        Args:
            network: in evaluation mode, never changed.
            samples: normalised batches (n, channels, height, width); empty unless
                ``needs_samples``.

        Returns:
            For each prunable parameter name a tensor of the weight's shape, or of shape (filters,)
            for a structured method.

        """
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Task(PlugIn):
    """One condition that a network is tested on.

    A task changes the stored pixels (``corrupt``: done once per data set, kept, shared by all
    trials), or the normalised batch (``perturb``: drawn during evaluation), or neither.
    """

    corrupts: ClassVar[bool] = False

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


@dataclass(frozen=True, kw_only=True)
class Training:
    """A training recipe; epochs may be fractions where they are points in time.

    ``multi_step`` multiplies the rate by ``gamma`` at each of ``milestones``; ``polynomial`` is (1
    − t)^``power``; ``warmup`` rises linearly from 0 and overrides the schedule while it lasts. The
    rate is set before every step. ``crop`` pads by that many pixels and crops at random; ``flip``
    mirrors half of the images. Loss: mean cross entropy. Weight decay applies to all parameters.
    """

    epochs: int
    batch_size: int = 128
    lr: float = 0.1
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 1e-4
    schedule: Literal["constant", "multi_step", "cosine", "polynomial"] = "multi_step"
    milestones: tuple[float, ...] = ()
    gamma: float = 0.1
    power: float = 0.9
    warmup: float = 0.0
    crop: int = 0
    flip: bool = False
    precision: Literal["fp32", "bf16"] = "fp32"


@dataclass(frozen=True)
class Component:
    """A plug-in by name (or ``package.module:name``) with the options that a sweep gives it."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Level:
    """One rung of a chain: prune ``base`` through ``steps`` to ``ratio``, retrain, evaluate."""

    key: str
    base: str
    ratio: float
    steps: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Chain:
    """What one trial walks.

    A chain without a method makes and evaluates the dense parent. Any other waits for that one
    (``waits_for`` is its name), then prunes, retrains and evaluates level by level. ``network`` is
    the sweep's name for model, data and recipe; ``fingerprint`` identifies the data; ``parent`` is
    the key of the dense parent.
    """

    name: str
    network: str
    model: Component
    data: Component
    fingerprint: str
    seed: int
    training: Training
    parent: str
    waits_for: str | None = None
    method: Component | None = None
    retraining: Training | None = None
    levels: tuple[Level, ...] = ()

    @property
    def networks(self) -> tuple[str, ...]:
        """Keys of the networks this chain makes and evaluates, in order."""
        return tuple(level.key for level in self.levels) if self.method else (self.parent,)


@dataclass(frozen=True, kw_only=True)
class TaskCell:
    """A task as a trial sees it: its key, its readable label, and how to make it."""

    key: str
    label: str
    task: Component


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Where and how fast a trial runs; nothing here enters a key.

    On the CPU, numbers depend on ``threads`` in their last bits and on nothing else here.
    ``revision`` is the git revision of the sweep, for the record.
    """

    device: str = "auto"
    threads: int = 1
    data_root: Path = Path("data")
    cache: Path = Path("cache")
    checkpoint_seconds: float = 30.0
    revision: str = ""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one network costs: seconds on this machine with one worker, bytes in the store."""

    epoch_seconds: float
    cell_seconds: float
    network_bytes: int
    cell_bytes: int


class Scratch(Protocol):
    """Room for the half-done work of one key; emptied when the key is committed."""

    def read(self) -> bytes | None:
        """Return what was last written, or None."""
        ...

    def write(self, content: bytes) -> None:
        """Replace the content atomically."""
        ...


class Store(Protocol):
    """The content-addressed store, as a trial uses it."""

    def has(self, key: str) -> bool:
        """Tell whether ``key`` is committed."""
        ...

    def record(self, key: str) -> Record:
        """Return the record that committed ``key``."""
        ...

    def read(self, key: str, name: str) -> bytes:
        """Return one file of ``key`` after checking it against its checksum."""
        ...

    def put(self, key: str, record: Record, files: Mapping[str, bytes]) -> None:
        """Commit ``key``; a key that is there already stays as it is."""
        ...

    def evaluated(self, network: str) -> frozenset[str]:
        """Return the keys of the tasks that ``network`` has predictions for."""
        ...

    def lease(self, key: str) -> AbstractContextManager[None]:
        """Wait until nobody else works on ``key``, then hold it and keep the hold alive."""
        ...

    def scratch(self, key: str) -> Scratch:
        """Return the scratch room of ``key``."""
        ...


@dataclass(frozen=True, kw_only=True)
class Event:
    """What a trial tells while it runs.

    ``level`` is that of the network concerned, 0 for the parent; ``done`` of ``total`` are its
    epochs, for ``epoch`` alone.
    """

    chain: str
    kind: Literal["start", "epoch", "network", "cells", "finished", "failed", "blocked", "retry"]
    level: int = 0
    done: int = 0
    total: int = 0
    detail: str = ""


Report = Callable[[Event], None]


def evaluation_key(network: str, tasks: Iterable[str]) -> str:
    """Key of the object that holds the predictions of ``network`` on ``tasks``, in any order."""
    return f"{network}-{suite_key(tasks)}"


def suite_key(tasks: Iterable[str]) -> str:
    """Sixteen hexadecimal digits that identify a set of tasks, whatever their order."""
    return hashlib.sha256(" ".join(sorted(tasks)).encode()).hexdigest()[:16]
