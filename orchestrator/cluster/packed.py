"""All chains of a sweep as a few arrays, which every process of a node reads in shared memory.

Ray copies a dictionary into each process and for each trial; arrays it only maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ray import cloudpickle

from workers.contracts import Chain


@dataclass(frozen=True)
class PackedChains:
    """Serialised chains behind each other.

    Attributes:
        names: the names of the ``n`` chains, sorted.
        ends: where each of them ends in ``block``, after a 0: ``n + 1`` numbers.
        block: bytes.

    """

    names: NDArray[np.str_]
    ends: NDArray[np.int64]
    block: NDArray[np.uint8]

    @classmethod
    def of(cls, chains: Sequence[Chain]) -> PackedChains:
        """Pack ``chains``, of which there is at least one."""
        ordered = sorted(chains, key=lambda chain: chain.name)
        written = [cloudpickle.dumps(chain) for chain in ordered]
        return cls(
            names=np.array([chain.name for chain in ordered]),
            ends=np.cumsum([0, *map(len, written)]),
            block=np.frombuffer(b"".join(written), np.uint8),
        )

    def __getitem__(self, name: str) -> Chain:
        """Read the chain called ``name``.

        Raises:
            KeyError: there is none.

        """
        place = int(np.searchsorted(self.names, name))
        if place == len(self.names) or self.names[place] != name:
            raise KeyError(name)
        chain: Chain = cloudpickle.loads(self.block[self.ends[place] : self.ends[place + 1]])
        return chain
