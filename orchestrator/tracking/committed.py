"""What the store holds of a sweep's chains, read once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from orchestrator.tracking.describe import measure_parameters
from orchestrator.tracking.network import Network, network_of
from orchestrator.tracking.readings import Readings, readings_of
from workers.contracts import Chain

if TYPE_CHECKING:
    import pandas as pd

    from orchestrator.plan import Plan
    from orchestrator.store import Store
    from orchestrator.tracking.beyond import Beyond

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
        return [self._with_others(chain, self._networks[key]) for key in keys]

    def readings(self, chain: Chain) -> Readings:
        """Return what the measures of ``chain`` found."""
        return readings_of(chain, self._store)

    def measured(self, chain: Chain) -> dict[str, str]:
        """Say when the measures of ``chain`` were done, as parameters."""
        return measure_parameters(chain, self._store)

    def pruned(self) -> list[tuple[Chain, Network, list[Network]]]:
        """List pruned chains with their parent and networks, as far as these are evaluated."""
        known = {key: one for key, one in self._networks.items() if one.accuracies}
        return [
            (chain, known[chain.parent], [known[key] for key in chain.networks if key in known])
            for chain in self._plan.chains
            if chain.method and chain.parent in known
        ]

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

    @cached_property
    def _beyond(self) -> Beyond:
        # Here, because its imports take longer than those of all the rest.
        from orchestrator.tracking.beyond import Beyond

        return Beyond(self._plan, self._store)

    def _with_others(self, chain: Chain, network: Network) -> Network:
        if not self._evaluated(network.key):
            return network
        others = self._beyond.of(chain, network.key)
        return replace(network, metrics={**network.metrics, **others})

    def _evaluated(self, key: str) -> bool:
        known = self._networks.get(key)
        return known is not None and len(known.accuracies) == len(self._plan.tasks)
