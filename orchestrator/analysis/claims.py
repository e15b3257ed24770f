"""The claims of "Lost in Pruning" (MLSys 2021) about the shape of results, held against a sweep.

A claim holds where the intervals of the analysis confirm all of its parts, does not hold where they
contradict one, and cannot be told otherwise, or where methods or tasks are missing. Differences
take their intervals from those of their sides (``Estimate``). Not among the claims yet is the
similarity of functions, that pruned networks are closer to their parent than one that was trained
separately: it needs predictions compared across networks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from orchestrator.analysis.estimates import Estimate, Verdict, average, percent, together
from orchestrator.analysis.evidence import Evidence, Finding, Level, Series
from orchestrator.analysis.task_groups import (
    BLUR,
    INPUT_NOISE,
    MIX_1,
    MIX_2,
    NOISE,
    NOMINAL,
    WEATHER,
    among,
    by_level,
)

HALF = 0.5
NEAR_ZERO = 0.1

Told = tuple[Verdict, str]
ByTask = Mapping[str, Estimate]
BySeries = Mapping[Series, Estimate | None]
Opponents = tuple[list[Series], list[Series]]


def rises_then_falls(evidence: Evidence) -> Iterator[Finding]:
    """Little pruning of weights makes a network better, much makes it worse.

    On average over the levels up to the last within δ, the nominal accuracy is above the parent's;
    at the last level of the ladder it is lower by more than δ. Which level is the last within δ
    goes by point estimates; if none is, the first level counts.
    """
    for series in evidence.series("weight"):
        levels = evidence.levels(series, NOMINAL)
        told = _rise_and_fall(levels, evidence.delta) if levels else _untested(NOMINAL)
        yield Finding("rises_then_falls", series, *told)


def _rise_and_fall(levels: list[Level], delta: float) -> Told:
    parent, *pruned = levels
    gains = [level.accuracy - parent.accuracy for level in pruned]
    within = max((i for i, gain in enumerate(gains, 1) if gain.value >= -delta), default=1)
    rise, fall = average(gains[:within]), gains[-1]
    upto, last = pruned[within - 1].ratio, pruned[-1].ratio
    numbers = f"{rise} points on average up to {upto:.1%}, {fall} at {last:.1%}"
    return together([rise.above(), fall.at_most(-delta)]), numbers


def filters_fall_sooner(evidence: Evidence) -> Iterator[Finding]:
    """Methods that prune filters lose the parent's nominal accuracy at lower ratios than others.

    Lost is what is not within δ, so that the prune potentials on nominal data are compared.
    """
    for weights, filters in _opponents(evidence):
        found = {s: evidence.potentials(s).get(NOMINAL) for s in (*weights, *filters)}
        told = _closest((weights, filters), found, NOMINAL)
        yield Finding("filters_fall_sooner", replace(weights[0], method=""), *told)


def weights_beat_filters(evidence: Evidence) -> Iterator[Finding]:
    """Every method that prunes weights has a higher mean potential than any that prunes filters."""
    for weights, filters in _opponents(evidence):
        for side in ("train", "test"):
            found = {s: evidence.averages(s).get(side) for s in (*weights, *filters)}
            told = _closest((weights, filters), found, f"{side} tasks")
            yield Finding("weights_beat_filters", replace(weights[0], method=""), *told)


def _closest(sides: Opponents, potentials: BySeries, tasks: str) -> Told:
    """Judge by the lowest potential of pruned weights and the highest of pruned filters."""
    weights, filters = sides
    known = {series: estimate for series, estimate in potentials.items() if estimate is not None}
    if len(known) < len(potentials):
        return _untested(tasks)
    low = min(weights, key=lambda series: known[series].value)
    high = max(filters, key=lambda series: known[series].value)
    numbers = f"{tasks}: {low.method} {known[low]} against {high.method} {known[high]}"
    return (known[low] - known[high]).above(), numbers


def noise_collapses(evidence: Evidence) -> Iterator[Finding]:
    """Noise more than halves the nominal potential; blur and weather, on average, do not."""
    for series in evidence.series():
        found = evidence.potentials(series)
        noise, calm = among(found, NOISE), among(found, BLUR + WEATHER)
        told = _untested("nominal data, a noise, and a blur or weather")
        if NOMINAL in found and noise and calm:
            half = found[NOMINAL].times(HALF)
            noisy, mild = average(noise.values()), average(calm.values())
            numbers = f"nominal {found[NOMINAL]}, noise {noisy}, blur and weather {mild}"
            told = together([(half - noisy).above(), (mild - half).above()]), numbers
        yield Finding("noise_collapses", series, *told)


def falls_with_noise(evidence: Evidence) -> Iterator[Finding]:
    """The potential falls with the level of input noise, to at most a tenth at the largest.

    It falls if it is lower at the last level than at the first and rises between no two that are
    next to each other, as far as intervals can tell.
    """
    for series in evidence.series():
        found = evidence.potentials(series)
        kinds = [levels for name in INPUT_NOISE if len(levels := by_level(found, name)) > 1]
        for told in map(_fall, kinds) if kinds else [_untested("two levels of input noise")]:
            yield Finding("falls_with_noise", series, *told)


def _fall(potentials: list[Estimate]) -> Told:
    rises = [(after - before).above() for before, after in pairwise(potentials)]
    first, last = potentials[0], potentials[-1]
    verdicts = [(first - last).above(), last.at_most(NEAR_ZERO)]
    if "holds" in rises:
        verdicts.append("does not hold")
    numbers = " ".join(percent(one.value) for one in potentials[:-1])
    return together(verdicts), f"{numbers} {last} from the least to the most noise"


def shift_costs_more(evidence: Evidence) -> Iterator[Finding]:
    """Pruned networks lose more under shift than their parents: the excess error has slope > 0."""
    for series in evidence.series():
        slope = evidence.slope(series)
        told = (slope.above(), f"slope {slope}") if slope else _untested("both distributions")
        yield Finding("shift_costs_more", series, *told)


def robust_training_helps(evidence: Evidence) -> Iterator[Finding]:
    """Training on the corruptions of Mix 1 raises the potential on them, and less on Mix 2.

    The sweep is the one of robust training, and compared with one of nominal training.
    """
    for series in evidence.series():
        told: Told = ("cannot be told", "needs the sweep of nominal training to compare with")
        if evidence.against:
            told = _gains(evidence.against, evidence, series)
        yield Finding("robust_training_helps", series, *told)


def _gains(nominal: Evidence, robust: Evidence, series: Series) -> Told:
    if lacking := nominal.lacking(series):
        return "cannot be told", f"{lacking} in the sweep of nominal training"
    before, after = nominal.potentials(series), robust.potentials(series)
    seen, unseen = _gain(before, after, MIX_1), _gain(before, after, MIX_2)
    if not seen or not unseen:
        return _untested("corruptions of both mixes in both sweeps")
    verdict = together([seen.above(), (seen - unseen).above()])
    return verdict, f"{seen} points more on Mix 1, {unseen} on Mix 2"


def _gain(before: ByTask, after: ByTask, names: tuple[str, ...]) -> Estimate | None:
    shared = among(after, names).keys() & before.keys()
    if not shared:
        return None
    now, then = (average([side[label] for label in shared]) for side in (after, before))
    return now - then


def _opponents(evidence: Evidence) -> Iterator[Opponents]:
    """Pair methods of weights with methods of filters or channels, by network and schedule."""
    places = dict.fromkeys((s.network, s.schedule) for s in evidence.series())
    for place in places:
        weights, filters = (
            [s for s in evidence.series(*units) if (s.network, s.schedule) == place]
            for units in (("weight",), ("filter", "channel"))
        )
        if weights and filters:
            yield weights, filters


def _untested(what: str) -> Told:
    return "cannot be told", f"not tested on {what}"


CLAIMS: Mapping[str, Callable[[Evidence], Iterator[Finding]]] = {
    claim.__name__: claim
    for claim in (
        rises_then_falls,
        filters_fall_sooner,
        weights_beat_filters,
        noise_collapses,
        falls_with_noise,
        shift_costs_more,
        robust_training_helps,
    )
}
