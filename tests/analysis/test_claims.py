"""Every claim on tables made by hand: where it holds, fails, and where nobody can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest

from orchestrator.analysis.analyse import COLUMNS, AnalysisOptions, Results
from orchestrator.analysis.claims import CLAIMS
from orchestrator.analysis.evidence import Evidence, Finding, Progress, Series
from orchestrator.spec.expect import ClaimName

UNITS = {"wt": "weight", "sipp": "weight", "ft": "filter", "pfp": "channel"}
RATIOS = (0.3, 0.6, 0.9)


def frame(table: str, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    columns = COLUMNS[table]
    constant = {"network": "net", "schedule": "cascade", "delta": 0.005, "rule": "any"}
    constant |= {"distribution": "test", "parents": 3, "points": 9, "statistic": "mean"}
    full = [{column: (constant | row).get(column, np.nan) for column in columns} for row in rows]
    return pd.DataFrame(full, columns=list(columns)).astype(columns)


def evidence(against: Evidence | None = None, **rows: Sequence[Mapping[str, Any]]) -> Evidence:
    """Evidence from some rows of some tables; each method is in the curves."""
    methods = {row["method"] for some in rows.values() for row in some} - {"dense"}
    if "curves" not in rows:
        rows["curves"] = [curve_row(method, "some-task", 1, 0.5) for method in sorted(methods)]
    tables = {table: frame(table, rows.get(table, ())) for table in COLUMNS}
    return Evidence(Results(**tables, options=AnalysisOptions()), UNITS, against)


def curve_row(
    method: str, task: str, level: int, accuracy: float, spread: float = 0.001
) -> dict[str, Any]:
    return {
        "method": method,
        "schedule": "" if method == "dense" else "cascade",
        "task": task,
        "level": level,
        "ratio": RATIOS[level - 1] if level else 0.0,
        "accuracy": accuracy,
        "low": accuracy - spread,
        "high": accuracy + spread,
    }


def curves(
    spread: float = 0.001, /, *, dense: float = 0.9, **methods: Sequence[float]
) -> dict[str, list[dict[str, Any]]]:
    rows = [curve_row("dense", "nominal", 0, dense, spread)]
    for method, accuracies in methods.items():
        rows += [curve_row(method, "nominal", i, a, spread) for i, a in enumerate(accuracies, 1)]
    return {"curves": rows}


def potentials(
    spread: float = 0.02, /, method: str = "wt", **tasks: float
) -> dict[str, list[dict[str, Any]]]:
    rows = [
        {
            "method": method,
            "task": task.replace("__", "-").replace("_p_", "."),
            "potential": value,
            "low": max(value - spread, 0.0),
            "high": value + spread,
        }
        for task, value in tasks.items()
    ]
    return {"potentials": rows}


def only(claim: str, found: Evidence) -> Finding:
    (finding,) = CLAIMS[claim](found)
    assert finding.expected == claim
    assert finding.about.network == "net"
    return finding


def test_a_sweep_file_can_name_every_claim() -> None:
    assert set(get_args(ClaimName)) == set(CLAIMS)


@pytest.mark.parametrize(
    ("accuracies", "spread", "verdict"),
    [
        ((0.904, 0.906, 0.87), 0.001, "holds"),
        ((0.899, 0.898, 0.87), 0.001, "does not hold"),  # never above the parent
        ((0.904, 0.906, 0.90), 0.001, "does not hold"),  # does not fall by more than δ
        ((0.904, 0.906, 0.894), 0.004, "cannot be told"),  # falls, but not for sure
        ((0.85, 0.80, 0.70), 0.001, "does not hold"),  # no level within δ
    ],
)
def test_rises_then_falls(accuracies: Sequence[float], spread: float, verdict: str) -> None:
    finding = only("rises_then_falls", evidence(**curves(spread, wt=accuracies)))
    assert finding.verdict == verdict
    assert finding.about.method == "wt"


def test_rises_then_falls_in_numbers() -> None:
    finding = only("rises_then_falls", evidence(**curves(wt=(0.904, 0.906, 0.87))))
    # √(0.1² + 0.1²) = 0.14 points to either side
    assert finding.numbers == (
        "0.5 [0.4, 0.6] points on average up to 60.0%, -3.0 [-3.1, -2.9] at 90.0%"
    )


def test_rises_then_falls_is_about_weights_and_needs_nominal_data() -> None:
    assert list(CLAIMS["rises_then_falls"](evidence(**curves(ft=(0.9, 0.8, 0.7))))) == []
    finding = only("rises_then_falls", evidence(**potentials(nominal=0.8)))
    assert (finding.verdict, finding.numbers) == ("cannot be told", "not tested on nominal")


@pytest.mark.parametrize(
    ("filters", "verdict"), [(0.3, "holds"), (0.58, "cannot be told"), (0.7, "does not hold")]
)
def test_filters_fall_sooner_goes_by_intervals(filters: float, verdict: str) -> None:
    weights = potentials(nominal=0.6)["potentials"]
    found = evidence(potentials=weights + potentials(0.02, "ft", nominal=filters)["potentials"])
    finding = only("filters_fall_sooner", found)
    assert finding.verdict == verdict
    assert finding.numbers.startswith("nominal: wt 60.0 [58.0, 62.0] against ft ")
    assert finding.about.method == ""


def test_filters_fall_sooner_needs_every_potential() -> None:
    rows = potentials(nominal=0.6)["potentials"] + potentials(0.02, "ft", fog__3=0.1)["potentials"]
    finding = only("filters_fall_sooner", evidence(potentials=rows))
    assert (finding.verdict, finding.numbers) == ("cannot be told", "not tested on nominal")


def test_a_rise_within_the_intervals_cannot_be_told() -> None:
    finding = only("rises_then_falls", evidence(**curves(0.004, wt=(0.902, 0.904, 0.8))))
    assert finding.verdict == "cannot be told"  # 0.3 points up, known to 0.57
    assert finding.numbers.startswith("0.3 [-0.3, 0.9] points on average up to 60.0%")


def test_numbers_without_intervals_are_called_point_estimates() -> None:
    finding = only("rises_then_falls", evidence(**curves(np.nan, wt=(0.91, 0.91, 0.8))))
    assert finding.verdict == "holds"
    assert finding.numbers.startswith("1.0 (point estimate) points on average")


def test_a_control_is_no_method_that_prunes() -> None:
    rows = curves(wt=(0.904, 0.906, 0.87), reference=(0.9, 0.9, 0.9))
    found = evidence(**rows)
    assert [one.about.method for one in CLAIMS["rises_then_falls"](found)] == ["wt"]
    assert {series.method for series in found.every} == {"wt", "reference"}


def test_what_is_planned_but_not_begun_is_compared_with_too() -> None:
    rows = [summary_row("wt", "test", 0.8), summary_row("ft", "test", 0.3)]
    whole = evidence(summary=rows)
    wt, ft, pfp = (Series("net", method, "cascade") for method in ("wt", "ft", "pfp"))
    progress = {wt: Progress(3, 3), ft: Progress(2, 3), pfp: Progress(0, 3)}
    found = Evidence(whole.results, UNITS, progress=progress)
    finding = list(CLAIMS["weights_beat_filters"](found))[-1]
    assert finding.numbers == "not tested on test tasks"
    assert found.lacking(finding.about) == "5 of 9 levels are there"
    assert (found.lacking(wt), found.lacking(ft)) == ("", "2 of 3 levels are there")
    assert found.lacking(Series("other", "wt", "cascade")) == ""
    assert whole.lacking(pfp) == ""
    assert (found.parents(wt), found.parents(pfp)) == (3, 0)


def summary_row(method: str, side: str, value: float, reach: float = 0.03) -> dict[str, Any]:
    limits = {"potential": value, "low": value - reach, "high": value + reach}
    return {"method": method, "distribution": side, **limits}


@pytest.mark.parametrize(
    ("pfp", "verdict"), [(0.7, "holds"), (0.78, "cannot be told"), (0.95, "does not hold")]
)
def test_weights_beat_filters_compares_the_closest_pair(pfp: float, verdict: str) -> None:
    means = {"wt": 0.85, "sipp": 0.8, "ft": 0.3, "pfp": pfp}
    rows = [summary_row(method, "test", value) for method, value in means.items()]
    train, test = CLAIMS["weights_beat_filters"](evidence(summary=rows))
    assert (train.verdict, train.numbers) == ("cannot be told", "not tested on train tasks")
    assert test.verdict == verdict
    assert test.numbers.startswith("test tasks: sipp 80.0 [77.0, 83.0] against pfp ")


def test_comparisons_need_both_kinds_of_methods() -> None:
    rows = [summary_row("wt", "test", 0.8), summary_row("sipp", "test", 0.7)]
    for claim in ("weights_beat_filters", "filters_fall_sooner"):
        assert list(CLAIMS[claim](evidence(summary=rows))) == []


@pytest.mark.parametrize(
    ("gaussian", "fog", "spread", "verdict"),
    [
        (0.1, 0.8, 0.02, "holds"),
        (0.9, 0.8, 0.02, "does not hold"),
        (0.1, 0.2, 0.02, "does not hold"),
        (0.4, 0.8, 0.2, "cannot be told"),
    ],
)
def test_noise_collapses(gaussian: float, fog: float, spread: float, verdict: str) -> None:
    tasks = {"gaussian_noise__3": gaussian, "impulse_noise__3": 0.1, "fog__3": fog}
    other = {"jpeg__3": 0.0, "uniform_input_noise__0_p_5": 0.9}  # neither noise nor weather
    found = evidence(**potentials(spread, nominal=0.8, **tasks, **other))
    assert only("noise_collapses", found).verdict == verdict


def test_noise_collapses_averages_over_tasks() -> None:
    tasks = {"gaussian_noise__3__imagenet": 0.1, "shot_noise__3": 0.3, "snow__1": 0.7}
    finding = only("noise_collapses", evidence(**potentials(nominal=0.8, **tasks)))
    assert finding.numbers == (
        "nominal 80.0 [78.0, 82.0], noise 20.0 [18.0, 22.0], blur and weather 70.0 [68.0, 72.0]"
    )
    assert only("noise_collapses", evidence(**potentials(fog__3=0.7))).verdict == "cannot be told"


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((0.8, 0.5, 0.05), "holds"),
        ((0.8, 0.82, 0.05), "holds"),  # no rise that the intervals confirm
        ((0.5, 0.8, 0.05), "does not hold"),  # rises in between
        ((0.8, 0.5, 0.3), "does not hold"),  # does not get near zero
        ((0.8, 0.5, 0.09), "cannot be told"),
        ((0.05, 0.05, 0.05), "cannot be told"),  # nothing to fall from
    ],
)
def test_falls_with_noise_by_level(values: Sequence[float], verdict: str) -> None:
    labels = ("0_p_05", "0_p_5", "10_p_0")  # as numbers, not as text: 10.0 is the last
    tasks = {f"uniform_input_noise__{label}": v for label, v in zip(labels, values, strict=True)}
    finding = only("falls_with_noise", evidence(**potentials(**dict(reversed(tasks.items())))))
    assert finding.verdict == verdict
    assert finding.numbers.split()[0] == f"{100 * values[0]:.1f}"


def test_one_level_of_noise_tells_nothing() -> None:
    tasks = {"uniform_input_noise__0_p_5": 0.5, "gaussian_input_noise__0_p_5": 0.5}
    finding = only("falls_with_noise", evidence(**potentials(**tasks)))
    assert (finding.verdict, finding.numbers) == (
        "cannot be told",
        "not tested on two levels of input noise",
    )


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.01, 0.03, "holds"),
        (-0.01, 0.03, "cannot be told"),
        (-0.03, -0.01, "does not hold"),
        (np.nan, np.nan, "holds"),  # a point estimate
    ],
)
def test_shift_costs_more(low: float, high: float, verdict: str) -> None:
    slope = (low + high) / 2 if low == low else 0.02
    rows = [{"method": "wt", "slope": slope, "low": low, "high": high}]
    assert only("shift_costs_more", evidence(slopes=rows)).verdict == verdict


@pytest.mark.parametrize(
    ("mix1", "mix2", "verdict"),
    [
        (0.8, 0.4, "holds"),
        (0.3, 0.2, "does not hold"),
        (0.8, 0.9, "does not hold"),
        (0.8, 0.7, "cannot be told"),
    ],
)
def test_robust_training_helps(mix1: float, mix2: float, verdict: str) -> None:
    names = {"contrast__3", "snow__3", "fog__3", "frost__3"}
    before = evidence(**potentials(**dict.fromkeys(names, 0.4)))
    seen, unseen = {"contrast__3": mix1, "snow__3": mix1}, {"fog__3": mix2, "frost__3": mix2}
    far = 0.1 if verdict == "cannot be told" else 0.02
    after = evidence(before, **potentials(far, **seen, **unseen, jpeg__3=0.0))
    finding = only("robust_training_helps", after)
    assert finding.verdict == verdict


def test_robust_training_needs_something_to_compare_with() -> None:
    alone = evidence(**potentials(contrast__3=0.8, fog__3=0.4))
    assert only("robust_training_helps", alone).verdict == "cannot be told"
    other = evidence(alone, **potentials(shot_noise__3=0.8))
    assert only("robust_training_helps", other).numbers.startswith("not tested on corruptions")


def test_schedules_are_judged_apart() -> None:
    rows = [
        {"method": "wt", "schedule": name, "slope": slope, "low": slope, "high": slope}
        for name, slope in (("cascade", 0.1), ("one_shot", -0.1))
    ]
    listed = [curve_row("wt", "t", 1, 0.5) | {"schedule": row["schedule"]} for row in rows]
    found = list(CLAIMS["shift_costs_more"](evidence(slopes=rows, curves=listed)))
    assert [(one.about.schedule, one.verdict) for one in found] == [
        ("cascade", "holds"),
        ("one_shot", "does not hold"),
    ]
