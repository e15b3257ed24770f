"""Common corruptions of images, by severity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeVar

from workers.contracts.task import Task

Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class Corruption(Task):
    """A common corruption at a severity of CIFAR-10-C's table or of ImageNet-C's."""

    corrupts: ClassVar[bool] = True

    severity: Literal[1, 2, 3, 4, 5] = 3
    severities: Literal["cifar", "imagenet"] = "cifar"

    def at_severity(self, table: Mapping[str, Sequence[Value]]) -> Value:
        """Look up what ``table`` says."""
        return table[self.severities][self.severity - 1]
