"""Detection of outliers and attacks on membership, for each network of a sweep."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from orchestrator.robustness.columns import Row
from orchestrator.robustness.conditions import Conditions
from orchestrator.robustness.membership import membership
from orchestrator.robustness.network import Digest, digest, outliers
from orchestrator.robustness.outputs import DENSE, Member, outputs
from orchestrator.spec.labels import label
from workers.contracts import Chain

if TYPE_CHECKING:
    from orchestrator.plan import Plan
    from orchestrator.store import Store

DETECTION = {"auroc": "AUROC", "fpr95": "FPR at 95 TPR"}
MEMBERSHIP = {
    "balanced_accuracy": "balanced accuracy",
    "auroc": "AUROC",
    "tpr_at_low_fpr": "TPR at low FPR",
}
KEPT = 32
"""Networks whose answers about clean and training images are remembered."""


class Beyond:
    """The scores of networks that have been tested on foreign images or on training images."""

    def __init__(self, plan: Plan, store: Store) -> None:
        """Read from ``store`` when asked."""
        self._store, self._conditions = store, Conditions(plan)
        self._populations: dict[tuple[str, ...], list[Chain]] = defaultdict(list)
        for chain in plan.chains:
            self._populations[_series(chain)].append(chain)
        self._digests: dict[str, Digest] = {}
        self._detection: dict[str, Mapping[str, float]] = {}
        self._membership: dict[str, Mapping[str, float]] = {}

    def of(self, chain: Chain, key: str) -> Mapping[str, float]:
        """Return the scores of one evaluated network of ``chain``, by the name of the curve.

        Attacks that need a shadow begin when the network of the other seed has been tested.

        Raises:
            DamagedObjectError: an object of the store does not match its checksum.

        """
        if self._conditions.outliers and key not in self._detection:
            self._digest(chain, key)
        if self._conditions.members and key not in self._membership:
            attacked = self._attacked(chain, key)
        else:
            attacked = self._membership.get(key, {})
        return {**self._detection.get(key, {}), **attacked}

    def _attacked(self, chain: Chain, key: str) -> Mapping[str, float]:
        networks = [(chain, key)]
        if other := self._other_seed(chain):
            networks.append((other, other.networks[chain.networks.index(key)]))
        digests = [self._digest(*one) for one in networks]
        rows = (one.row() for one in membership(digests, self._conditions))
        own = (row for row in rows if row["seed"] == chain.seed)
        curves = _curves("membership", "attack", MEMBERSHIP, own)
        if all(network in self._digests for _, network in networks):
            self._membership[key] = curves
        return curves

    def _other_seed(self, chain: Chain) -> Chain | None:
        """Return the shadow's chain: of the seed before, and for the first one the second."""
        same = self._populations[_series(chain)]
        place = [one.name for one in same].index(chain.name)
        return same[place - 1 if place else 1] if len(same) > 1 else None

    def _digest(self, chain: Chain, key: str) -> Digest:
        """Read a network, or remember it: the next seeds need it as a shadow."""
        if key in self._digests:
            return self._digests[key]
        tasks = self._conditions.labels
        member = _member(chain, key, self._store.evaluations(key))
        found = outputs(self._store, member, tasks)
        told = Digest(member, seen=digest(member, found, self._conditions).seen)
        if found.keys() >= set(tasks.values()):
            rows = (one.row(member) for one in outliers(found, self._conditions))
            self._detection[key] = _curves("detection", "score", DETECTION, rows)
            self._digests[key] = told
            if len(self._digests) > KEPT:
                del self._digests[next(iter(self._digests))]
        return told


def _member(chain: Chain, key: str, evaluations: Iterable[str]) -> Member:
    network, method, schedule = _series(chain)
    return Member(
        network=network,
        seed=chain.seed,
        method=method,
        schedule=schedule,
        level=chain.networks.index(key) + bool(chain.method),
        ratio=0.0,
        evaluations=tuple(evaluations),
    )


def _series(chain: Chain) -> tuple[str, str, str]:
    method = label(chain.method) if chain.method else DENSE
    return chain.network, method, chain.schedule.label if chain.schedule else ""


def _curves(
    group: str, by: str, columns: Mapping[str, str], rows: Iterable[Row]
) -> dict[str, float]:
    return {
        f"{group}/{row['task']}/{row[by]} {told}": float(str(row[column]))
        for row in rows
        for column, told in columns.items()
    }
