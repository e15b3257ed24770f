"""What a running trial does, as its last event told it."""

from __future__ import annotations

from dataclasses import dataclass

from workers.contracts import Event

STATES = {
    "start": "starting",
    "epoch": "training",
    "network": "evaluating",
    "cells": "evaluating",
    "measure": "measuring",
    "waiting": "waiting for another sweep",
    "retry": "trying again",
}


@dataclass
class TrialState:
    """What a running trial told last: what it does at ``level``, ``done`` of ``total`` of it."""

    level: int = 0
    done: int = 0
    total: int = 0
    state: str = "starting"

    def show(self, event: Event, *, measures_alone: bool) -> None:
        """Take over what ``event`` tells; ``measures_alone`` of the chain may be left to do."""
        self.state = STATES[event.kind]
        self.done, self.total = event.done, event.total
        if event.kind in ("epoch", "network", "cells"):
            self.level = event.level
        if event.kind == "cells" and event.done == event.total:
            self.state = "measuring" if measures_alone else "pruning"
            self.done = self.total = 0
