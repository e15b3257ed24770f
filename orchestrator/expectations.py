"""What a sweep is expected to show, held against what it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from orchestrator.analysis.claims import CLAIMS
from orchestrator.analysis.estimates import Estimate
from orchestrator.analysis.evidence import Evidence, Finding, Series
from orchestrator.spec.expect import ExpectSpec, PotentialSection, SlopeSection
from orchestrator.spec.labels import label
from orchestrator.sweep import results
from workers.registry import METHODS

if TYPE_CHECKING:
    from orchestrator.sweep import Sweep

Quantity = Callable[[Series], Estimate | None]


def evidence(sweep: Sweep, against: Sweep | None = None) -> Evidence:
    """Analyse what the stores hold of a sweep and of the one it is compared with."""
    units = {label(method): METHODS.get(method.name).unit for method in sweep.spec.methods}
    return Evidence(results(sweep), units, evidence(against) if against else None)


def verify(expect: ExpectSpec, evidence: Evidence) -> list[Finding]:
    """Compare a sweep with its expectations, in the order of the file.

    An expected number is found if the point estimate is within the tolerance of it, and missed if
    the whole interval is not. What the sweep does not have cannot be told.
    """
    return [
        *(found for one in expect.potential for found in _potential(one, evidence)),
        *(found for one in expect.slope for found in _slope(one, evidence)),
        *(found for name in expect.claims for found in _claim(name, evidence)),
    ]


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
        wanted = f"expected {Estimate(value)} ± {Estimate(expected.tolerance)}"
        series = [
            one
            for one in evidence.series()
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
