"""The common corruptions from the published files of CIFAR-10-C, CIFAR-100-C or ImageNet-C."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from workers.contracts import Component, Suite
from workers.images.corruption_names import selected
from workers.images.other_test_set import data_set_named
from workers.nearest import nearest
from workers.registry import DATA_SETS, UnknownPlugInError

OFFICIAL = ("cifar10_c", "cifar100_c", "imagenet_c")


@dataclass(frozen=True, kw_only=True)
class OfficialCorruptions(Suite):
    """Suite: the 19 common corruptions from published files, at one severity or a list of them.

    ``data`` is ``cifar10_c``, ``cifar100_c`` or ``imagenet_c``, or one of them with options, as in
    ``{cifar10_c: {folder: …}}``; each task is ``shifted`` to it. ``only`` names the corruptions
    that are wanted, ``without`` those that are not.
    """

    data: str | dict[str, Any]
    severity: Literal[1, 2, 3, 4, 5] = 3
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the data set and the names.

        Raises:
            ValueError: the data set has no single corruptions, a name is no corruption, or none is
                left.

        """
        name = data_set_named(self.data).name
        try:
            options = {option.name for option in fields(DATA_SETS.get(name))}
        except UnknownPlugInError as error:
            raise ValueError(f"data: {error}") from error
        if not {"corruption", "severity"} <= options:
            raise ValueError(f"data: '{name}' has no single corruptions, {nearest(name, OFFICIAL)}")
        selected(self.only, self.without)

    def tasks(self) -> Sequence[Component]:
        """List one task for each corruption, by name."""
        data = data_set_named(self.data)
        return [
            Component("shifted", {"data": {data.name: {**data.options, **chosen}}})
            for corruption in selected(self.only, self.without)
            for chosen in [{"corruption": corruption, "severity": self.severity}]
        ]
