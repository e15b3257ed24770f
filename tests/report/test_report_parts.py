"""What a report says beyond prune potentials: each part only where there is something to show."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from orchestrator.report.by_level import apart
from orchestrator.report.levels import harmless, spread_out
from orchestrator.report.series import headline
from orchestrator.report.write import write_report
from orchestrator.robustness.columns import typed

NETWORK = "resnet8-digits"
PARTS = {
    "metrics": "Calibration and agreement",
    "alphas": "Who bears the loss",
    "corruption_error": "Mean corruption error",
    "outliers": "Foreign images",
    "membership": "Training images",
}
FROM_READINGS = {
    "matching_labels": "Similarity under noise",
    "confidence": "Informative features",
    "cka": "Similarity of representations",
    "jsv_mean": "Measures of single networks",
}


class Headings(HTMLParser):
    """The titles of parts, the cells of each table, and which tables are folded."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.titles: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.folded: set[str] = set()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag not in {"meta", "link"}:
            self.open.append(tag)
        if tag == "table":
            name = dict(attrs).get("id") or ""
            self.rows = self.tables[name] = []
            if "details" in self.open:
                self.folded.add(name)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "h3":
            self.titles.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "h3" in self.open:
            self.titles[-1] += data
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def page(whole_report):
    return Headings(whole_report.page)


def titles_of(make_results, make_context, found, folder):
    sweep = {"methods": ("wt",), "tasks": ("nominal", "fog-3")}
    file = write_report(make_results(**sweep), make_context(**sweep), folder, found)
    return Headings(file.read_text(encoding="utf-8")).titles


def test_every_part_is_there_where_all_is_measured(page):
    assert page.titles == [*PARTS.values(), *FROM_READINGS.values()]


@pytest.mark.slow
@pytest.mark.parametrize("table", PARTS)
def test_a_part_shows_when_its_table_has_rows(
    sketched, make_results, make_context, make_robustness, tmp_path, table
):
    sweep = {"methods": ("wt",), "tasks": ("nominal", "fog-3")}
    found = make_robustness(**sweep, only=(table, "metrics"))
    wanted = [title for name, title in PARTS.items() if name in (table, "metrics")]
    assert titles_of(make_results, make_context, found, tmp_path) == wanted


@pytest.mark.slow
@pytest.mark.parametrize("quantity", FROM_READINGS)
def test_a_measure_has_its_part(
    sketched, make_results, make_context, make_robustness, tmp_path, quantity
):
    found = make_robustness(methods=("wt",), tasks=("nominal",), only=("readings", "metrics"))
    readings = found.readings[found.readings["quantity"] == quantity]
    found = replace(found, readings=readings)
    titles = titles_of(make_results, make_context, found, tmp_path)
    assert titles == [PARTS["metrics"], FROM_READINGS[quantity]]


def test_empty_tables_add_nothing(sketched, make_results, make_context, make_robustness, tmp_path):
    found = make_robustness(only=())
    assert titles_of(make_results, make_context, found, tmp_path) == []
    assert (tmp_path / "tables" / "metrics.csv").read_text().startswith("network,method,")


def test_a_part_of_one_seed_has_numbers_without_intervals(
    sketched, make_results, make_context, make_robustness, tmp_path
):
    sweep = {"methods": ("wt",), "tasks": ("nominal", "fog-3")}
    found = make_robustness(**sweep, seeds=1, only=("metrics",))
    file = write_report(make_results(**sweep, seeds=1), make_context(**sweep), tmp_path, found)
    rows = Headings(file.read_text(encoding="utf-8")).tables[f"agreement-train-{NETWORK}"]
    assert rows[1][:4] == ["parent", "0\u00a0%", "5.0", "5.0"]
    assert not any("[" in cell for row in rows[1:] for cell in row)


def test_agreement_is_told_at_the_level_nearest_to_the_potential(
    whole_report, page, make_robustness
):
    summary = headline(whole_report.results.summary, whole_report.context)
    chosen = (summary["statistic"] == "mean") & (summary["distribution"] == "train")
    potentials = summary[chosen].set_index("method")["potential"]
    metrics = make_robustness(methods=("wt", "ft")).metrics
    levels = harmless(summary, whole_report.results.curves, whole_report.context, NETWORK)
    rows = page.tables[f"agreement-train-{NETWORK}"]
    for series, (label, ratio, error, *_) in zip(levels, rows[2:], strict=True):
        own = metrics[(metrics["method"] == series.method) & (metrics["task"] == "nominal")]
        nearest = (own.groupby("level")["ratio"].first() - potentials[series.method]).abs().idxmin()
        here = own[own["level"] == nearest]
        assert label == series.method
        assert ratio == f"{100 * here['ratio'].iloc[0]:.0f}\u00a0%"
        assert error.startswith(f"{100 * here['error'].mean():.1f} [")
        assert levels[series] == nearest


def test_alpha_has_its_label_and_exemplars_their_share(page):
    alpha = page.tables[f"alpha-{NETWORK}"]
    assert alpha[1][0] == "wt"
    assert alpha[1][1] == "1.10 >"  # 1 + 0.2 / 2
    assert page.tables[f"exemplars-{NETWORK}"][1][1] == "1 (0.2\u00a0%)"
    assert page.tables[f"corruption-error-{NETWORK}"][1][1] == "100.2"


@pytest.mark.slow
@pytest.mark.parametrize("balanced", [True, False])
def test_alpha_of_an_unbalanced_test_set_is_flagged(
    sketched, make_results, make_context, make_robustness, tmp_path, balanced
):
    sweep = {"methods": ("wt",), "tasks": ("nominal", "fog-3")}
    row = {"network": NETWORK, "method": "wt", "schedule": "cascade", "level": 1, "ratio": 0.2}
    row |= {"seed": 0, "task": "nominal", "balanced": balanced}
    found = make_robustness(**sweep, only=("metrics", "alphas"))
    found = replace(found, recall_distortion=typed("recall_distortion", [row]))
    file = write_report(make_results(**sweep), make_context(**sweep), tmp_path, found)
    assert ("not equally large" in file.read_text(encoding="utf-8")) is not balanced


def test_segmentation_is_told_class_by_class(
    sketched, make_results, make_context, make_robustness, tmp_path
):
    sweep = {"methods": ("wt",), "tasks": ("nominal", "fog-3")}
    results = make_results(**sweep)
    potential = headline(results.summary, make_context(**sweep))
    level = max(row["level"] for row in make_robustness(**sweep).alphas.to_dict("records"))
    rows = [
        {"network": NETWORK, "method": method, "schedule": schedule, "level": at, "ratio": 0.5}
        | {"seed": 0, "task": "nominal", "distribution": "train", "labelled": 9}
        | {"class": label, "iou": iou - at / 100}
        for method, schedule, levels in (("dense", "", [0]), ("wt", "cascade", range(1, level + 1)))
        for at in levels
        for label, iou in ((0, 0.9), (3, 0.5))
    ]
    found = replace(make_robustness(only=()), class_iou=typed("class_iou", rows))
    file = write_report(results, make_context(**sweep), tmp_path, found)
    page = Headings(file.read_text(encoding="utf-8"))
    assert page.titles == ["IoU by class"]
    (chosen,) = harmless(potential, results.curves, make_context(**sweep), NETWORK).values()
    assert page.tables[f"class-iou-{NETWORK}"] == [
        ["class", "parent", "wt"],
        ["0", "90.0", f"{90 - chosen:.1f}"],
        ["3", "50.0", f"{50 - chosen:.1f}"],
    ]


def test_outliers_and_attacks_have_a_row_each(page):
    outliers = page.tables[f"outliers-{NETWORK}"]
    assert len(outliers) == 1 + 3 * 2
    assert outliers[1][:4] == ["parent", "0\u00a0%", "outliers-svhn", "max softmax"]
    assert outliers[1][4] == "95.0"
    assert len(page.tables[f"membership-{NETWORK}"]) == 1 + 3 * 2


def test_many_tasks_are_told_by_family_and_all_of_them_folded(whole_report, page):
    families = page.tables[f"families-{NETWORK}"]
    assert [row[:2] for row in families[1:7]] == [
        ["train distribution", "1 task"],
        ["noise", "3 tasks"],
        ["blur", "3 tasks"],
        ["weather", "3 tasks"],
        ["digital", "3 tasks"],
        ["input noise", "1 task"],
    ]
    assert f"families-{NETWORK}" not in page.folded
    assert f"tasks-{NETWORK}" in page.folded
    assert len(page.tables[f"tasks-{NETWORK}"]) == 1 + len(whole_report.context.tasks)
    for stem in ("potential", "curves"):
        for name in (f"{stem}-{NETWORK}", f"{stem}-{NETWORK}-families", f"{stem}-{NETWORK}-worst"):
            assert (whole_report.folder / "figures" / f"{name}.png").exists()
    folded = re.findall(r"<details>.*?</details>", whole_report.page, flags=re.DOTALL)
    shown = re.sub(r"<details>.*?</details>", "", whole_report.page, flags=re.DOTALL)
    assert sum(part.count("<svg") for part in folded) == 2
    assert shown.count("<svg") == 4 + 1 + 8


def test_few_tasks_are_told_one_by_one(report):
    page = Headings(report.page)
    assert f"families-{NETWORK}" not in page.tables
    assert f"tasks-{NETWORK}" not in page.folded


def test_many_tasks_of_parents_alone_give_a_report(sketched, whole_report, tmp_path):
    results, context = whole_report.results, whole_report.context
    frames = ("potentials", "by_parent", "summary", "excess", "slopes", "bands")
    empty = {name: getattr(results, name).iloc[:0] for name in frames}
    dense = results.curves[results.curves["method"] == "dense"]
    write_report(replace(results, **empty, curves=dense), context, tmp_path)
    page = Headings((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert page.titles == []


@pytest.mark.slow
def test_names_are_escaped_in_every_part(make_results, make_context, make_robustness, tmp_path):
    evil = "<script>alert(1)</script>$x$"
    sweep = {"networks": ("resnet8-digits",), "methods": (evil,), "tasks": ("nominal", evil)}
    found = make_robustness(methods=(evil,), tasks=("nominal", evil))
    file = write_report(make_results(**sweep), make_context(**sweep), tmp_path, found)
    text = file.read_text(encoding="utf-8")
    assert "<script" not in text
    assert len(Headings(text).titles) == len(PARTS) + len(FROM_READINGS)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["agreement", "distortion", "outliers", "membership", "noise", "features", "layers"]
)
def test_a_figure_is_whole(drawn_report, name):
    image = Image.open(drawn_report.folder / "figures" / f"{name}-{NETWORK}.png")
    pixels = np.asarray(image.convert("L"))
    assert image.width == 1350
    assert pixels.std() > 10
    edges = pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]
    assert all((edge == 255).all() for edge in edges), "something is cut off at the edge"


@pytest.mark.slow
def test_same_input_gives_same_bytes(drawn_report, make_robustness, tmp_path):
    found = make_robustness(methods=("wt", "ft"), tasks=drawn_report.context.tasks)
    write_report(drawn_report.results, drawn_report.context, tmp_path, found)
    text = (tmp_path / "report.html").read_bytes()
    assert text == (drawn_report.folder / "report.html").read_bytes()


@given(st.lists(st.integers(0, 99), min_size=1, max_size=60, unique=True), st.integers(2, 9))
def test_levels_are_spread_out_between_the_first_and_the_last(levels, most):
    levels = sorted(levels)
    chosen = spread_out(levels, most)
    assert chosen == sorted(set(chosen))
    assert len(chosen) == min(len(levels), most)
    assert (chosen[0], chosen[-1]) == (levels[0], levels[-1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_names_of_lines_stay_apart_and_below_the_top(heights):
    moved = apart(sorted(heights), least=0.1, top=1.0)
    assert max(moved) <= 1.0
    assert all(b - a >= 0.1 - 1e-9 for a, b in pairwise(moved))
