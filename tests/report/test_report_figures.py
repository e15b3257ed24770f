"""Figures: drawn, themed, and told apart."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from orchestrator.report import bars, curves
from orchestrator.report.canvas import style
from orchestrator.report.drawing import inline_svg, pages
from orchestrator.report.series import INK, PALETTE, series_of

NAMES = ("curves-resnet8-digits", "potential-resnet8-digits", "excess-resnet8-digits")


@pytest.mark.parametrize("name", NAMES)
def test_png_is_drawn_at_200_dpi(report, name):
    image = Image.open(report.folder / "figures" / f"{name}.png")
    assert image.width == 1350
    assert image.info["dpi"] == pytest.approx((200, 200), abs=0.1)
    pixels = np.asarray(image.convert("L"))
    assert pixels.std() > 10
    edges = pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]
    assert all((edge == 255).all() for edge in edges), "something is cut off at the edge"


@pytest.mark.parametrize("name", NAMES)
def test_pdf_is_one(report, name):
    assert (report.folder / "figures" / f"{name}.pdf").read_bytes().startswith(b"%PDF-")


def test_inline_svg_takes_the_colours_of_the_page(report):
    figures = re.findall(r"<svg.*?</svg>", report.page, flags=re.DOTALL)
    assert len(figures) == len(NAMES)
    for figure in figures:
        assert "currentColor" in figure
        assert "var(--series-0)" in figure
        assert not set(re.findall(r"#[0-9a-f]{6}\b", figure))


def test_inline_svg_drops_what_a_page_does_not_need():
    svg = (
        '<?xml version="1.0"?><svg xmlns:xlink="http://x" width="9pt" height="8.5pt" '
        'viewBox="0 0 9 8" xmlns="http://y"><metadata>http://z</metadata><!-- a --><g id="p">'
        f'<use xlink:href="#m" style="fill: {INK}; clip-path: url(#c); stroke: {PALETTE[1]}"/>'
        "</g></svg>"
    )
    assert inline_svg(svg, "f") == (
        '<svg viewBox="0 0 9 8"><g id="f-p"><use href="#f-m" style="fill: currentColor; '
        'clip-path: url(#f-c); stroke: var(--series-1)"/></g></svg>'
    )


def test_ten_methods_and_two_schedules_all_look_different(make_context):
    methods = tuple(f"m{i}" for i in range(10))
    series = series_of(make_context(methods=methods, schedules=("cascade", "one_shot")))
    looks = {(one.color, one.marker, one.line, one.filled) for one in series}
    assert len(looks) == 20


def test_schedules_differ_in_line_marker_and_shade_and_methods_in_colour(make_context):
    schedules = ("cascade", "one_shot", *(f"cascade-rewind-{epoch}" for epoch in range(4)))
    series = series_of(make_context(methods=("wt", "ft"), schedules=schedules))
    for method, color in (("wt", PALETTE[0]), ("ft", PALETTE[1])):
        own = [one for one in series if one.method == method]
        assert {one.color for one in own} == {color}
        assert len({one.line for one in own}) == len({one.marker for one in own}) == 6
        assert len({one.shade for one in own}) == 6
        assert {one.filled for one in own} == {True, False}
    for schedule in schedules:
        styles = {(s.line, s.marker, s.shade) for s in series if s.schedule == schedule}
        assert len(styles) == 1, "a schedule looks the same for every method"


def test_bars_of_several_schedules_bear_the_markers_of_the_curves(
    svg_alone, make_results, make_context, tmp_path
):
    sweep = {"methods": ("wt",), "tasks": ("nominal", "fog-3")}
    drawn = {}
    for schedules in (("cascade",), ("cascade", "one_shot")):
        results = make_results(**sweep, schedules=schedules)
        context = make_context(**sweep, schedules=schedules)
        with style("x"):
            (page,) = bars.draw(results.potentials, context, tmp_path, "bars")
        drawn[len(schedules)] = str(page.svg)
    # matplotlib draws a marker as a path of <defs> that is used once for each point
    colored = r'<use [^>]*style="[^"]*var\(--series-0\)'
    assert len(re.findall(colored, drawn[1])) == 0
    assert len(re.findall(colored, drawn[2])) == 2 * 2 + 2, "a bar each, and the legend"


def test_segmentation_curves_are_of_the_mean_iou(
    sketched, make_results, make_context, tmp_path, monkeypatch
):
    labels = []
    monkeypatch.setattr(curves.canvas, "label", lambda grid, y: labels.append(y))
    sweep = {"methods": ("wt",), "tasks": ("nominal", "fog-3")}
    results = make_results(**sweep)
    for segmented in ((), ("resnet8-digits",)):
        context = make_context(**sweep, segmented=segmented)
        with style("x"):
            curves.draw(results.curves, results.potentials, context, tmp_path, "curves")
    assert labels == ["accuracy (%)", "mean IoU (%)"]


def test_schedules_are_spelt_out_where_there_are_several(make_context):
    schedules = ("cascade", "one_shot-rewind-4", "cascade-finetune-1e-05", "one_shot-scratch")
    several = series_of(make_context(methods=("wt",), schedules=schedules))
    assert [one.label for one in several] == [
        "wt (cascade)",
        "wt (one-shot, rewind 4)",
        "wt (cascade, finetune 1e-05)",
        "wt (one-shot, scratch)",
    ]
    (alone,) = series_of(make_context(methods=("wt",), schedules=("cascade-rewind-4",)))
    assert alone.label == "wt"


def test_a_method_keeps_its_looks_when_others_are_missing(make_context):
    whole = {one.method: one.color for one in series_of(make_context())}
    assert [whole[method] for method in ("wt", "sipp", "ft", "pfp")] == list(PALETTE[:4])


def test_many_tasks_are_paged(sketched, make_results, make_context, tmp_path, monkeypatch):
    monkeypatch.setattr(curves, "PANELS_PER_PAGE", 2)
    monkeypatch.setattr(bars, "TASKS_PER_ROW", 1)
    monkeypatch.setattr(bars, "ROWS_PER_PAGE", 2)
    sweep = {"methods": ("wt",), "tasks": ("nominal", "fog-3", "contrast-3")}
    results, context = make_results(**sweep, seeds=1), make_context(**sweep)
    with style("x"):
        drawn = curves.draw(results.curves, results.potentials, context, tmp_path, "curves")
        drawn += bars.draw(results.potentials, context, tmp_path, "bars")
    assert [one.name for one in drawn] == ["curves", "curves-2", "bars", "bars-2"]


def test_pages_are_even_and_lose_nothing():
    assert [len(page) for page in pages(range(40), 30)] == [20, 20]
    assert [n for page in pages(range(71), 30) for n in page] == list(range(71))
    assert pages([], 30) == []


def test_missing_bar_is_marked_and_no_bar_is_drawn(svg_alone, make_results, make_context, tmp_path):
    """NaN must not read as a potential of 0: the cross replaces the bar."""
    sweep = {"methods": ("wt",), "tasks": ("nominal", "fog-3")}
    potentials, context = make_results(**sweep).potentials, make_context(**sweep)
    gone = potentials.assign(potential=np.nan, low=np.nan, high=np.nan)
    with style("x"):
        drawings = [*bars.draw(potentials, context, tmp_path, "whole")]
        drawings += bars.draw(gone, context, tmp_path, "empty")
    panels = [str(one.svg).split(f'id="{one.name}-legend_1"')[0] for one in drawings]
    assert ["var(--series-0)" in panel for panel in panels] == [True, False]
