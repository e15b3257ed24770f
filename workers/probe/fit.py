"""Which measures do not suit a network, found out before it is trained."""

from __future__ import annotations

import torch

from workers.checkpoint import architecture, build
from workers.contracts import Chain, Component, PermanentError, Runtime
from workers.registry import DATA_SETS, MEASURES
from workers.training.loading import load_train_data

CHANNELS = 3
"""Of images that are not here yet: what kind of network it is does not depend on how many."""


def misfits(chain: Chain, runtime: Runtime) -> list[str]:
    """Say of every measure of the chain why its network cannot be measured so, or nothing.

    Nothing is downloaded. What cannot be built suits them all: training it will say what is wrong.
    """
    data_set, root = DATA_SETS.create(chain.data), runtime.data_root
    classes, channels = len(data_set.classes(root)), CHANNELS
    if data_set.available(root):
        channels = load_train_data(data_set, root, torch.device("cpu")).channels
    try:
        network = build(architecture(chain.model, channels=channels, classes=classes))
    except Exception:  # whatever somebody's network runs into
        return [""] * len(chain.measures)
    return [_misfit(cell.measure, network) for cell in chain.measures]


def _misfit(measure: Component, network: torch.nn.Module) -> str:
    try:
        MEASURES.create(measure).check(network)
    except PermanentError as error:
        return str(error)
    return ""
