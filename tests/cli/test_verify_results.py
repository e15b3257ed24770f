"""``verify-results`` on a sweep whose predictions are made up, so that every number is known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from orchestrator.analysis.evidence import Finding, Series
from orchestrator.cli.findings import findings_lines, findings_table
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


def finish(
    file: Path, errors: Mapping[str, Mapping[str, list[int]]] = ERRORS, but: tuple[str, ...] = ()
) -> Path:
    """Commit all networks of a sweep, with so many errors, but the last of the chains ``but``."""
    sweep = open_sweep(file)
    keys = {task.label: task.key for task in sweep.plan.tasks}
    for chain in sweep.plan.chains:
        method = chain.method.name if chain.method else "dense"
        ratios = [level.ratio for level in chain.levels] or [0.0]
        for level, (key, ratio) in enumerate(zip(chain.networks, ratios, strict=True)):
            if chain.name in but and key == chain.networks[-1]:
                continue
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
        ("shift_costs_more", "wt", "holds"),
        ("shift_costs_more", "ft", "holds"),
    ]
    assert found[0]["numbers"].startswith("30.0 [")
    assert found[0]["numbers"].endswith(", expected 31.0 ± 2.0")
    assert {one["network"] for one in found} == {"resnet8-4-digits"}
    assert {one["schedule"] for one in found} == {"cascade"}


def test_what_is_not_found_ends_with_code_1(prunesweep: Any, tiny: Write) -> None:
    claims = ["filters_fall_sooner", "falls_with_noise"]
    errors = {**ERRORS, "nominal": {**ERRORS["nominal"], "ft": [90, 95]}}
    file = tiny(seeds=list(range(8)), expect={"claims": claims})
    ended = prunesweep("verify-results", finish(file, errors))
    assert (ended.code, ended.err) == (1, "")
    first, *others = ended.out.splitlines()
    assert first.startswith("does not hold  filters fall sooner: nominal: wt 30.0 [")
    assert "] against ft 60.0 [" in first
    assert others == [
        "cannot be told wt: falls with noise: not tested on two levels of input noise",
        "cannot be told ft: falls with noise: not tested on two levels of input noise",
        "0 hold, 1 does not hold, 2 cannot be told",
    ]


def test_an_unfinished_sweep_is_not_condemned(prunesweep: Any, tiny: Write) -> None:
    wrong = {"task": "nominal", "values": {"wt": 0.9, "ft": 0.9}, "tolerance": 0.01}
    expect = {"potential": [wrong], "claims": ["shift_costs_more", "weights_beat_filters"]}
    file = tiny(seeds=list(range(8)), expect=expect)
    names = [c.name for c in open_sweep(file).plan.chains if c.method and c.method.name == "ft"]
    ended = prunesweep("verify-results", finish(file, but=(names[0], names[3])), "--json")
    assert ended.code == 1
    found = json.loads(ended.out)
    assert [(one["method"], one["verdict"]) for one in found[:2]] == [
        ("wt", "does not hold"),
        ("ft", "cannot be told"),
    ]
    assert found[1]["numbers"] == "14 of 16 levels are there"
    told = {one["method"]: one for one in found if one["expected"] == "shift_costs_more"}
    assert (told["wt"]["verdict"], told["ft"]["verdict"]) == ("holds", "cannot be told")
    assert [one["numbers"] for one in found[-2:]] == ["30 of 32 levels are there"] * 2


def test_levels_count_with_their_parent_only(prunesweep: Any, tiny: Write) -> None:
    file = tiny(expect={"claims": ["shift_costs_more"]})
    parent = open_sweep(file).plan.chains[0].name
    ended = prunesweep("verify-results", finish(file, but=(parent,)), "--json")
    assert (ended.code, ended.err) == (0, "")
    assert {one["numbers"] for one in json.loads(ended.out)} == {"2 of 4 levels are there"}


def test_one_seed_is_a_point_estimate(prunesweep: Any, tiny: Write) -> None:
    file = finish(tiny(seeds=[0], expect={"potential": POTENTIAL[:1]}))
    ended = prunesweep("verify-results", file)
    first, second, _ = ended.out.splitlines()
    assert first.startswith("holds          wt: potential: nominal: 30.0 [")
    assert first.endswith(", expected 31.0 ± 2.0 (point estimates of one seed)")
    assert second.endswith(" (point estimates of one seed)")


def test_a_control_makes_no_claims_but_has_numbers(prunesweep: Any, tiny: Write) -> None:
    errors = {task: {**by, "reference": [0, 0]} for task, by in ERRORS.items()}
    potential = [{"task": "nominal", "values": {"reference": 0.6}, "tolerance": 0.01}]
    expect = {"potential": potential, "claims": ["rises_then_falls", "shift_costs_more"]}
    file = tiny(methods=["wt", "ft", "reference"], expect=expect)
    ended = prunesweep("verify-results", finish(file, errors), "--json")
    found = [(one["expected"], one["method"]) for one in json.loads(ended.out)]
    assert found == [
        ("potential: nominal", "reference"),
        ("rises_then_falls", "wt"),
        ("shift_costs_more", "wt"),
        ("shift_costs_more", "ft"),
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


@pytest.mark.parametrize("deltas", ["[0.005]", "[0.05]", "[0.1,0.005]"])
def test_a_sweep_against_itself_differs_by_nothing(
    prunesweep: Any, tiny: Write, deltas: str
) -> None:
    shift = {"test": [{"contrast": {"severity": 3}}, {"brightness": {"severity": 2}}]}
    expect = {"claims": ["robust_training_helps"]}
    file = tiny(tasks={"train": ["nominal"], **shift}, expect=expect)
    errors = ERRORS["contrast-3"]
    finish(file, {"nominal": ERRORS["nominal"], "contrast-3": errors, "brightness-2": errors})
    changed = ("--set", f"analysis.deltas={deltas}")
    ended = prunesweep("verify-results", file, "--against", file, *changed, "--json")
    found = json.loads(ended.out)
    assert len(found) == 2
    for one in found:
        seen, unseen = one["numbers"].split(", ", 1)[0], one["numbers"].split(" on Mix 1, ")[1]
        assert seen.startswith("0.0 [")
        assert unseen.startswith("0.0 [")


def test_the_other_sweep_must_be_finished_too(prunesweep: Any, tiny: Write) -> None:
    file = tiny(expect={"claims": ["robust_training_helps"]})
    other = tiny("other.yaml", store="other")
    names = [chain.name for chain in open_sweep(other).plan.chains if chain.method]
    finish(other, but=tuple(names))
    ended = prunesweep("verify-results", finish(file), "--against", other, "--json")
    assert {one["numbers"] for one in json.loads(ended.out)} == {
        "2 of 4 levels are there in the sweep of nominal training"
    }


def test_a_table_for_each_schedule() -> None:
    found = [
        Finding("shift_costs_more", Series("net", "wt", schedule), "holds", "slope 2.0 [1.0, 3.0]")
        for schedule in ("cascade", "one_shot")
    ]
    console = Console(width=80, file=StringIO(), force_terminal=True, color_system=None)
    with console.capture() as captured:
        console.print(findings_table(found))
    lines = [line.rstrip() for line in captured.get().splitlines()]
    assert [line.split("  ")[0] for line in lines] == [
        "net cascade",
        "shift costs more",
        "net one_shot",
        "shift costs more",
    ]
    assert list(findings_lines(found)) == [
        f"holds          wt {name}: shift costs more: slope 2.0 [1.0, 3.0]"
        for name in ("cascade", "one_shot")
    ]


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
        (
            {"slope": [{"values": {"sippp": 0.1}, "tolerance": 0.1}]},
            "expect.slope[0].values.sippp: unknown method 'sippp', did you mean 'sipp'?",
        ),
        (
            {"potential": [POTENTIAL[1], {"task": "fogg-3", "values": {"wt": 0}, "tolerance": 0}]},
            "expect.potential[1].task: unknown task 'fogg', did you mean 'fog'?",
        ),
        (
            {"potential": [POTENTIAL[0] | {"statistic": "mean"}]},
            "expect.potential[0].statistic: goes with distribution, ",
        ),
        (
            {"claims": ["noise_collapses", "shift_costs_more", "noise_collapses"]},
            "expect.claims[2]: duplicate claim 'noise_collapses'",
        ),
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
