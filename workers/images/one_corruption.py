"""What the published test sets of CIFAR-10-C, CIFAR-100-C and ImageNet-C share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workers.contracts import DataError, DataSet
from workers.images.corruption_names import SEVERITIES, canonical


@dataclass(frozen=True, kw_only=True)
class OneCorruption(DataSet):
    """One ``corruption`` at one ``severity``, as published.

    The task's name (``jpeg``) and the published one (``jpeg_compression``) mean the same.
    """

    corruption: str
    severity: Literal[1, 2, 3, 4, 5] = 3

    def __post_init__(self) -> None:
        """Check both, and keep the task's name, so that either name gives the same key.

        Raises:
            ValueError: there is no such corruption or severity.

        """
        super().__post_init__()
        object.__setattr__(self, "corruption", canonical(self.corruption))
        if self.severity not in SEVERITIES:
            raise ValueError(f"severity: expected 1 to 5, found {self.severity!r}")


def nothing_to_train_on(name: str, clean: str, shift: str) -> DataError:
    """Return the error for the train split of the test set ``name``.

    Args:
        name: of the data set.
        clean: the data set to train on.
        shift: how a ``shifted`` task names the test set.

    """
    return DataError(
        f"{name} is a test set and has nothing to train on; train on {clean}, and test with the "
        f"task {{shifted: {{data: {shift}}}}}"
    )
