"""How much of a GPU the trials of each network are given: what was asked for, or what they need.

Ray counts shares and does not look at memory: trials that share a GPU can run out of it together.
So each network is trained and evaluated for a moment on a GPU of its own before anything is packed,
and what runs out of memory all the same is tried again with twice the share.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from math import ceil

import ray

from workers.contracts import Chain

PERCENT = 100
PATIENCE = 300.0
"""Seconds that all networks together may take to be tried; the GPUs may be busy, or none there."""

OUT_OF_MEMORY = ("OutOfMemoryError", "AcceleratorError: CUDA error: out of memory")
"""What a cause begins with: PyTorch's own allocator, and CUDA where not even a context fits."""

_log = logging.getLogger(__name__)


class Shares:
    """The GPUs that a trial reserves, by network."""

    def __init__(self, asked: float) -> None:
        """Give every trial what was ``asked`` for, until more is known."""
        self._asked = asked
        self._of: dict[str, float] = {}

    def of(self, network: str) -> float:
        """Return the share of a trial of a ``network``."""
        return self._of.get(network, self._asked)

    def measure(self, chains: Iterable[Chain], need: Callable[[Chain], float]) -> None:
        """Try one chain of each network on a GPU of its own, if they are to share GPUs.

        Args:
            chains: what is to run.
            need: runs on the GPU, and returns the fraction of its memory that a chain needs.

        """
        if not 0 < self._asked < 1:
            return
        # The last one is of pruned networks, if there are any: it knows how they are retrained.
        last = {chain.network: chain for chain in chains}
        # A function: Ray takes no method.
        ask = ray.remote(num_cpus=0, num_gpus=1, max_retries=0)(lambda chain: need(chain))
        asked = {network: ask.remote(chain) for network, chain in last.items()}
        _, late = ray.wait([*asked.values()], num_returns=len(asked), timeout=PATIENCE)
        for network, answer in asked.items():
            if answer in late:
                ray.cancel(answer, force=True)
                _log.warning(
                    "no GPU has tried a chain of %s within %g s: it is given the %g of one that "
                    "were asked for",
                    network,
                    PATIENCE,
                    self._asked,
                )
                continue
            try:
                share = min(ceil(PERCENT * ray.get(answer)) / PERCENT, 1.0)
            except ray.exceptions.RayError as error:
                # The trial itself will say better what is wrong with the network.
                _log.debug("the memory of %s is not known: %s", network, error)
                continue
            if share > self._asked:
                _log.warning(
                    "a chain of %s needs %.2f of a GPU's memory: it is given that, not the %g "
                    "that were asked for",
                    network,
                    share,
                    self._asked,
                )
                self._of[network] = share

    def enlarge(self, network: str, had: float) -> float | None:
        """Return the share of the next try of a ``network`` that ran out of memory.

        None where no larger one is to be had. All of its chains that start later are given it too.
        """
        if not 0 < had < 1:
            return None
        share = max(self.of(network), min(2 * had, 1.0))
        self._of[network] = share
        return share
