"""What a sweep is expected to show, held against what it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestrator.analysis.claims import CLAIMS
from orchestrator.analysis.estimates import Estimate, percent
from orchestrator.analysis.evidence import Evidence, Finding, Progress, Series
from orchestrator.spec.expect import ExpectSpec, PotentialSection, SlopeSection
from orchestrator.spec.labels import label
from orchestrator.sweep import results
from workers.registry import METHODS

if TYPE_CHECKING:
    from orchestrator.sweep import Sweep

Quantity = Callable[[Series], Estimate | None]


def evidence(sweep: Sweep, against: Sweep | None = None) -> Evidence:
    """Analyse what the stores hold of a sweep and of the one it is compared with.

    Both are analysed as ``sweep`` asks for: potentials at different δ are not comparable.
    """
    plug_ins = {label(method): METHODS.get(method.name) for method in sweep.spec.methods}
    units = {name: plug_in.unit for name, plug_in in plug_ins.items() if not plug_in.pretends}
    other = None
    if against:
        alike = against.spec.model_copy(update={"analysis": sweep.spec.analysis})
        other = evidence(replace(against, spec=alike))
    return Evidence(results(sweep), units, other, progress(sweep))


def progress(sweep: Sweep) -> dict[Series, Progress]:
    """Count the levels that are measured on all tasks, and whose parents are, over all seeds."""
    store, tasks = sweep.store, frozenset(sweep.plan.task_keys)
    keys = dict.fromkeys(key for chain in sweep.plan.chains for key in chain.networks)
    measured = {key for key in keys if store.has(key) and tasks <= store.evaluated(key)}
    counts: dict[Series, Progress] = {}
    for chain in sweep.plan.chains:
        if chain.method and chain.schedule:
            series = Series(chain.network, label(chain.method), chain.schedule.label)
            there = sum(key in measured and chain.parent in measured for key in chain.networks)
            before = counts.get(series, Progress(0, 0))
            planned = before.planned + len(chain.networks)
            counts[series] = Progress(before.there + there, planned)
    return counts


def verify(expect: ExpectSpec, evidence: Evidence) -> list[Finding]:
    """Compare a sweep with its expectations, in the order of the file.

    An expected number is found if the point estimate is within the tolerance of it, and missed if
    the whole interval is not. What the sweep does not have, or not yet, cannot be told. Intervals
    of one seed know the test set alone; findings from them say so.
    """
    found = [
        *(found for one in expect.potential for found in _potential(one, evidence)),
        *(found for one in expect.slope for found in _slope(one, evidence)),
        *(found for name in expect.claims for found in _claim(name, evidence)),
    ]
    return [_qualified(finding, evidence) for finding in found]


def _qualified(finding: Finding, evidence: Evidence) -> Finding:
    if lacking := evidence.lacking(finding.about):
        return replace(finding, verdict="cannot be told", numbers=lacking)
    if finding.verdict != "cannot be told" and evidence.parents(finding.about) == 1:
        return replace(finding, numbers=f"{finding.numbers} (point estimates of one seed)")
    return finding


def _potential(expected: PotentialSection, evidence: Evidence) -> Iterator[Finding]:
    def measured(series: Series) -> Estimate | None:
        if expected.task is not None:
            return evidence.potentials(series).get(expected.task)
        averages = evidence.averages(series, expected.statistic)
        return averages.get(expected.distribution or "")

    where = expected.task or f"{expected.distribution} {expected.statistic}"
    yield from _numbers(f"potential: {where}", expected, evidence, measured)


def _slope(expected: SlopeSection, evidence: Evidence) -> Iterator[Finding]:
    yield from _numbers("slope of excess error", expected, evidence, evidence.slope)


def _numbers(
    what: str,
    expected: PotentialSection | SlopeSection,
    evidence: Evidence,
    measured: Quantity,
) -> Iterator[Finding]:
    values: Mapping[str, float] = expected.values
    for method, value in values.items():
        wanted = f"expected {percent(value)} ± {percent(expected.tolerance)}"
        series = [
            one
            for one in evidence.every
            if one.method == method and expected.network in (None, one.network)
        ]
        for one in series or [Series(expected.network or "", method, "")]:
            found = measured(one) if series else None
            if found is None:
                yield Finding(what, one, "cannot be told", f"not measured, {wanted}")
            else:
                verdict = found.near(value, expected.tolerance)
                yield Finding(what, one, verdict, f"{found}, {wanted}")


def _claim(name: str, evidence: Evidence) -> Iterator[Finding]:
    found = list(CLAIMS[name](evidence))
    nowhere = Series("", "", "")
    yield from found or [Finding(name, nowhere, "cannot be told", "no methods to tell it from")]
