"""What plug-ins and data sets are, for the keys of what is made with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orchestrator.plan.keys import chosen, describe
from workers.contracts import Component, DataError, Training
from workers.registry import DATA_SETS, TASKS, Registry


def described(registry: Registry[Any], component: Component) -> dict[str, Any]:
    """Describe the plug-in of ``registry`` that ``component`` names."""
    return describe(component.name, registry.create(component))


def described_recipe(training: Training) -> dict[str, Any]:
    """Describe a recipe by what differs from the defaults and has an effect.

    Corruptions are described with their versions.
    """
    used = {name: v for name, v in chosen(training).items() if name not in _unused(training)}
    mix = {"mix": [[name, TASKS.get(name).version] for name in training.mix]}
    return used | (mix if training.mix else {})


def _unused(training: Training) -> set[str]:
    """Name the fields that belong to other schedules than the recipe's."""
    own = {
        "multi_step": {"milestones", "gamma"},
        "step": {"period", "gamma"},
        "polynomial": {"power"},
    }
    return {"milestones", "gamma", "period", "power"} - own.get(training.schedule, set())


def fingerprint(data: Component, root: Path, place: str | Path) -> str:
    """Identify the content of a data set.

    Args:
        data: the data set.
        root: the folder of the data sets.
        place: where the sweep file names the data set, for the message.

    Raises:
        DataError: the data are missing or unreadable.

    """
    try:
        return DATA_SETS.create(data).fingerprint(root)
    except DataError as error:
        raise DataError(f"{place}: {error}") from error
