"""Tasks that put the test images of another data set in place of the network's own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from workers.contracts import Component, Task


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
        """Check that ``data`` names a data set; which one, and its options, the sweep file checks.

        Raises:
            ValueError: it is neither a name nor one name with a mapping of options, or ``name`` has
                characters that would break a label.

        """
        self.replaces()
        if self.name is not None and not re.fullmatch(r"\w[\w.+-]*", self.name):
            raise ValueError(
                f"name is '{self.name}', expected letters, digits and . _ + -, no space or slash"
            )

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
