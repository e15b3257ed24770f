"""``verify`` and ``gc``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator.store import Store

Write = Callable[..., Path]


def damage(store: Store, key: str) -> None:
    Path(store.location, "objects", key[:2], key, "weights").write_bytes(b"87654321")


def a_network(store: Store) -> str:
    return min(key for key in list(store.keys()) if "-" not in key)


def test_a_whole_store(prunesweep: Any, tiny: Write, fill: Any) -> None:
    file = tiny()
    store = fill(file)
    ended = prunesweep("verify", file)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"0 damaged of 20 objects in {store.location}\n"


def test_damage_is_told_and_what_to_do(prunesweep: Any, tiny: Write, fill: Any) -> None:
    file = tiny()
    store = fill(file)
    damage(store, network := a_network(store))
    ended = prunesweep("verify", file, "--set", "seeds=[0, 1]")
    assert ended.code == 1
    assert ended.out.splitlines() == [
        "object        file     what is wrong",
        f"{network[:12]}  weights  its checksum does not hold",
        f"1 damaged of 20 objects in {store.location}",
    ]
    assert ended.err.splitlines() == [
        f"discard them with: prunesweep verify {file} --set 'seeds=[0, 1]' --remove",
        f"and make them anew with: prunesweep run {file} --set 'seeds=[0, 1]'",
    ]
    told = prunesweep("verify", file, "--json")
    assert told.code == 1
    (found,) = json.loads(told.out)["damaged"]
    assert (found["key"], found["file"]) == (network, "weights")


def test_removal_takes_the_evaluations_along(prunesweep: Any, tiny: Write, fill: Any) -> None:
    file = tiny()
    store = fill(file)
    damage(store, network := a_network(store))
    ended = prunesweep("verify", file, "--remove")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[-1] == f"removed 2; make them anew with: prunesweep run {file}"
    counts = json.loads(prunesweep("plan", file, "--no-estimate", "--json").out)["counts"]
    assert counts["networks"]["missing"] == 1
    assert counts["cells"]["missing"] == 3
    assert network not in {key.partition("-")[0] for key in list(store.keys())}


def test_gc_lists_first_and_deletes_on_demand(prunesweep: Any, tiny: Write, fill: Any) -> None:
    store = fill(tiny())
    file = tiny("less.yaml", methods=["wt"])
    before = set(store.keys())
    ended = prunesweep("gc", file)
    assert (ended.code, ended.err) == (0, "")
    heading, *rows, last = ended.out.splitlines()
    assert heading == "what no given sweep needs   pieces    size"
    assert [row.split()[-3] for row in rows] == ["8", "8"]
    assert last == "nothing was deleted; --delete does it"
    assert set(store.keys()) == before
    garbage = json.loads(prunesweep("gc", file, "--json").out)
    assert len(garbage["garbage"]) == 8
    assert garbage["freed"] == 0
    freed = json.loads(prunesweep("gc", file, "--delete", "--json").out)["freed"]
    assert freed == sum(piece["bytes"] for piece in garbage["garbage"])
    assert len(set(store.keys())) == 12
    assert prunesweep("gc", file).out == f"nothing to delete in {store.location}\n"


def test_gc_keeps_what_any_sweep_needs(prunesweep: Any, tiny: Write, fill: Any) -> None:
    fill(tiny())
    ended = prunesweep("gc", tiny("wt.yaml", methods=["wt"]), tiny("ft.yaml", methods=["ft"]))
    assert ended.out.startswith("nothing to delete")


def test_gc_keeps_the_checkpoints_that_a_schedule_rewinds_to(
    prunesweep: Any, tiny: Write, fill: Any
) -> None:
    file = tiny(schedule={"cascade": {"rewind": 0}})
    store = fill(file)
    assert prunesweep("gc", file).out == f"nothing to delete in {store.location}\n"
    garbage = json.loads(prunesweep("gc", tiny("plain.yaml"), "--json").out)["garbage"]
    assert len(garbage) == 8 * 2 + 2  # levels with their evaluations, and a checkpoint per seed


def test_gc_of_two_stores_is_refused(prunesweep: Any, tiny: Write) -> None:
    ended = prunesweep("gc", tiny(), tiny("other.yaml", store="other"))
    assert (ended.code, ended.out) == (2, "")
    assert "different stores" in ended.err


def test_gc_tells_modules_of_the_same_name_apart(
    prunesweep: Any, tiny: Write, fill: Any, tmp_path: Path
) -> None:
    files = []
    for made in ("first", "second"):
        folder = tmp_path / made
        folder.mkdir()
        folder.joinpath("samename.py").write_text(
            f"def net(*, channels: int, classes: int): return {made!r}\n"
        )
        network = {"model": "samename:net", "data": "digits", "training": {"epochs": 1}}
        file = tiny(networks=[network], store=str(tmp_path / "store"))
        files.append(file.rename(folder / "sweep.yaml"))
        fill(files[-1])
    assert prunesweep("gc", *files).out.startswith("nothing to delete")
    garbage = json.loads(prunesweep("gc", files[1], "--json").out)["garbage"]
    assert len(garbage) == 20
