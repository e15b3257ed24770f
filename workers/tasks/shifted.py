"""Test on other images: the natural distribution shift from one data set to another.

Lost in Pruning (MLSys 2021) tests networks trained on CIFAR-10 on CIFAR-10.1 in this way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from workers.contracts import Component, Task


@dataclass(frozen=True, kw_only=True)
class Shifted(Task):
    """The test images of another data set with the same classes and the same shape.

    ``data`` names it as a sweep names data: ``cifar10_1``, or ``{imagefolder: {…}}``.
    """

    # A task's key holds what the data set is and contains, and not where its files lie.
    data: str | dict[str, Any] = field(metadata={"runtime": True})

    def __post_init__(self) -> None:
        """Look the data set up, so that a mistake shows before anything runs.

        Raises:
            ValueError: there is no such data set, or it has no such options.

        """
        from workers.registry import DATA_SETS, UnknownPlugInError

        try:
            DATA_SETS.create(self.replaces())
        except UnknownPlugInError as error:
            raise ValueError(str(error)) from error
        except TypeError as error:
            raise ValueError(f"data: {str(error).rpartition('__init__() ')[2]}") from error

    def replaces(self) -> Component:
        """Name the data set whose test split replaces the clean test images."""
        match self.data:
            case str(name):
                return Component(name)
            case dict() if len(self.data) == 1:
                ((name, options),) = self.data.items()
                if isinstance(options, dict | None):
                    return Component(name, options or {})
        raise ValueError("data: expected a name, or one name with a mapping of options")
