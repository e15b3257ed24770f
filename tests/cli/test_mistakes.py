"""Every mistake is one clear line and exit code 2, without a traceback and without a trace."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[..., Path]
FOLDERS = {"imagefolder": {"train": "a", "test": "b", "size": 8}}

IN_THE_FILE: list[tuple[dict[str, Any], str]] = [
    ({"sedes": [0]}, r"unknown key 'sedes', did you mean 'seeds'?"),
    ({"seeds": "many"}, "seeds: expected a list, found 'many'"),
    ({"seeds": [0, 1, 0]}, "seeds[2]: duplicate 0"),
    ({"ratios": [0.3, 1.5]}, "ratios[1]: expected a number below 1, found 1.5"),
    ({"ratios": [0.0]}, "ratios[0]: expected a number above 0, found 0.0"),
    ({"ratios": [0.6, 0.3]}, "ratios[1]: expected a ratio above the 0.6 before it, found 0.3"),
    ({"methods": ["wtt"]}, "methods[0]: unknown method 'wtt', did you mean 'wt'?"),
    ({"methods": ["nowhere:Method"]}, "cannot import method 'nowhere:Method'"),
    ({"methods": [{"ft": {"nrom": "l1"}}]}, "unknown option 'nrom', did you mean 'norm'?"),
    ({"resources": {"gpus": "all"}}, "resources.gpus: expected a number, found 'all'"),
    (
        {"tasks": {"train": ["nominal"], "other": [{"outliers": {"data": "svhn", "name": "a/b"}}]}},
        "tasks.other[0].outliers: name is 'a/b', expected letters, digits",
    ),
    (
        {"measures": [{"noise_similarity": {"levels": [0.1, 0.1]}}]},
        "measures[0].noise_similarity: levels is (0.1, 0.1), expected each half-width once",
    ),
]


@pytest.mark.parametrize(("change", "message"), IN_THE_FILE)
@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_mistake_in_the_file_is_told_with_its_place(
    prunesweep: Any, untouched: Any, tiny: Write, command: str, change: Any, message: str
) -> None:
    file = tiny(**change)
    before = untouched()
    ended = prunesweep(command, file)
    assert (ended.code, ended.out) == (2, "")
    (line,) = ended.err.splitlines()
    place, line_number, column, _ = line.split(":", 3)
    assert place == str(file)
    assert int(line_number) > 1
    assert int(column) > 0
    assert message in line
    assert untouched() == before


TEXTS = {
    "seeds: [0, 1": "not valid YAML",
    "name: !!python/object/apply:os.system ['touch owned']": "is not allowed here",
    "name: !!python/name:os.system": "is not allowed here",
    "[1, 2]": "expected a mapping, found a list",
    "": "expected a mapping, found nothing",
    "\x00\x01": "not valid YAML",
    "nonsense " * 1_200_000: "larger than 256 KiB",
}


@pytest.mark.parametrize(("text", "message"), TEXTS.items(), ids=range(len(TEXTS)))
def test_a_file_that_is_no_sweep(
    prunesweep: Any, untouched: Any, tmp_path: Path, text: str, message: str
) -> None:
    Path("bad.yaml").write_text(text)
    before = untouched()
    ended = prunesweep("run", "bad.yaml")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("bad.yaml:1:")
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1
    assert untouched() == before


SETTINGS = {
    "foo=1": "--set foo=1: foo: unknown key 'foo'",
    "resources.gpu=1": "unknown key 'gpu', did you mean 'gpus'?",
    "seeds": "--set seeds: expected key.path=value",
    "seeds=[": "--set seeds=[: not valid YAML",
    "networks.7.data=digits": "expected an index below 1, found '7'",
    "seeds=[0,0]": "--set seeds=[0,0]: seeds[1]: duplicate 0",
}
READERS = (
    "plan", "run", "status", "report", "verify-results", "publish", "ui", "verify", "gc",
)  # fmt: skip


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize(("setting", "message"), SETTINGS.items())
def test_every_command_that_reads_a_sweep_checks_what_is_set(
    prunesweep: Any, untouched: Any, tiny: Write, command: str, setting: str, message: str
) -> None:
    file = tiny()
    before = untouched()
    ended = prunesweep(command, file, "--set", setting)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1
    assert untouched() == before


@pytest.mark.parametrize("command", READERS)
def test_a_missing_file(prunesweep: Any, untouched: Any, command: str) -> None:
    before = untouched()
    ended = prunesweep(command, "nope.yaml")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "nope.yaml:1:1: cannot read 'nope.yaml': No such file or directory\n"
    assert untouched() == before


@pytest.mark.parametrize("command", ["plan", "run", "status"])
def test_missing_data(prunesweep: Any, untouched: Any, tiny: Write, command: str) -> None:
    network = {"model": "resnet8", "data": FOLDERS, "training": {"epochs": 1}}
    file = tiny(networks=[network])
    before = untouched()
    ended = prunesweep(command, file)
    assert (ended.code, ended.out) == (2, "")
    assert re.match(rf"{file}:\d+:\d+: networks\[0\]\.data: there is no folder", ended.err)
    assert len(ended.err.splitlines()) == 1
    assert untouched() == before


@pytest.mark.parametrize("command", READERS)
def test_a_store_of_a_newer_format(
    prunesweep: Any, untouched: Any, tiny: Write, command: str
) -> None:
    file = tiny()
    Path("store").mkdir()
    Path("store/store.json").write_text(json.dumps({"format": 99}))
    before = untouched()
    ended = prunesweep(command, file)
    assert (ended.code, ended.out) == (2, "")
    assert "has format 99, this version of prunesweep reads format 1" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert untouched() == before


@pytest.mark.parametrize("command", ["run", "publish", "ui"])
def test_a_folder_is_no_tracking_uri(
    prunesweep: Any, untouched: Any, tiny: Write, command: str
) -> None:
    file = tiny()
    before = untouched()
    ended = prunesweep(command, file, "--tracking-uri", "./mlruns")
    assert (ended.code, ended.out) == (2, "")
    assert "tracking URI './mlruns' is a folder; expected http(s)://" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert untouched() == before


LINES = [
    (["plam"], "prunesweep: No such command 'plam'. Did you mean 'plan'?"),
    (["plan", "tiny.yaml", "--estimat"], "No such option: --estimat"),
    (["plan"], "prunesweep plan: Missing argument 'SWEEP.YAML'."),
    (["plan", "tiny.yaml", "other.yaml"], "unexpected extra argument"),
    (["run", "tiny.yaml", "--executor", "slurm"], "'slurm' is not one of 'ray', 'local'"),
    (["ui", "tiny.yaml", "--port", "70000"], "less than or equal to 65535"),
    (["ui", "tiny.yaml", "--port", "-1"], "greater than or equal to 1"),
    (["ui", "tiny.yaml", "--port", "http"], "should be a valid integer"),
]


@pytest.mark.parametrize(("words", "message"), LINES)
def test_a_mistake_on_the_command_line(
    prunesweep: Any, untouched: Any, tiny: Write, words: list[str], message: str
) -> None:
    tiny()
    before = untouched()
    ended = prunesweep(*words)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
    assert ended.err.endswith("--help'.\n")
    assert len(ended.err.splitlines()) == 1
    assert untouched() == before


def test_an_address_that_is_not_here(prunesweep: Any, tiny: Write) -> None:
    file = tiny()
    Path("store").mkdir()
    Path("store/mlflow.db").touch()
    ended = prunesweep("ui", file, "--host", "203.0.113.7")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("cannot listen on 203.0.113.7 from port 5000 on: ")


def test_no_runs_to_look_at(prunesweep: Any, tiny: Write) -> None:
    file = tiny()
    ended = prunesweep("ui", file)
    assert ended.code == 1
    assert ended.err.endswith(f"mlflow.db to show yet; begin with: prunesweep run {file}\n")


def test_nothing_to_report(prunesweep: Any, untouched: Any, tiny: Write) -> None:
    file = tiny()
    before = untouched()
    ended = prunesweep("report", file, "--set", "seeds=[0]")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        f"nothing to report yet; begin with: prunesweep run {file} --set 'seeds=[0]'\n"
    )
    assert untouched() == before


def test_a_bug_of_ours_keeps_its_traceback(
    prunesweep: Any, tiny: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestrator import sweep

    monkeypatch.setattr(sweep, "make_plan", lambda spec: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        prunesweep("plan", tiny())


def test_what_the_system_refuses_is_no_traceback(
    prunesweep: Any, tiny: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestrator import sweep

    def refuse(spec: Any) -> None:
        raise PermissionError(13, "Permission denied", "/mnt/store")

    monkeypatch.setattr(sweep, "make_plan", refuse)
    ended = prunesweep("plan", tiny())
    assert (ended.code, ended.err) == (1, "/mnt/store: Permission denied\n")


@pytest.mark.slow
def test_more_gpus_than_there_are(prunesweep: Any, untouched: Any, tiny: Write) -> None:
    file = tiny()
    before = untouched()
    ended = prunesweep("run", file, "--set", "resources.gpus=97")
    assert (ended.code, ended.out) == (2, "")
    assert "resources.gpus: a trial asks for 97 GPU, this machine has " in ended.err
    assert "Traceback" not in ended.err
    assert untouched() == before
