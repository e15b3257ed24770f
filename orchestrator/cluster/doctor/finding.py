"""What a check finds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "fail"]
LEVELS: tuple[Level, ...] = ("ok", "warn", "fail")
CHECKS = (
    *("versions", "cpus", "gpus", "disk", "shm"),
    *("store", "data", "mlflow", "clock", "ports"),
)
NAMED = 5
"""Machines in a line of advice."""
RESULT = "prunesweep doctor: "
"""What the line of a job's log begins with that has the findings of a cluster, as JSON."""


@dataclass(frozen=True)
class Finding:
    """One thing that a check found, and where it is not ok what to do about it."""

    check: str
    level: Level
    found: str
    advice: str = ""


@dataclass(frozen=True)
class Node:
    """A machine and all that was found on it."""

    name: str
    findings: tuple[Finding, ...]

    def level(self, check: str) -> Level | None:
        """Return the worst that ``check`` found here, None where it was not made."""
        return worst(one for one in self.findings if one.check == check)


def worst(findings: Iterable[Finding]) -> Level | None:
    """Return the worst level of ``findings``, None if there are none."""
    levels = {one.level for one in findings}
    return next((level for level in reversed(LEVELS) if level in levels), None)


def complaints(nodes: Sequence[Node]) -> list[str]:
    """Say in a line each what is not ok, on which machines, and what to do."""
    where: dict[Finding, list[str]] = {}
    for node in nodes:
        for one in node.findings:
            if one.level != "ok":
                where.setdefault(one, []).append(node.name)
    ordered = sorted(where, key=lambda one: (-LEVELS.index(one.level), CHECKS.index(one.check)))
    return [
        f"{one.level}: {one.check} on {_listed(where[one])}: {one.found}; {one.advice}"
        for one in ordered
    ]


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
