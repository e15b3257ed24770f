"""The scores of one chain's networks, for whoever follows a sweep while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from orchestrator.robustness.columns import typed
from orchestrator.robustness.conditions import Conditions
from orchestrator.robustness.measured import measured
from orchestrator.robustness.network import Digest, digest
from orchestrator.robustness.outputs import DENSE, Columns, Member, outputs
from orchestrator.robustness.population import distortion_rows, pairs
from orchestrator.spec.labels import label

if TYPE_CHECKING:
    from orchestrator.plan import Plan
    from orchestrator.store import Store
    from workers.contracts import Chain

FOLLOWED = ("nll", "ece", "brier", "worst_recall", "agreement", "wrong_if_parent_right")
"""The columns that ``scored`` adds, besides ``alpha``."""


def scored(cells: pd.DataFrame, plan: Plan, store: Store, chain: Chain) -> pd.DataFrame:
    """Add scores to the cells of a chain that are of the clean test images, and of no others.

    Args:
        cells: what was collected of the chain, with columns network_key and task.
        plan: of the sweep.
        store: its results.
        chain: the one, or some of its levels.

    Returns:
        The cells with a column for each of ``FOLLOWED`` and ``alpha``; NaN where there is none.

    Raises:
        DamagedObjectError: an object of the store does not match its checksum.

    """
    conditions = Conditions(plan)
    parts: list[pd.DataFrame] = []
    parent = _parent(chain, store, conditions)
    for level, key in enumerate(chain.networks, start=1 if chain.method else 0):
        member = _member(chain, store, key, level)
        found = outputs(store, member, conditions.labels)
        rows = (one.row(member) for one in measured(found, parent, conditions))
        own = typed("metrics", rows)
        own["alpha"] = own["task"].map(_alphas(member, found, parent, conditions)).astype("float64")
        shown = own[own["task"] == conditions.clean]
        parts.append(shown[["task", *FOLLOWED, "alpha"]].assign(network_key=key))
    return cells.merge(pd.concat(parts), how="left", on=["network_key", "task"])


def _parent(chain: Chain, store: Store, conditions: Conditions) -> Digest | None:
    if not chain.method:
        return None
    member = _member(chain, store, chain.parent, 0)
    return digest(member, outputs(store, member, conditions.labels), conditions)


def _member(chain: Chain, store: Store, key: str, level: int) -> Member:
    return Member(
        network=chain.network,
        seed=chain.seed,
        method=label(chain.method) if chain.method and level else DENSE,
        schedule=chain.schedule.label if chain.schedule and level else "",
        level=level,
        ratio=0.0,
        evaluations=tuple(store.evaluations(key)),
    )


def _alphas(
    member: Member, found: dict[str, Columns], parent: Digest | None, conditions: Conditions
) -> dict[str, float]:
    if parent is None:
        return {}
    own = digest(member, found, conditions)
    return {
        pair.task: float(str(distortion_rows([pair], "train")[1]["pooled"]))
        for (pair,) in pairs([own], {member.seed: parent}, conditions)
    }
