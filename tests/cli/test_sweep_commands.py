"""``plan`` and ``status``: what they show, and that they only read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.execution.frontier import Outcome
from orchestrator.execution.outcome import write_outcome
from orchestrator.sweep import open_sweep

Write = Callable[..., Path]
DENSE = "resnet8-4-digits/s0/dense"


def test_plan_of_a_new_sweep(prunesweep: Any, tiny: Write) -> None:
    ended = prunesweep("plan", tiny(), "--no-estimate")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "tiny      all  cached  missing  blocked",
        "chains      6       0        6        0",
        "networks   10       0       10        0",
        "cells      30       0       30        0",
        "epochs     12       0       12        0",
        "",
        "12 epochs; as a grid of independent trials 32 (62% saved)",
    ]


def test_plan_of_a_complete_sweep_estimates_nothing(
    prunesweep: Any, tiny: Write, fill: Any
) -> None:
    file = tiny()
    fill(file)
    assert prunesweep("plan", file).out.splitlines()[-1] == "nothing to do"


def test_plan_estimates_from_what_is_stored(prunesweep: Any, tiny: Write, fill: Any) -> None:
    file = tiny(resources={"workers": 1})
    fill(file, DENSE)
    line = prunesweep("plan", file).out.splitlines()[-1]
    # 6 s for 3 epochs: 10 epochs are missing; 6 s for 3 cells: 27 are missing. And 12 s for the
    # run, 0.3 s for each of 5 chains, 0.3 s for each of 9 networks, 0.01 s for each cell.
    assert line.startswith("to do: about 1 min 30 s with 1 worker, ")
    assert line.endswith("; judged by what is stored")


def test_plan_without_the_data_says_so_and_downloads_nothing(
    prunesweep: Any, untouched: Any, tiny: Write
) -> None:
    network = {"model": "resnet8", "data": "cifar10", "training": {"epochs": 1}}
    file = tiny(networks=[network])
    before = untouched()
    ended = prunesweep("plan", file)
    assert (ended.code, ended.err) == (0, "")
    told = " ".join(ended.out.split())
    assert told.endswith(
        "no estimate for resnet8-cifar10: its data are not here yet; a run downloads them"
    )
    assert untouched() == before


def test_plan_as_json(prunesweep: Any, tiny: Write, fill: Any) -> None:
    file = tiny()
    fill(file, DENSE)
    ended = prunesweep("plan", file, "--json")
    told = json.loads(ended.out)
    assert ended.err == ""
    assert told["counts"]["networks"] == {"all": 10, "cached": 1, "missing": 9, "blocked": 0}
    assert told["naive_epochs"] == 32
    assert told["estimate"]["basis"] == "measured"
    assert len(told["chains"]) == 6
    assert {len(key) for keys in told["chains"].values() for key in keys} == {64}
    assert list(told["tasks"]) == ["nominal", "uniform_input_noise-0.5", "contrast-3"]


def test_settings_override_the_file(prunesweep: Any, tiny: Write) -> None:
    words = ("--set", "seeds=[0]", "--set", "networks.0.training.epochs=7")
    told = json.loads(prunesweep("plan", tiny(), *words, "--json", "--no-estimate").out)
    assert told["counts"]["chains"]["all"] == 3
    assert told["counts"]["epochs"]["all"] == 7 + 4


def test_status_shows_what_is_not_complete(prunesweep: Any, tiny: Write, fill: Any) -> None:
    file = tiny(methods=["wt"], name="a+b")
    store = fill(file, DENSE)
    other = DENSE.replace("s0", "s1")
    blocked = {other.replace("dense", "wt/cascade"): other}
    write_outcome(store, "a+b", Outcome(failed={other: "OSError: disk full"}, blocked=blocked))
    ended = prunesweep("status", file)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "chain                           state    networks  cells",
        "resnet8-4-digits/s1/dense       failed        0/1    0/3",
        "resnet8-4-digits/s1/wt/cascade  blocked       0/2    0/6",
        "resnet8-4-digits/s0/wt/cascade  missing       0/2    0/6",
        "",
        "a+b: 4 chains: 1 failed, 1 blocked, 1 missing, 1 complete",
        "1 of 6 networks and 3 of 18 cells are done",
        "resnet8-4-digits/s1/dense: OSError: disk full",
    ]
    told = json.loads(prunesweep("status", file, "--json").out)
    assert told["chains"][DENSE] == "complete"
    assert told["failed"] == {other: "OSError: disk full"}
    assert told["blocked"] == blocked


def test_watching_ends_where_all_that_is_left_has_failed(
    prunesweep: Any, tiny: Write, fill: Any
) -> None:
    file = tiny(methods=["wt"], seeds=[0])
    store = fill(file, "none of its chains")
    blocked = {DENSE.replace("dense", "wt/cascade"): DENSE}
    write_outcome(store, "tiny", Outcome(failed={DENSE: "OSError: disk full"}, blocked=blocked))
    assert prunesweep("status", file, "--watch").out == prunesweep("status", file).out
    (line,) = prunesweep("status", file, "--watch", "--json").out.splitlines()
    assert json.loads(line) == json.loads(prunesweep("status", file, "--json").out)


def test_watching_as_json_is_one_line_for_each_look(
    prunesweep: Any, tiny: Write, fill: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tiny(methods=["wt"], seeds=[0])
    fill(file, DENSE)
    looks = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:
            fill(file)

    monkeypatch.setattr("orchestrator.cli.status_command.time.sleep", sleep)
    lines = prunesweep("status", file, "--watch", "--json").out.splitlines()
    told, pruned = [json.loads(line) for line in lines], DENSE.replace("dense", "wt/cascade")
    assert [one["chains"][pruned] for one in told] == ["missing", "missing", "complete"]
    before, after = (one["unfinished"] for one in told[1:])
    assert before == {pruned: {"networks": [0, 2], "cells": [0, 6]}}
    assert after == {}
    assert looks == [2.0, 2.0]


def test_a_job_does_not_count_in_its_own_folder(
    prunesweep: Any, tiny: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = tmp_path / "runtime_resources" / "working_dir_files" / "_ray_pkg_1"
    job.mkdir(parents=True)
    ended = prunesweep("status", tiny(), "--set", f"store={job / 'store'}")
    assert ended.code == 2
    assert "would go with this job: name a folder that all machines share" in ended.err


def test_status_of_a_running_sweep(prunesweep: Any, tiny: Write, fill: Any) -> None:
    file = tiny(methods=["wt"])
    store = fill(file, DENSE)
    name = DENSE.replace("dense", "wt/cascade")
    (chain,) = [chain for chain in open_sweep(file).plan.chains if chain.name == name]
    with store.lease(chain.levels[0].key):
        chains = json.loads(prunesweep("status", file, "--json").out)["chains"]
    assert chains[chain.name] == "running"
    assert list(chains.values()).count("running") == 1


def test_status_of_many_chains_is_short(prunesweep: Any, tiny: Write) -> None:
    file = tiny(seeds=list(range(50)))
    lines = prunesweep("status", file).out.splitlines()
    assert len(lines) == 1 + 20 + 4
    assert lines[21] == "and 130 more chains"


@pytest.mark.parametrize("command", ["plan", "status", "verify", "gc"])
def test_what_reads_writes_nothing(
    prunesweep: Any, untouched: Any, tiny: Write, command: str
) -> None:
    Path("ownmethod.py").write_text(
        "from workers.pruning.methods.wt import WeightThresholding\n"
        "class Mine(WeightThresholding): ...\n"
        "print('a chatty module')\n"
    )
    file = tiny(methods=["ownmethod:Mine"])
    before = untouched()
    ended = prunesweep(command, file, "--json")
    assert ended.code == 0
    json.loads(ended.out)
    assert ended.err == (
        "this sweep runs code: ownmethod:Mine from ./ownmethod.py\na chatty module\n"
    )
    assert untouched() == before


@pytest.mark.parametrize("command", ["plan", "status", "tasks", "models", "methods", "data"])
def test_tables_fit_80_columns(prunesweep: Any, tiny: Write, command: str) -> None:
    long = {
        "name": "a_network_with_a_name_that_is_longer_than_anybody_would_like_it_to_be_in_a_table",
        "model": "resnet8",
        "data": "cifar10",
        "training": {"epochs": 1},
    }
    words = (command, tiny(networks=[long])) if command in ("plan", "status") else (command,)
    ended = prunesweep(*words)
    assert ended.code == 0
    assert max(map(len, ended.out.splitlines())) <= 80
    assert all(line == line.rstrip() for line in ended.out.splitlines())
