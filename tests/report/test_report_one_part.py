"""What single parts say of numbers that are few, missing or cannot be had."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from orchestrator.report import corruption, distortion, features, layers, noise
from orchestrator.report.canvas import style
from orchestrator.report.levels import harmless
from orchestrator.report.part import Scene
from orchestrator.report.series import headline
from orchestrator.robustness.columns import COLUMNS, Robustness, typed

NETWORK = "resnet8-digits"


@pytest.fixture
def scene_of(whole_report, tmp_path):
    """Make the scene of a sweep in which nothing but some tables has rows."""

    def make(**rows):
        frames = {table: typed(table, rows.get(table, [])) for table in COLUMNS}
        context = whole_report.context
        summary = headline(whole_report.results.summary, context)
        return Scene(
            found=Robustness(**frames),
            context=context,
            network=NETWORK,
            stem=NETWORK,
            folder=tmp_path,
            within=harmless(summary, whole_report.results.curves, context, NETWORK),
        )

    return make


def test_classes_are_counted_out_of_all_of_them_task_by_task(sketched, scene_of):
    start = {"network": NETWORK, "method": "wt", "schedule": "cascade", "level": 1, "ratio": 0.2}
    adjusted = {"nominal": (0.01, 0.2, np.nan), "fog-3": (0.2, 0.2), "contrast-3": (np.nan, np.nan)}
    rows = [
        {**start, "task": task, "class": label, "adjusted_p": p, "seeds": 3}
        for task, values in adjusted.items()
        for label, p in enumerate(values)
    ]
    alphas = [{**start, "task": task, "alpha": 1.0, "seeds": 3} for task in adjusted]
    part = distortion.part(scene_of(classes=rows, alphas=alphas))
    cells = {table.name: table.rows for table in part.tables if table.name.startswith("classes")}
    assert cells == {
        f"classes-{NETWORK}-1": (("wt", "1 of 3 (1 not tested)"),),
        f"classes-{NETWORK}-2": (("wt", "0 of 2"),),
    }
    assert "cannot be tested" in part.note


def test_corruption_error_needs_no_alpha_and_is_told_for_each_source(scene_of):
    start = {"network": NETWORK, "method": "wt", "schedule": "cascade", "level": 1, "ratio": 0.2}
    rows = [
        {**start, "seed": seed, "source": source, "corruption": "mCE", "corruption_error": error}
        | {"error": error / 4}
        for source, errors in (("", (1.1, 1.3)), ("cifar10_c", (0.9, 1.0)))
        for seed, error in enumerate(errors)
    ]
    scene = scene_of(corruption_error=rows)
    assert distortion.part(scene) is None
    shown = {table.name: table.rows for table in corruption.part(scene).tables}
    assert {name: (row[0], row[1].text) for name, (row,) in shown.items()} == {
        f"corruption-error-{NETWORK}": ("wt", "120.0"),
        f"corrupted-{NETWORK}": ("wt", "30.0"),
        f"corruption-error-cifar10_c-{NETWORK}": ("wt", "95.0"),
        f"corrupted-cifar10_c-{NETWORK}": ("wt", "23.8"),
    }


@pytest.mark.parametrize(
    ("options", "source"),
    [
        ({"images": 200, "delta": 0.0025}, "from 200 of 500 test images at δ = 0.25 points"),
        ({"images": 1000, "delta": 0.005}, "from 500 test images at δ = 0.5 points"),
        (None, "from the test images that the measure looks at"),
    ],
)
def test_potentials_under_noise_say_what_they_come_from(
    sketched, scene_of, make_robustness, options, source
):
    found = make_robustness(methods=("wt",), tasks=("nominal",), only=("readings", "metrics"))
    scene = replace(scene_of(), found=found)
    measures = {"m": options} if options else {}
    part = noise.part(replace(scene, context=replace(scene.context, measures=measures)))
    assert part.tables[0].caption.endswith(f"under noise of level ε, {source}")
    assert source in part.figures[1].caption
    assert f"{source}. Even at ε = 0 it is not the one at the top" in part.note
    assert "from all test images at δ = 0.5 points" in part.note


def test_layers_that_lack_a_value_are_named(sketched, scene_of, make_robustness):
    found = make_robustness(methods=("wt",), tasks=("nominal",), only=("readings",))
    scene = replace(scene_of(), found=found)
    assert "Lines break" not in layers.part(scene).note
    readings = found.readings
    gone = (readings["quantity"] == "svcca") & (readings["part"] == "block.conv")
    for where in (gone, gone & (readings["level"] == 3) & (readings["seed"] == 0)):
        broken = replace(found, readings=readings.assign(value=readings["value"].mask(where)))
        note = layers.part(replace(scene, found=broken)).note
        assert note.endswith("SVCCA lacks values at layer 2 (block.conv).")


def test_a_value_between_two_that_are_missing_is_still_seen(svg_alone, scene_of, make_robustness):
    """A line needs two values: 1 and 3 without 2 would leave nothing to see."""
    found = make_robustness(methods=("wt",), tasks=("nominal",), only=("readings",))
    readings = found.readings
    gone = readings["part"] == "block.conv"
    dotted = r'<use [^>]*style="[^"]*var\(--series-0\)'
    seen = []
    for value in (readings["value"], readings["value"].mask(gone)):
        scene = replace(scene_of(), found=replace(found, readings=readings.assign(value=value)))
        with style("x"):
            (figure,) = layers.part(scene).figures
        seen.append(len(re.findall(dotted, figure.drawings[0].svg)))
    quantities, levels, ends = 2, 5, 2
    assert seen == [0, quantities * levels * ends]


def test_images_of_a_measure_are_told_where_predictions_are_not_stored(
    sketched, scene_of, make_robustness
):
    found = make_robustness(methods=("wt",), tasks=("nominal",), only=("readings",))
    scene = scene_of()
    context = replace(scene.context, measures={"m": {"images": 200, "delta": 0.01}})
    part = noise.part(replace(scene, found=found, context=context))
    assert part.tables[0].caption.endswith(", from 200 test images at δ = 1 point")


def test_the_heat_map_takes_the_colours_of_the_page(svg_alone, scene_of, make_robustness):
    found = make_robustness(methods=("wt",), tasks=("nominal",), only=("readings",))
    with style("x"):
        (figure,) = features.part(replace(scene_of(), found=found)).figures
    (heat_map,) = figure.drawings
    assert "var(--series-0)" in heat_map.svg
    assert not set(re.findall(r"#[0-9a-f]{6}\b", heat_map.svg)), "colours follow the page"


def measured_twice(found):
    """What two measures found that differ in their options alone; the other has half of all."""
    one = found.readings.assign(measure="m-200")
    other = one.assign(measure="m-400", value=one["value"] / 2)
    return replace(found, readings=pd.concat([one, other], ignore_index=True))


@pytest.fixture
def two_measures(scene_of, make_robustness):
    found = make_robustness(methods=("wt",), tasks=("nominal",), only=("readings",))
    return replace(scene_of(), found=measured_twice(found))


def drawn_rows(monkeypatch, make, scene):
    """The part, and of each row of its panels by level the file, the title, values at level 3."""
    rows = []

    def draw(quantities, series, folder, name, **_):
        rows.extend((name, one.title, *values_of(one)) for one in quantities)
        return []

    monkeypatch.setattr("orchestrator.report.by_level.draw", draw)
    return make(scene), rows


def values_of(quantity):
    pruned = quantity.rows[quantity.rows["level"] == 3]
    return [round(frame["value"].iloc[0], 3) for frame in (pruned, quantity.separate)]


def test_noise_under_two_measures_is_told_apart(sketched, two_measures, monkeypatch):
    part, rows = drawn_rows(monkeypatch, noise.part, two_measures)
    assert [row for row in rows if row[1].startswith("matching")] == [
        (f"noise-{NETWORK}", "matching labels (%)", 0.758, 1.0),
        (f"noise-2-{NETWORK}", "matching labels (%)", 0.379, 0.5),
    ]
    assert {table.name: table.rows[0][1].text for table in part.tables} == {
        f"noise-{NETWORK}": "50.0",
        f"noise-2-{NETWORK}": "25.0",
    }
    for figure, measure in zip(part.figures, ("m-200", "m-200", "m-400", "m-400"), strict=True):
        assert f"({measure})" in figure.caption
        assert figure.what.endswith(f"({measure})")


def test_layers_under_two_measures_are_told_apart(sketched, two_measures, monkeypatch):
    _, rows = drawn_rows(monkeypatch, layers.part, two_measures)
    assert [row[1:] for row in rows] == [
        ("CKA with the parent (m-200)", 0.758, 1.0),
        ("CKA with the parent (m-400)", 0.379, 0.5),
        ("SVCCA with the parent (m-200)", 0.758, 1.0),
        ("SVCCA with the parent (m-400)", 0.379, 0.5),
    ]


def test_heat_maps_of_two_measures_are_told_apart(svg_alone, two_measures):
    with style("x"):
        figures = features.part(two_measures).figures
    means = [f"opacity: {features.DEEPEST * mean:g}" for mean in (0.75, 0.375, 0.5625)]
    told, bar = 3 * 5, 1  # three pairs for each of the five levels shown; the bar has 75 % too
    shades = [[one.drawings[0].svg.count(mean) for mean in means] for one in figures]
    assert shades == [[told + bar, 0, 0], [bar, told, 0]]
    assert ["(m-400)" in figure.caption for figure in figures] == [False, True]


def test_a_measure_without_a_like_needs_no_name(sketched, scene_of, make_robustness):
    found = make_robustness(methods=("wt",), tasks=("nominal",), only=("readings",))
    scene = replace(scene_of(), found=found)
    told = [figure for one in (noise, features, layers) for figure in one.part(scene).figures]
    assert [one for one in told if "(m)" in one.caption + one.what] == []
    assert len(told) == 4
