"""A run in numbers, for whoever watches from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """What a run has done at one moment.

    Attributes:
        chains: how many are ``waiting``, ``running``, ``done``, ``failed`` and ``blocked``.
        done: ``networks``, ``epochs``, ``cells``, ``measures``, ``images`` trained and tested on.
        seconds_left: until the end; None while too little is known.
        cached: ``networks`` and ``cells`` that the store held when the run began.

    """

    chains: Mapping[str, int]
    done: Mapping[str, float]
    seconds_left: float | None
    cached: Mapping[str, int] = field(default_factory=dict)
