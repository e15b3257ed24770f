"""The claims of "Lost in Pruning" (MLSys 2021) about the shape of results, held against a sweep.

A claim holds where the intervals of the analysis confirm all of its parts, does not hold where they
contradict one, and cannot be told otherwise, or where methods or tasks are missing. Differences
take their intervals from those of their sides (``Estimate``); where a claim goes by point estimates
instead, it says so. The paper's claim that pruned networks resemble their parent more than an
independently trained one does is not here: it needs predictions compared across networks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from orchestrator.analysis.estimates import Estimate, Verdict, average, together
from orchestrator.analysis.evidence import Evidence, Finding, Level, Series

NOMINAL = "nominal"
NOISE = ("gaussian_noise", "impulse_noise", "shot_noise", "speckle_noise")
BLUR = ("defocus_blur", "gaussian_blur", "glass_blur", "motion_blur", "zoom_blur")
WEATHER = ("brightness", "fog", "frost", "snow")
INPUT_NOISE = ("gaussian_input_noise", "uniform_input_noise")
MIX_1 = (
    "contrast", "elastic_transform", "gaussian_blur", "impulse_noise", "motion_blur", "pixelate",
    "shot_noise", "snow", "zoom_blur",
)  # fmt: skip
MIX_2 = (
    "brightness", "defocus_blur", "fog", "frost", "gaussian_noise", "glass_blur", "jpeg",
    "saturate", "spatter", "speckle_noise",
)  # fmt: skip
HALF = 0.5
NEAR_ZERO = 0.1

Told = tuple[Verdict, str]
ByTask = Mapping[str, Estimate]


def rises_then_falls(evidence: Evidence) -> Iterator[Finding]:
    """Little pruning of weights makes a network better, much makes it worse.

    On average over the levels up to the last within δ, the nominal accuracy is above the parent's
    (point estimates); at the last level of the ladder it is lower by more than δ.
    """
    for series in evidence.series("weight"):
        levels = evidence.levels(series, NOMINAL)
        told = _rise_and_fall(levels, evidence.delta) if levels else _untested(NOMINAL)
        yield Finding("rises_then_falls", series, *told)


def _rise_and_fall(levels: list[Level], delta: float) -> Told:
    parent, *pruned = levels
    gains = [level.accuracy.value - parent.accuracy.value for level in pruned]
    within = max((i for i, gain in enumerate(gains, 1) if gain >= -delta), default=0)
    rise = Estimate(sum(gains[:within]) / max(within, 1))
    fall = pruned[-1].accuracy - parent.accuracy
    upto = pruned[within - 1].ratio if within else 0.0
    numbers = f"{rise} points on average up to {upto:.1%}, {fall} at {pruned[-1].ratio:.1%}"
    return together([rise.above(), fall.at_most(-delta)]), numbers


def filters_fall_sooner(evidence: Evidence) -> Iterator[Finding]:
    """Methods that prune filters lose the parent's nominal accuracy at lower ratios than others.

    Compared, by point estimates, are the last levels whose mean accuracy is that of the parent.
    """
    for weights, filters in _opponents(evidence):
        kept = {s: _kept_up_to(evidence.levels(s, NOMINAL)) for s in (*weights, *filters)}
        if None in kept.values():
            told = _untested(NOMINAL)
        else:
            last = {s: Estimate(ratio or 0.0) for s, ratio in kept.items()}
            low = min(weights, key=lambda s: last[s].value)
            high = max(filters, key=lambda s: last[s].value)
            numbers = f"{low.method} up to {last[low]}, {high.method} up to {last[high]}"
            told = (last[low] - last[high]).above(), numbers
        yield Finding("filters_fall_sooner", _all(weights[0]), *told)


def _kept_up_to(levels: list[Level]) -> float | None:
    if not levels:
        return None
    parent, *pruned = levels
    kept = (one.ratio for one in pruned if one.accuracy.value >= parent.accuracy.value)
    return max(kept, default=0.0)


def weights_beat_filters(evidence: Evidence) -> Iterator[Finding]:
    """Every method that prunes weights has a higher mean potential than any that prunes filters."""
    for weights, filters in _opponents(evidence):
        for side in ("train", "test"):
            found = {s: evidence.averages(s).get(side) for s in (*weights, *filters)}
            means = {s: estimate for s, estimate in found.items() if estimate is not None}
            if len(means) < len(found):
                told = _untested(f"the {side} tasks")
            else:
                low = min(weights, key=lambda s: means[s].value)
                high = max(filters, key=lambda s: means[s].value)
                numbers = f"{side}: {low.method} {means[low]}, {high.method} {means[high]}"
                told = (means[low] - means[high]).above(), numbers
            yield Finding("weights_beat_filters", _all(weights[0]), *told)


def noise_collapses(evidence: Evidence) -> Iterator[Finding]:
    """Noise more than halves the nominal potential; blur and weather, on average, do not."""
    for series in evidence.series():
        found = evidence.potentials(series)
        noise, calm = _named(found, NOISE), _named(found, BLUR + WEATHER)
        told = _untested("nominal data, a noise, and a blur or weather")
        if NOMINAL in found and noise and calm:
            half = found[NOMINAL].times(HALF)
            noisy, mild = average(noise), average(calm)
            told = (
                together([(half - noisy).above(), (mild - half).above()]),
                f"nominal {found[NOMINAL]}, noise {noisy}, blur and weather {mild}",
            )
        yield Finding("noise_collapses", series, *told)


def falls_with_noise(evidence: Evidence) -> Iterator[Finding]:
    """The potential falls with the level of input noise, to at most a tenth at the largest.

    It falls if it is lower at the last level than at the first and rises between no two that are
    next to each other, as far as intervals can tell.
    """
    for series in evidence.series():
        found = evidence.potentials(series)
        kinds = [by_level for name in INPUT_NOISE if len(by_level := _by_level(found, name)) > 1]
        for told in map(_fall, kinds) if kinds else [_untested("two levels of input noise")]:
            yield Finding("falls_with_noise", series, *told)


def _by_level(found: ByTask, name: str) -> list[Estimate]:
    levels = {
        float(label.partition("-")[2]): estimate
        for label, estimate in found.items()
        if re.fullmatch(rf"{name}-\d*\.?\d+(e[-+]?\d+)?", label)
    }
    return [levels[level] for level in sorted(levels)]


def _fall(potentials: list[Estimate]) -> Told:
    rises = [(after - before).above() for before, after in pairwise(potentials)]
    first, last = potentials[0], potentials[-1]
    verdicts = [(first - last).above(), last.at_most(NEAR_ZERO)]
    if "holds" in rises:
        verdicts.append("does not hold")
    numbers = " ".join(str(Estimate(one.value)) for one in potentials[:-1])
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
            before, after = evidence.against.potentials(series), evidence.potentials(series)
            seen, unseen = _gain(before, after, MIX_1), _gain(before, after, MIX_2)
            told = _untested("corruptions of both mixes in both sweeps")
            if seen and unseen:
                verdict = together([seen.above(), (seen - unseen).above()])
                told = verdict, f"{seen} points more on Mix 1, {unseen} on Mix 2"
        yield Finding("robust_training_helps", series, *told)


def _gain(before: ByTask, after: ByTask, names: tuple[str, ...]) -> Estimate | None:
    shared = [label for label in after if label in before and _task(label) in names]
    if not shared:
        return None
    now, then = (average([side[label] for label in shared]) for side in (after, before))
    return now - then


def _named(found: ByTask, names: tuple[str, ...]) -> list[Estimate]:
    return [estimate for label, estimate in found.items() if _task(label) in names]


def _task(label: str) -> str:
    return label.partition("-")[0]


def _opponents(evidence: Evidence) -> Iterator[tuple[list[Series], list[Series]]]:
    """Pair methods of weights with methods of filters or channels, by network and schedule."""
    places = dict.fromkeys((s.network, s.schedule) for s in evidence.series())
    for place in places:
        weights, filters = (
            [s for s in evidence.series(*units) if (s.network, s.schedule) == place]
            for units in (("weight",), ("filter", "channel"))
        )
        if weights and filters:
            yield weights, filters


def _all(series: Series) -> Series:
    return replace(series, method="")


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
