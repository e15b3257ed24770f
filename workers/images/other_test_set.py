"""Tasks that put the test images of another data set in place of the network's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from workers.contracts import Component, Task
from workers.registry import DATA_SETS, UnknownPlugInError


@dataclass(frozen=True, kw_only=True)
class OtherTestSet(Task):
    """The test images of the data set ``data``, named as a sweep names data.

    ``cifar10_1``, or ``{imagefolder: {…}}``. ``name`` enters the label of the task: it tells two
    tasks apart whose data sets differ in their files alone.
    """

    # A task's key holds what the data set is and contains, and not where its files lie.
    data: str | dict[str, Any] = field(metadata={"runtime": True})
    name: str | None = field(default=None, metadata={"runtime": True})

    def __post_init__(self) -> None:
        """Look the data set up, so that a mistake shows before anything runs.

        Raises:
            ValueError: there is no such data set, or it has no such options.

        """
        try:
            DATA_SETS.create(self.replaces())
        except UnknownPlugInError as error:
            raise ValueError(str(error)) from error
        except TypeError as error:
            raise ValueError(f"data: {str(error).rpartition('__init__() ')[2]}") from error

    def replaces(self) -> Component:
        """Name the data set whose test split replaces the clean test images."""
        return data_set_named(self.data)


def data_set_named(data: str | dict[str, Any]) -> Component:
    """Read what names a data set.

    Raises:
        ValueError: it is neither a name nor one name with a mapping of options.

    """
    match data:
        case str(name):
            return Component(name)
        case dict() if len(data) == 1:
            ((name, options),) = data.items()
            if isinstance(options, dict | None):
                return Component(name, options or {})
    raise ValueError("data: expected a name, or one name with a mapping of options")
