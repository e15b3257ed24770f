"""Tune's search interface as the scheduler of chains.

Tune knows no dependencies among trials, but a searcher may answer "not yet": while the parents of
all chains that are left are running. Tune's own state is scratch and never restored; to resume is
to plan again from the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ray.tune.search import Searcher

from orchestrator.cluster.shares import Shares
from orchestrator.execution.frontier import Frontier


class Unsaved:
    """Has no state: Tune saves searchers and callbacks for a restore that never happens here."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class PlanSearcher(Unsaved, Searcher):
    """Tune's search interface as a scheduler: suggests the next chain of a frontier."""

    def __init__(self, frontier: Frontier, shares: Shares) -> None:
        """Suggest the chains of ``frontier``, which somebody else closes, with their ``shares``."""
        super().__init__()
        self._frontier = frontier
        self._shares = shares

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Name the next chain and its share; None while all that is left waits for others."""
        if self._frontier.exhausted:
            return str(Searcher.FINISHED)
        chain = self._frontier.start()
        if chain is None:
            return None
        return {"chain": chain.name, "gpus": self._shares.of(chain.network)}

    def on_trial_complete(
        self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False
    ) -> None:
        """Do nothing: only a callback is given the trial, and with it the cause of a failure."""

    def save(self, checkpoint_path: str) -> None:
        """Do nothing: there is no restore."""
