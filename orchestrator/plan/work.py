"""What a chain makes, and how many epochs that takes."""

from __future__ import annotations

from workers.contracts import Chain


def made_by(chain: Chain) -> tuple[str, ...]:
    """Return the keys of what ``chain`` makes: networks, checkpoints of its parent, measures."""
    checkpoints = (checkpoint.key for checkpoint in chain.checkpoints)
    return (*chain.networks, *checkpoints, *(cell.key for cell in chain.measures))


def epochs_each(chain: Chain) -> int:
    """Count the epochs of each network of ``chain``; a rewound one trains from its epoch on."""
    if chain.retraining is None:
        return chain.training.epochs
    return chain.retraining.epochs - (chain.rewinds_to.epoch if chain.rewinds_to else 0)
