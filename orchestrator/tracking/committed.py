"""What the store holds of a sweep's chains, read once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestrator.tracking.describe import Network, network_of
from workers.contracts import Chain, Store

if TYPE_CHECKING:
    import pandas as pd

    from orchestrator.plan import Plan

WEIGHTS = "weights.safetensors"


class Committed:
    """The committed networks of a plan, with what is evaluated of them."""

    def __init__(self, plan: Plan, store: Store, cells_of: Callable[[Chain], pd.DataFrame]) -> None:
        """Read from ``store``; for ``cells_of`` see ``Tracker``."""
        self._plan, self._store, self._cells_of = plan, store, cells_of
        self._networks: dict[str, Network] = {}

    def networks(self, chain: Chain) -> list[Network]:
        """List the committed networks that ``chain`` makes, in its order."""
        keys = [key for key in chain.networks if self._store.has(key)]
        if news := [key for key in keys if not self._evaluated(key)]:
            levels = tuple(level for level in chain.levels if level.key in news)
            cells = self._cells_of(replace(chain, levels=levels))
            for key in news:
                rows = cells[cells["network_key"] == key]
                self._networks[key] = network_of(key, self._store.record(key), rows)
        return [self._networks[key] for key in keys]

    def complete(self, chain: Chain) -> bool:
        """Tell whether ``networks`` last saw all of ``chain``, evaluated, and it is measured."""
        measured = all(self._store.has(cell.key) for cell in chain.measures)
        return measured and all(self._evaluated(key) for key in chain.networks)

    def weights(self, network: Network) -> bytes:
        """Return the weights of ``network`` as they are stored."""
        return self._store.read(network.key, WEIGHTS)

    def begun(self) -> int | None:
        """Say when the first of the dense parents was begun, in milliseconds since 1970."""
        dense = [chain for chain in self._plan.chains if not chain.method]
        started = [network.started for chain in dense for network in self.networks(chain)]
        return min(started, default=None)

    def ended(self) -> int | None:
        """Say when the newest network seen so far was made, in milliseconds since 1970."""
        return max((network.created for network in self._networks.values()), default=None)

    def _evaluated(self, key: str) -> bool:
        known = self._networks.get(key)
        return known is not None and len(known.accuracies) == len(self._plan.tasks)
