"""``verify-results`` on a sweep whose predictions are made up, so that every number is known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestrator.sweep import open_sweep
from workers.contracts import evaluation_key

Write = Callable[..., Path]
EXAMPLES = 1000
ERRORS = {  # of the parent at 0, then at ratios 0.3 and 0.6; δ is 5 errors
    "nominal": {"dense": [100], "wt": [95, 130], "ft": [140, 300]},
    "uniform_input_noise-0.5": {"dense": [300], "wt": [305, 400], "ft": [400, 600]},
    "contrast-3": {"dense": [200], "wt": [200, 260], "ft": [240, 450]},
}
POTENTIAL = [
    {"task": "nominal", "values": {"wt": 0.31, "ft": 0.0}, "tolerance": 0.02},
    {"distribution": "test", "values": {"wt": 0.3}, "tolerance": 0.01},
]


def predictions(errors: Mapping[str, int]) -> bytes:
    """All labels are 0, and so are the predictions but for the first ``errors`` of each task."""
    wrong = [np.arange(EXAMPLES) < count for count in errors.values()]
    columns = {
        "task": pa.array(np.repeat(list(errors), EXAMPLES)).dictionary_encode(),
        "label": pa.array(np.zeros(EXAMPLES * len(errors)), pa.int16()),
        "predicted": pa.array(np.concatenate(wrong).astype(np.int16)),
    }
    sink = BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def finish(file: Path, errors: Mapping[str, Mapping[str, list[int]]] = ERRORS) -> Path:
    """Commit all networks of a sweep, with so many errors."""
    sweep = open_sweep(file)
    keys = {task.label: task.key for task in sweep.plan.tasks}
    for chain in sweep.plan.chains:
        method = chain.method.name if chain.method else "dense"
        ratios = [level.ratio for level in chain.levels] or [0.0]
        for level, (key, ratio) in enumerate(zip(chain.networks, ratios, strict=True)):
            record = {"requested_ratio": ratio, "achieved_ratio": ratio, "seconds": 1.0}
            sweep.store.put(key, record, {"weights": b"1"})
            counts = {keys[task]: by[method][level] for task, by in errors.items()}
            name = evaluation_key(key, counts)
            blob = {"predictions.parquet": predictions(counts)}
            sweep.store.put(name, {"network": key, "tasks": list(counts)}, blob)
    return file


def test_what_is_found_is_listed_with_its_numbers(prunesweep: Any, tiny: Write) -> None:
    claims = ["shift_costs_more"]
    slope = [{"values": {"wt": 0.1}, "tolerance": 0.2}]
    expect = {"potential": POTENTIAL, "slope": slope, "claims": claims}
    ended = prunesweep("verify-results", finish(tiny(expect=expect)), "--json")
    assert (ended.code, ended.err) == (0, "")
    found = json.loads(ended.out)
    assert [(one["expected"], one["method"], one["verdict"]) for one in found] == [
        ("potential: nominal", "wt", "holds"),
        ("potential: nominal", "ft", "holds"),
        ("potential: test mean", "wt", "holds"),
        ("slope of excess error", "wt", "holds"),
        ("shift_costs_more", "ft", "holds"),
        ("shift_costs_more", "wt", "holds"),
    ]
    assert found[0]["numbers"].startswith("30.0 [")
    assert found[0]["numbers"].endswith(", expected 31.0 ± 2.0")
    assert {one["network"] for one in found} == {"resnet8-4-digits"}
    assert {one["schedule"] for one in found} == {"cascade"}


def test_what_is_not_found_ends_with_code_1(prunesweep: Any, tiny: Write) -> None:
    claims = ["filters_fall_sooner", "falls_with_noise"]
    errors = {**ERRORS, "nominal": {**ERRORS["nominal"], "ft": [90, 95]}}
    ended = prunesweep("verify-results", finish(tiny(expect={"claims": claims}), errors))
    assert (ended.code, ended.err) == (1, "")
    assert ended.out.splitlines() == [
        "resnet8-4-digits     method  verdict         in %",
        "filters_fall_sooner  all     does not hold   wt up to 30.0, ft up to 60.0",
        "falls_with_noise     ft      cannot be told  not tested on two levels of input",
        "                                             noise",
        "falls_with_noise     wt      cannot be told  not tested on two levels of input",
        "                                             noise",
        "0 hold, 1 does not hold, 2 cannot be told",
    ]


def test_what_the_sweep_does_not_have_cannot_be_told(prunesweep: Any, tiny: Write) -> None:
    potential = [
        {"task": "nominal", "values": {"sipp": 0.5}, "tolerance": 0.1},
        {"task": "fog-3", "values": {"wt": 0.5}, "tolerance": 0.1},
        {"network": "other", "task": "nominal", "values": {"wt": 0.5}, "tolerance": 0.1},
    ]
    expect = {"potential": potential, "claims": ["weights_beat_filters", "noise_collapses"]}
    file = finish(tiny(expect=expect))
    one_method = prunesweep("verify-results", file, "--set", "methods=[wt]", "--json")
    assert one_method.code == 0
    found = json.loads(one_method.out)
    assert [one["verdict"] for one in found] == ["cannot be told"] * 5
    assert found[0]["numbers"] == "not measured, expected 50.0 ± 10.0"
    assert found[3]["numbers"] == "no methods to tell it from"


def test_two_sweeps_are_compared(prunesweep: Any, tiny: Write) -> None:
    contrast = {"contrast": {"severity": 3}}
    same = {
        "tasks": {"train": ["nominal", contrast], "test": [{"brightness": {"severity": 2}}]},
        "seeds": list(range(8)),
        "expect": {"claims": ["robust_training_helps"]},
    }
    lost = {"dense": [100], "wt": [140, 140], "ft": [140, 140]}
    kept = {"dense": [100], "wt": [100, 100], "ft": [100, 100]}
    tasks = ("nominal", "contrast-3", "brightness-2")
    plain = finish(tiny("plain.yaml", **same), dict.fromkeys(tasks, lost))
    robust = tiny("robust.yaml", **same, store="other")
    finish(robust, dict(zip(tasks, (kept, kept, lost), strict=True)))

    def verdicts(*words: object) -> tuple[int, set[str]]:
        ended = prunesweep("verify-results", *words, "--json")
        return ended.code, {one["verdict"] for one in json.loads(ended.out)}

    assert verdicts(robust, "--against", plain) == (0, {"holds"})
    assert verdicts(plain, "--against", robust) == (1, {"does not hold"})
    assert verdicts(robust) == (0, {"cannot be told"})


def test_a_sweep_that_expects_nothing_is_bad_input(prunesweep: Any, tiny: Write) -> None:
    ended = prunesweep("verify-results", tiny())
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.endswith(
        "tiny.yaml: expect: missing, expected prune potentials, slopes or claims\n"
    )


def test_a_sweep_without_results_says_where_to_begin(
    prunesweep: Any, tiny: Write, tmp_path: Path
) -> None:
    file = tiny(expect={"claims": ["robust_training_helps"]})
    ended = prunesweep("verify-results", file, "--set", "seeds=[0]")
    assert (ended.code, ended.out) == (1, "")
    run = f"begin with: prunesweep run {file} --set 'seeds=[0]'"
    assert ended.err == f"no results of {file} yet; {run}\n"
    other = tiny("other.yaml", store="other")
    against = prunesweep("verify-results", finish(file), "--against", other)
    assert (against.code, against.out) == (1, "")
    assert against.err == f"no results of {other} yet; begin with: prunesweep run {other}\n"


@pytest.mark.parametrize(
    ("expect", "complaint"),
    [
        ({"claims": ["noise_colapses"]}, "expect.claims[0]: expected 'rises_then_falls', "),
        ({"claim": []}, "expect.claim: unknown key 'claim', did you mean 'claims'?"),
        (
            {"potential": [{"values": {"wt": 0.5}, "tolerance": 0.1}]},
            "expect.potential[0]: expected either task or distribution",
        ),
        (
            {"potential": [{"task": "nominal", "values": {"wt": 85}, "tolerance": 0.1}]},
            "expect.potential[0].values.wt: expected a number of at most 1, found 85",
        ),
        (
            {"potential": [{"task": "nominal", "values": {}, "tolerance": 0.1}]},
            "expect.potential[0].values: expected at least 1 element(s), found a mapping",
        ),
        ({"slope": [{"values": {"wt": 0.1}}]}, "expect.slope[0]: 'tolerance' is missing"),
    ],
)
def test_mistakes_are_one_line_at_their_place(
    prunesweep: Any, tiny: Write, expect: dict[str, Any], complaint: str
) -> None:
    ended = prunesweep("verify-results", tiny(expect=expect))
    assert (ended.code, ended.out) == (2, "")
    assert complaint in ended.err
    assert ended.err.count("\n") == 1


def test_expectations_change_no_key(tiny: Write) -> None:
    plain, expecting = tiny(), tiny("other.yaml", expect={"claims": ["shift_costs_more"]})
    keys = [
        [key for chain in open_sweep(file).plan.chains for key in chain.networks]
        for file in (plain, expecting)
    ]
    assert keys[0] == keys[1]
