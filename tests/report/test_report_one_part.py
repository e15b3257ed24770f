"""What single parts say of numbers that are few, missing or cannot be had."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
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
