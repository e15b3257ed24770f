"""The HTML page: self-contained, harmless, and showing the numbers of the results."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from orchestrator.report.series import headline
from orchestrator.report.write import stems, write_report

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """Elements with their attributes, the cells of each table, and all text outside figures."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.rows: list[list[str]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.rows = self.tables[dict(attrs).get("id") or ""] = []
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "svg" not in self.open and "style" not in self.open:
            self.text += data
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data


def shown(value, low, high):
    return f"{100 * value:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def test_every_tag_is_closed(report):
    assert Page(report.page).open == []


def test_nothing_is_loaded_from_elsewhere(report):
    for tag, attributes in Page(report.page).elements:
        assert tag not in {"script", "iframe", "img", "object", "embed"}
        for name in ("src", "href", "xlink:href", "srcset", "data", "action"):
            target = attributes.get(name)
            assert target is None or target.startswith("#") or target == "data:,", (tag, target)
    assert "@import" not in report.page
    assert "http:" not in report.page
    assert "https:" not in report.page
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", report.page))


def test_ids_are_unique_and_every_reference_is_met(report):
    ids = re.findall(r'\sid="([^"]+)"', report.page)
    assert len(ids) == len(set(ids))
    references = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', report.page)
    assert {a or b for a, b in references} <= set(ids)
    assert len(references) > 100


def test_task_table_shows_the_potentials_by_family(report):
    rows = Page(report.page).tables["tasks-resnet8-digits"]
    assert rows[0] == ["task", "family", "wt", "ft"]
    assert [row[:2] for row in rows[1:]] == [
        ["nominal", "train distribution"],
        ["impulse_noise-5", "noise"],
        ["fog-3", "weather"],
        ["contrast-3", "digital"],
    ]
    potentials = headline(report.results.potentials, report.context)
    potentials = potentials.set_index(["task", "method"])[["potential", "low", "high"]]
    for task, _, *cells in rows[1:]:
        expected = [shown(*potentials.loc[task, method]) for method in ("wt", "ft")]
        assert cells == expected


def test_overview_shows_the_summary(report):
    rows = Page(report.page).tables["potential-resnet8-digits"]
    summary = headline(report.results.summary, report.context)
    summary = summary.set_index(["method", "statistic", "distribution"])
    for method, *cells, worst in rows[1:]:
        pairs = [("mean", "train"), ("mean", "test"), ("minimum", "train"), ("minimum", "test")]
        columns = ["potential", "low", "high"]
        assert cells == [shown(*summary.loc[(method, *pair), columns]) for pair in pairs]
        assert worst.split(" ")[0] in report.context.tasks


def test_other_margins_and_rules_are_in_the_page(report):
    tables = Page(report.page).tables
    for setting in ("0.005-contiguous", "0.02-any", "0.02-contiguous"):
        assert len(tables[f"tasks-resnet8-digits-{setting}"]) == 5


def test_slopes_are_shown_in_points(report):
    rows = Page(report.page).tables["slopes-resnet8-digits"]
    slopes = report.results.slopes.set_index("method")
    assert rows[1:] == [
        [method, shown(*slopes.loc[method, ["slope", "low", "high"]]), "3", "27"]
        for method in ("wt", "ft")
    ]


def test_names_are_escaped_everywhere(make_results, make_context, tmp_path):
    evil = "<script>alert(1)</script>"
    sweep = {
        "networks": (f"net{evil}",),
        "methods": (f"{evil}$x$",),
        "tasks": ("nominal", f"--></svg>{evil}"),
    }
    context = make_context(
        **sweep,
        name=evil,
        text=f"name: {evil}",
        commands=(f"prunesweep run '{evil}'",),
        environment={evil: evil},
        failures=((evil, "<img src=x onerror=alert(1)>"),),
    )
    text = write_report(make_results(**sweep), context, tmp_path).read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert not {"script", "img"} & {tag for tag, _ in page.elements}
    assert evil in page.text
    assert page.tables["failures"][1] == [evil, "<img src=x onerror=alert(1)>"]
    assert all(path.parent.parent == tmp_path for path in tmp_path.glob("*/*"))


def test_names_that_look_alike_keep_their_own_files():
    names = ("a/b", "a b", "../c", "***", "a-b-2")
    assert stems(names) == ["a-b", "a-b-2", "c", "network", "a-b-2-5"]


def test_same_input_gives_same_bytes(report, tmp_path):
    write_report(report.results, report.context, tmp_path)
    files = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.*"))
    assert files == sorted(p.relative_to(report.folder) for p in report.folder.rglob("*.*"))
    assert {path.suffix for path in files} == {".html", ".png", ".pdf", ".csv", ".tex"}
    for file in files:
        assert (tmp_path / file).read_bytes() == (report.folder / file).read_bytes(), file


def test_partial_sweep_says_what_is_not_there(
    sketched, make_results, make_context, shortfalls, tmp_path
):
    results = make_results(methods=("wt",), tasks=("nominal", "fog-3"), seeds=1)
    context = make_context(**shortfalls)
    page = Page(write_report(results, context, tmp_path).read_text(encoding="utf-8"))
    assert "This sweep is not whole" in page.text
    assert page.tables["failures"][1:] == [list(context.failures[0])]
    assert page.tables["blocked"][1:] == [list(context.blocked[0])]
    assert page.tables["missing"][1:] == [["chains", "2"], ["cells", "1,096"]]
    assert page.tables["ratio-misses"][1:] == [["resnet8-digits/s0/ft", "97.0", "95.1"]]
    assert "from one parent network" in page.text


@pytest.mark.parametrize("keep", [0, 2])
def test_empty_frames_give_a_report(make_results, make_context, tmp_path, keep):
    """A store with nothing, and one with dense parents only."""
    results = make_results(tasks=("nominal", "fog-3"), seeds=1)
    frames = ("potentials", "by_parent", "summary", "excess", "slopes", "bands")
    dense = results.curves[results.curves["method"] == "dense"]
    empty = {name: getattr(results, name).iloc[:0] for name in frames}
    results = replace(results, **empty, curves=dense.iloc[:keep])
    page = Page(write_report(results, make_context(), tmp_path).read_text(encoding="utf-8"))
    assert "Nothing can be said about resnet8-digits yet" in page.text
    assert not any(tag == "svg" for tag, _ in page.elements)


def test_a_missed_ratio_is_listed_but_leaves_the_sweep_whole(
    sketched, make_results, make_context, shortfalls, tmp_path
):
    context = make_context(ratio_misses=shortfalls["ratio_misses"])
    results = make_results(methods=("wt",), tasks=("nominal", "fog-3"), seeds=1)
    page = Page(write_report(results, context, tmp_path).read_text(encoding="utf-8"))
    assert "not whole" not in page.text
    assert page.tables["ratio-misses"][1:] == [["resnet8-digits/s0/ft", "97.0", "95.1"]]


def test_whole_sweep_has_no_notice(report):
    page = Page(report.page)
    assert "not whole" not in page.text
    assert "failures" not in page.tables


def test_only_segmentation_speaks_of_the_mean_iou(sketched, report, tmp_path):
    network = report.context.networks[0]
    assert "mean iou" not in report.page.lower()
    assert "Accuracy over achieved prune ratio" in report.page
    write_report(report.results, replace(report.context, segmented=(network,)), tmp_path)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "Mean IoU over achieved prune ratio" in page.text
    assert f"What {network} is judged by instead of accuracy" in page.text
    labels = [attrs.get("aria-label") or "" for _, attrs in page.elements]
    assert f"Curves: mean IoU over prune ratio per task for {network}" in labels
    assert "Accuracy over" not in page.text
