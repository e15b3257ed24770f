"""What a trial walks: a chain of networks, each tested on the same tasks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from workers.contracts.measure import MeasureCell, Subject
from workers.contracts.plug_in import Component
from workers.contracts.recipe import Training

Parity = Literal["paper", "latest"]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How levels follow each other, and what retraining starts from.

    ``cascade`` prunes the level before, ``one_shot`` the dense parent every time. Retraining is one
    of

    - ``lr_rewinding``: the surviving weights, the whole recipe again (Renda et al., 2020,
      "Comparing Rewinding and Fine-tuning in Neural Network Pruning"; Lost in Pruning, 2021);
    - ``weight_rewinding``: the weights that the dense parent had after ``epoch`` epochs, and the
      recipe from that epoch on (Frankle et al., 2020, "Linear Mode Connectivity and the Lottery
      Ticket Hypothesis"); 0 is where it began;
    - ``finetuning``: the surviving weights at the constant rate ``lr`` (Han et al., 2015);
    - ``scratch``: fresh weights under the same mask (Liu et al., 2019, "Rethinking the Value of
      Network Pruning").
    """

    order: Literal["cascade", "one_shot"] = "cascade"
    retraining: Literal["lr_rewinding", "weight_rewinding", "finetuning", "scratch"] = (
        "lr_rewinding"
    )
    epoch: int = 0
    lr: float = 0.0

    @property
    def label(self) -> str:
        """Name it in a path: ``cascade``, ``cascade-rewind-4``, ``one_shot-finetune-0.01``."""
        suffix = {
            "lr_rewinding": "",
            "weight_rewinding": f"-rewind-{self.epoch}",
            "finetuning": f"-finetune-{self.lr:g}",
            "scratch": "-scratch",
        }
        return self.order + suffix[self.retraining]


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The dense parent after ``epoch`` epochs, which weight rewinding goes back to."""

    key: str
    epoch: int


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

    A chain without a method makes and evaluates the dense parent, and keeps ``checkpoints`` of its
    training. Any other waits for that one, then prunes, retrains and evaluates level by level, from
    ``rewinds_to`` where its schedule rewinds weights; at last ``measures`` look at all of them,
    beside ``separate``, a dense parent of another seed, which it waits for then too. ``waits_for``
    are the names of chains, that of its own parent first. ``network`` is
    the sweep's name for model, data and recipe; ``fingerprint`` identifies the data; ``parent`` is
    the key of the dense parent; ``parity`` says which release of the paper's code is followed where
    its two differ.
    """

    name: str
    network: str
    model: Component
    data: Component
    fingerprint: str
    seed: int
    training: Training
    parent: str
    waits_for: tuple[str, ...] = ()
    method: Component | None = None
    retraining: Training | None = None
    schedule: Schedule | None = None
    levels: tuple[Level, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    rewinds_to: Checkpoint | None = None
    parity: Parity = "paper"
    measures: tuple[MeasureCell, ...] = ()
    separate: str = ""

    @property
    def networks(self) -> tuple[str, ...]:
        """Keys of the networks this chain makes and evaluates, in order."""
        return tuple(level.key for level in self.levels) if self.method else (self.parent,)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What its measures compare: the parent, the levels, and the separate network if any."""
        pruned = (Subject(key=one.key, role="pruned", ratio=one.ratio) for one in self.levels)
        others = (Subject(key=self.separate, role="separate"),) if self.separate else ()
        return (Subject(key=self.parent, role="parent"), *pruned, *others)


@dataclass(frozen=True, kw_only=True)
class TaskCell:
    """A task as a trial sees it: its key, its readable label, and how to make it.

    ``fingerprint`` identifies the data that it puts in place of the network's own, if any.
    """

    key: str
    label: str
    task: Component
    fingerprint: str = ""


def evaluation_key(network: str, tasks: Iterable[str]) -> str:
    """Key of the object that holds the predictions of ``network`` on ``tasks``, in any order."""
    return f"{network}-{suite_key(tasks)}"


def suite_key(tasks: Iterable[str]) -> str:
    """Sixteen hexadecimal digits that identify a set of tasks, whatever their order."""
    return sha256(" ".join(sorted(tasks)).encode()).hexdigest()[:16]
