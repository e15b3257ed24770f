"""Results of a sweep whose predictions come from a formula instead of networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray

from orchestrator.analysis.analyse import AnalysisOptions, Results, analyse
from orchestrator.report import drawing
from orchestrator.report.context import Counts, RatioMiss, ReportContext
from orchestrator.report.write import write_report
from orchestrator.robustness.columns import COLUMNS, NAME, SCORES, Robustness, typed
from orchestrator.robustness.means import NAMES, over_seeds

EXAMPLES = 500
RATIOS = (0.2, 0.357, 0.484, 0.585, 0.733, 0.827, 0.888, 0.942, 0.97)
SHIFTS = (
    "brightness-3",
    "contrast-3",
    "defocus_blur-3",
    "elastic_transform-3",
    "fog-3",
    "gaussian_noise-3",
    "glass_blur-3",
    "impulse_noise-5",
    "jpeg_compression-3",
    "motion_blur-3",
    "uniform_input_noise-0.1",
)


def _correct(generator: np.random.Generator, error: float) -> NDArray[np.bool_]:
    """Which of the test examples are right: the hard ones are hard for every network."""
    difficulty = (np.arange(EXAMPLES) + 0.5) / EXAMPLES
    return difficulty + generator.normal(0, 0.01, EXAMPLES) < 1 - error


def cells_of(
    networks: Sequence[str] = ("resnet8-digits",),
    methods: Sequence[str] = ("wt", "sipp", "ft", "pfp"),
    schedules: Sequence[str] = ("cascade",),
    tasks: Sequence[str] = ("nominal", *SHIFTS),
    seeds: int = 3,
) -> pd.DataFrame:
    """The tidy table of a sweep whose accuracies fall beyond a knee, sooner on harder tasks."""
    generator = np.random.default_rng(0)
    rows = []
    for network, seed, (t, task) in product(networks, range(seeds), enumerate(tasks)):
        hardness = 0.15 + 0.07 * ((5 * t) % 11) if t else 0.0
        parent = 0.06 + 0.5 * hardness + generator.normal(0, 0.005)
        where = {"network": network, "seed": seed, "task": task}
        where["distribution"] = "test" if t else "train"
        cells = [("dense", "", 0, 0.0, parent)]
        for (m, method), schedule in product(enumerate(methods), schedules):
            knee = 0.93 - 0.09 * (m % 4) - 0.5 * hardness - 0.06 * (schedule == "one_shot")
            for level, ratio in enumerate(RATIOS, start=1):
                gained = 0.35 * max(0.0, ratio - knee) ** 1.2 - 0.006 * (1 - hardness)
                error = parent + gained + generator.normal(0, 0.002)
                cells.append((method, schedule, level, ratio, error))
        rows += [
            {
                **where,
                "method": method,
                "schedule": schedule,
                "level": level,
                "achieved_ratio": ratio,
                "correct": _correct(generator, error),
            }
            for method, schedule, level, ratio, error in cells
        ]
    return pd.DataFrame(rows)


@cache
def results_of(deltas: tuple[float, ...] = (0.005, 0.02), **sweep: Any) -> Results:
    return analyse(cells_of(**sweep), AnalysisOptions(deltas=deltas, resamples=40))


def context_of(**changes: Any) -> ReportContext:
    given = {
        "name": "digits",
        "text": "name: digits\nseeds: [0, 1, 2]\nmethods: [wt, sipp, ft, pfp]\n",
        "commands": ("prunesweep run sweeps/digits.yaml", "prunesweep report sweeps/digits.yaml"),
        "delta": 0.005,
        "rule": "any",
        "confidence": 0.95,
        "grid_step": 0.157,
        "networks": ("resnet8-digits",),
        "methods": ("wt", "sipp", "ft", "pfp"),
        "schedules": ("cascade",),
        "tasks": ("nominal", *SHIFTS),
        "created": datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        "counts": Counts(networks=111, cells=1332, epochs=4440, seconds=11_530.0),
        "environment": {"Python": "3.13.1", "PyTorch": "2.14.0", "platform": "Linux x86_64"},
    }
    return ReportContext(**{**given, **changes})


def robustness_of(
    network: str = "resnet8-digits",
    methods: Sequence[str] = ("wt", "sipp", "ft", "pfp"),
    tasks: Sequence[str] = ("nominal", *SHIFTS),
    seeds: int = 3,
    only: Sequence[str] = tuple(COLUMNS),
) -> Robustness:
    """Tables whose numbers grow with the level; those not among ``only`` have no rows."""
    made: dict[str, list[dict[str, Any]]] = {table: [] for table in COLUMNS}
    levels = [("dense", "", 0, 0.0), *_levels(methods)]
    for seed, (method, schedule, level, ratio) in product(range(seeds), levels):
        worse = ratio**4 * (1 + 0.1 * seed)
        name = {"network": network, "method": method, "schedule": schedule, "level": level}
        name |= {"ratio": ratio, "seed": seed}
        for task in tasks:
            side = {"task": task, "distribution": "train" if task == "nominal" else "test"}
            scores = dict.fromkeys(SCORES, 0.05 + 0.3 * worse)
            if level == 0:
                scores |= dict.fromkeys(SCORES[5:], np.nan)
            made["metrics"].append({**name, **side, "examples": EXAMPLES, **scores})
        for score in ("max softmax", "energy"):
            one = {"task": "outliers-svhn", "score": score, "auroc": 0.95 - 0.3 * worse}
            made["outliers"].append({**name, **one, "fpr95": 0.2 + 0.5 * worse})
        for attack in ("correctness", "confidence"):
            one = {"task": "training_images-400", "attack": attack, "auroc": 0.6}
            one |= {"balanced_accuracy": 0.6 - 0.05 * worse, "tpr_at_low_fpr": 0.01}
            made["membership"].append({**name, **one})
        made["readings"] += _readings(name)
        if level:
            error = {
                "source": "",
                "corruption": "mCE",
                "corruption_error": 1 + worse,
                "error": 0.1 + worse,
                "relative": 1.0,
            }
            made["corruption_error"].append({**name, **error})
    for method, schedule, level, ratio in levels[1:]:
        name = {"network": network, "method": method, "schedule": schedule, "level": level}
        name |= {"ratio": ratio, "task": "nominal", "seeds": seeds}
        alpha = {"alpha": 1 + ratio / 2, "low": 1.0 + ratio / 4, "high": 1 + ratio, "label": ">"}
        more = {"distribution": "train", "pooled": 1 + ratio, "r2": 0.9, "accuracy": 0.9}
        made["alphas"].append({**name, **alpha, **more})
        made["exemplars"].append(
            {**name, "count": level, "fraction": level / EXAMPLES, "accuracy_on": 0.5}
            | {"accuracy_off": 0.9, "few": True}
        )
    frames = {table: typed(table, made[table] if table in only else []) for table in COLUMNS}
    for table, source, columns in (
        ("outlier_means", "outliers", ("auroc", "fpr95")),
        ("membership_means", "membership", ("balanced_accuracy", "auroc", "tpr_at_low_fpr")),
    ):
        means = over_seeds(frames[source], columns, 0.95, NAMES[table])
        frames[table] = means[list(COLUMNS[table])].astype(COLUMNS[table])
    by_side = frames["metrics"].groupby([*NAME, "distribution"], as_index=False)
    means = over_seeds(by_side[list(SCORES)].mean(), SCORES, 0.95, ["distribution"], (0.0, 1.0))
    frames["distribution_means"] = means[list(COLUMNS["distribution_means"])].astype(
        COLUMNS["distribution_means"]
    )
    if len(frames["metrics"]):
        keys = ["task", "distribution"]
        means = over_seeds(frames["metrics"], SCORES, 0.95, keys)
        frames["metric_means"] = means[list(COLUMNS["metric_means"])].astype(
            COLUMNS["metric_means"]
        )
    return Robustness(**frames)


def _levels(methods: Sequence[str]) -> list[tuple[str, str, int, float]]:
    return [
        (method, "cascade", level, ratio)
        for method, (level, ratio) in product(methods, enumerate(RATIOS, start=1))
    ]


def _readings(name: dict[str, Any]) -> list[dict[str, Any]]:
    """What measures find of one network; the parent's row speaks for the separate one too."""
    level, ratio = name["level"], name["ratio"]
    role = "pruned" if level else "separate"
    blank = {"measure": "m", "against": "parent", "against_level": 0, "part": "", "at": np.nan}
    blank |= {**name, "role": role, "spread": np.nan}
    rows = [
        {**blank, "quantity": quantity, "at": at, "value": 1 - 0.5 * ratio - at / 4}
        for quantity, at in product(("matching_labels", "softmax_distance"), (0.0, 0.3, 0.6))
    ]
    rows += [
        {**blank, "quantity": quantity, "part": layer, "value": 1 - ratio / 2}
        for quantity, layer in product(("cka", "svcca"), ("conv1", "block.conv", "fc"))
    ]
    if level:
        alone = {**blank, "against": "", "against_level": -1}
        rows.append({**alone, "quantity": "jsv_mean", "measure": "jacobian-20", "value": 1.5})
        at = {**alone, "role": "parent", "level": 0, "quantity": "prune_potential", "value": 0.5}
        rows += [{**at, "at": 0.0}, {**at, "at": 0.3}]
        for first, second in (("parent", "pruned"), ("pruned", "parent"), ("pruned", "pruned")):
            own = {"role": first, "level": level if first == "pruned" else 0}
            other = {"against": second, "against_level": level if second == "pruned" else 0}
            rows.append({**blank, **own, **other, "quantity": "confidence", "value": 0.75})
    return rows


SMALL = {"methods": ("wt", "ft"), "tasks": ("nominal", "fog-3", "contrast-3", "impulse_noise-5")}


@dataclass(frozen=True)
class Written:
    """A report of a small sweep, what it was made of, and its page."""

    results: Results
    context: ReportContext
    folder: Path

    @property
    def page(self) -> str:
        return (self.folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def make_results() -> Callable[..., Results]:
    return results_of


@pytest.fixture
def make_context() -> Callable[..., ReportContext]:
    return context_of


@pytest.fixture
def make_robustness() -> Callable[..., Robustness]:
    return robustness_of


def sketch(patch: pytest.MonkeyPatch) -> None:
    """Have figures laid out but not drawn; their files are empty."""

    def savefig(figure: Figure, file: Any, **_: Any) -> None:
        file.touch() if isinstance(file, Path) else file.write("<svg></svg>")

    patch.setattr(Figure, "savefig", savefig)


@pytest.fixture
def sketched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw nothing, for tests of what stands beside the figures."""
    sketch(monkeypatch)


@pytest.fixture
def svg_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw for the page and write no files, for tests of what is in a figure."""
    monkeypatch.setattr(drawing, "FILES", {})


def write_whole(folder: Path) -> Written:
    """Write the report of a sweep that has all that a report can show, on many tasks."""
    tasks = ("nominal", *SHIFTS, "gaussian_noise-5", "fog-5")
    sweep: dict[str, Any] = {"methods": ("wt", "ft"), "tasks": tasks}
    measures = {"m": {"images": 200, "delta": 0.0025}}
    results, context = results_of((0.005,), **sweep), context_of(**sweep, measures=measures)
    write_report(results, context, folder, robustness_of(**sweep))
    return Written(results, context, folder)


@pytest.fixture(scope="session")
def whole_report(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A report of all parts on many tasks, but for what is drawn in its figures."""
    with pytest.MonkeyPatch.context() as patch:
        sketch(patch)
        return write_whole(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="session")
def drawn_report(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The same with its figures; it takes long."""
    return write_whole(tmp_path_factory.mktemp("drawn"))


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Written:
    results, context = results_of(**SMALL), context_of(**SMALL)
    folder = tmp_path_factory.mktemp("report")
    write_report(results, context, folder)
    return Written(results, context, folder)


@pytest.fixture
def shortfalls() -> dict[str, Any]:
    """What a context says of a sweep that is not whole."""
    return {
        "failures": (("resnet8-digits/s1/ft/cascade", "loss is not finite at epoch 3"),),
        "blocked": (("resnet8-digits/s2/wt/cascade", "resnet8-digits/s2/dense"),),
        "missing": (("chains", 2), ("cells", 1096)),
        "ratio_misses": (RatioMiss(chain="resnet8-digits/s0/ft", requested=0.97, achieved=0.951),),
    }
