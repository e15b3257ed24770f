"""The recipes of a sweep file: those of the sweep, and over them those of each network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from orchestrator.spec.mistakes import Keys, Mistake
from orchestrator.spec.recipe import RecipeSection, combine, faults
from orchestrator.spec.schedules import beyond
from orchestrator.spec.sweep_file import SweepFile
from workers.contracts import Parity, Training

# The latest release of the paper's code trains with automatic mixed precision.
PRECISION: Mapping[Parity, dict[str, Any]] = {"paper": {}, "latest": {"precision": "fp16"}}

Layers = list[tuple[Keys, RecipeSection]]


def training_of(file: SweepFile, index: int) -> Training:
    """Return the recipe that network ``index`` is trained with."""
    return _recipe(_training(file, index), file.parity)


def retraining_of(file: SweepFile, index: int) -> Training:
    """Return the recipe that what is pruned from network ``index`` is retrained with."""
    return _recipe(_retraining(file, index), file.parity)


def recipe_mistakes(file: SweepFile, index: int, network: str) -> Iterator[Mistake]:
    """Find what does not fit together in the recipes of network ``index``, called ``network``.

    If nothing, find the schedules that rewind to where these recipes do not get to.
    """
    mistakes = list(_faults(_training(file, index), "training"))
    mistakes = mistakes or list(_faults(_retraining(file, index), "retraining", _fixed(file)))
    yield from mistakes
    if not mistakes:
        recipes = {"retraining": retraining_of(file, index), "training": training_of(file, index)}
        for path, what in beyond(file.schedule, network, recipes):
            yield ("schedule", *path), what


def _training(file: SweepFile, index: int) -> Layers:
    own: Keys = ("networks", index, "training")
    return [(("training",), file.training), (own, file.networks[index].training)]


def _retraining(file: SweepFile, index: int) -> Layers:
    own: Keys = ("networks", index, "retraining")
    again: Layers = [(("retraining",), file.retraining), (own, file.networks[index].retraining)]
    return _training(file, index) + again


def _fixed(file: SweepFile) -> dict[str, Any]:
    """What fine-tuning sets itself, where no schedule uses the rate of the recipe."""
    only = all(schedule.retraining == "finetuning" for schedule in file.schedule)
    return {"schedule": "constant", "warmup": 0.0} if only else {}


def _faults(
    layers: Layers, purpose: str, fixed: Mapping[str, Any] = MappingProxyType({})
) -> Iterator[Mistake]:
    for option, what in faults({**combine(*(section for _, section in layers)), **fixed}, purpose):
        giving = [path for path, section in layers if option in section.given()]
        yield (*(giving[-1] if giving else layers[1][0]), option), what


def _recipe(layers: Layers, parity: Parity) -> Training:
    return Training(**(PRECISION[parity] | combine(*(section for _, section in layers))))
