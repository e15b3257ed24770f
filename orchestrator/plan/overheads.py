"""What a run costs beside training, predicting and measuring."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Overheads:
    """Wall seconds that hardly depend on the size of networks and data.

    ``run`` is spent once: processes start, import torch, and end. Every chain takes ``chain`` to
    be handed to a process and cleared away, every network ``network`` to be pruned and committed,
    every cell ``cell`` to draw its noise and to commit its predictions.
    """

    run: float = 0.0
    chain: float = 0.0
    network: float = 0.0
    cell: float = 0.0


NONE = Overheads()
OVERHEADS = Overheads(run=12.0, chain=0.3, network=0.3, cell=0.01)
"""With Ray on two CPU cores: of sweeps whose networks train for less than a second."""
