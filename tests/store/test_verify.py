import json
import os
import random
import time
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import fs

from orchestrator.store import Store
from orchestrator.store.lease import LEASES, this_host
from orchestrator.store.storage import Storage
from orchestrator.store.verify import collect_garbage, plan_gc, remove_damaged, verify, worked_on
from workers.contracts import evaluation_key

HOUR = 3600


def key(number: object) -> str:
    return sha256(str(number).encode()).hexdigest()


@pytest.fixture(params=["local", "object"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "local":
        return Store(tmp_path)
    return Store(
        tmp_path, storage=Storage(fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem()), "")
    )


def fill(store: Store, count: int = 4) -> None:
    for number in range(count):
        store.put(key(number), {"n": number}, {"a": bytes(50), "b": b"x"})


def paths_of(store: Store, name: str) -> list[Path]:
    folder = Path(store.location) / "objects" / name[:2] / name
    return sorted(path for path in folder.iterdir())


def flip(path: Path, position: int, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1 << bit
    path.write_bytes(content)


def age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def test_a_whole_store_verifies_clean(store: Store) -> None:
    fill(store)
    steps: list[tuple[int, int]] = []
    assert verify(store, progress=lambda done, total: steps.append((done, total))) == []
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(seed=st.integers(0, 2**32))
def test_any_one_flipped_bit_is_found_and_located(store: Store, seed: int) -> None:
    fill(store)
    draw = random.Random(seed)
    damaged = key(draw.randrange(4))
    path = draw.choice(paths_of(store, damaged))
    position, bit = draw.randrange(path.stat().st_size), draw.randrange(8)
    flip(path, position, bit)
    (damage,) = verify(store)
    assert damage.key == damaged
    assert path.name.endswith(damage.file)
    assert damage.advice == "run 'prunesweep verify --remove' and run the sweep again"
    assert verify(store, set(store.keys()) - {damaged}) == []
    flip(path, position, bit)
    assert verify(store) == []


def test_each_damaged_file_is_listed_and_removal_makes_the_store_whole(store: Store) -> None:
    fill(store)
    first, second = [path for path in paths_of(store, key(0)) if path.name != "record.json"]
    first.write_bytes(b"")
    second.unlink()
    found = sorted((damage.file, damage.what) for damage in verify(store))
    assert {what for _, what in found} == {"it is missing", "its checksum does not hold"}
    assert [file for file, _ in found] == ["a", "b"]
    assert remove_damaged(store, verify(store)) == [key(0)]
    assert verify(store) == []
    assert sorted(store.keys()) == sorted(key(number) for number in (1, 2, 3))
    fill(store)
    assert store.has(key(0))


def test_a_lost_record_is_found_in_a_folder(tmp_path: Path) -> None:
    store = Store(tmp_path)
    fill(store)
    paths_of(store, key(2))[-1].unlink()
    (damage,) = verify(store)
    assert (damage.key, damage.file, damage.what) == (key(2), "record.json", "it is missing")


def test_what_is_not_committed_is_not_damaged(store: Store) -> None:
    assert verify(store, [key("never put")]) == []


def evaluate(store: Store, network: str, *tasks: str) -> str:
    name = evaluation_key(network, tasks)
    store.put(name, {"network": network, "tasks": list(tasks)}, {"p": bytes(1000)})
    return name


def test_a_damaged_network_takes_its_evaluations_along(store: Store) -> None:
    fill(store, 2)
    gone = {evaluate(store, key(0), "t1"), evaluate(store, key(0), "t2")}
    kept = evaluate(store, key(1), "t1")
    flip(paths_of(store, key(0))[0], 0, 0)
    removed = remove_damaged(store, verify(store))
    assert set(removed) == gone | {key(0)}
    assert removed[-1] == key(0)  # last, so that an interruption leaves the damage to be found
    assert set(store.keys()) == {key(1), kept}


def test_a_damaged_network_takes_along_what_it_was_compared_in(store: Store) -> None:
    fill(store, 2)
    for name, subjects in (("both", [key(0), key(1)]), ("other", [key(1)])):
        store.put(key(name), {"kind": "measure", "subjects": subjects}, {"p": b"1"})
    flip(paths_of(store, key(0))[0], 0, 0)
    assert remove_damaged(store, verify(store)) == [key("both"), key(0)]
    assert set(store.keys()) == {key(1), key("other")}


def test_a_damaged_evaluation_leaves_its_network(store: Store) -> None:
    fill(store, 1)
    damaged, kept = evaluate(store, key(0), "t1"), evaluate(store, key(0), "t2")
    flip(paths_of(store, damaged)[0], 0, 0)
    assert remove_damaged(store, verify(store)) == [damaged]
    assert set(store.keys()) == {key(0), kept}


def test_what_is_worked_on_is_told_by_the_leases(store: Store) -> None:
    fill(store, 1)
    claim(store, key(1), "elsewhere")
    claim(store, key(2), this_host())  # of a process that is gone
    with store.lease(key(0)):
        assert worked_on(store) == {key(0), key(1)}
    assert worked_on(store) == {key(1)}


def test_gc_keeps_what_sweeps_name(store: Store) -> None:
    fill(store, 2)
    kept, lost = evaluate(store, key(0), "t1", "t2"), evaluate(store, key(1), "t1")
    plan = plan_gc(store, {key(0)})
    assert {piece.key for piece in plan} == {key(1), lost}
    assert {piece.reason for piece in plan} == {"no sweep names its network"}
    sizes = store.size(key(1)) + store.size(lost)
    assert set(store.keys()) == {key(0), key(1), kept, lost}
    assert collect_garbage(store, plan) == sizes == sum(piece.bytes for piece in plan)
    assert set(store.keys()) == {key(0), kept}
    assert plan_gc(store, {key(0)}) == []
    assert verify(store) == []


def test_gc_leaves_a_damaged_evaluation_to_verify(store: Store) -> None:
    name = evaluate(store, key(0), "t1")
    (record,) = [path for path in paths_of(store, name) if path.name == "record.json"]
    flip(record, 10, 0)
    assert plan_gc(store, {key(0)}) == []


def test_gc_of_scratch(store: Store) -> None:
    store.scratch(key(0)).write(b"resumable")
    store.scratch(key(1)).write(b"nobody's")
    fill(store, 3)
    store.scratch(key(0)).write(b"resumable")
    store.discard(key(0))
    store.scratch(key(1)).write(b"finished")
    store.scratch(key(9)).write(b"nobody's")
    plan = plan_gc(store, {key(0), key(1), key(2)})
    assert {piece.key: piece.reason for piece in plan} == {
        key(1): "scratch of an object that is finished",
        key(9): "scratch that no sweep names",
    }
    collect_garbage(store, plan)
    assert store.scratch(key(0)).read() == b"resumable"
    assert store.scratch(key(1)).read() is store.scratch(key(9)).read() is None


def claim(store: Store, name: str, host: str) -> Path:
    content = json.dumps({"host": host, "pid": 2**22 + 1, "started": "1"})
    store.storage.write(f"{LEASES}/{name}.0.json", content.encode())
    return Path(store.location) / LEASES / f"{name}.0.json"


def test_gc_of_leases_spares_what_is_worked_on(store: Store) -> None:
    fill(store, 3)
    store.scratch(key(8)).write(b"in the making")
    claim(store, key(0), "elsewhere")
    claim(store, key(8), "elsewhere")
    age(claim(store, key(1), "elsewhere"), 2 * HOUR)
    claim(store, key(2), this_host())
    plan = plan_gc(store, set())
    leases = {piece.key for piece in plan if "lease" in piece.reason}
    assert leases == {key(1), key(2)}
    assert {piece.key for piece in plan} == leases
    collect_garbage(store, plan)
    assert list(store.keys()) == [key(0)]
    assert len(store.storage.listing(LEASES)) == 2


def test_gc_of_interrupted_writes_waits_until_they_are_old(store: Store) -> None:
    fill(store, 1)
    root = Path(store.location)
    local = type(store.storage) is not Storage
    folder = root / ("tmp/0123" if local else f"objects/{key(5)[:2]}/{key(5)}")
    folder.mkdir(parents=True)
    (folder / "0.weights").write_bytes(bytes(77))
    assert plan_gc(store, {key(0)}) == []
    age(folder / "0.weights", 2 * HOUR)
    age(folder, 2 * HOUR)
    (piece,) = plan_gc(store, {key(0)})
    assert (piece.bytes, piece.reason) == (77, "interrupted write")
    assert collect_garbage(store, [piece]) == 77
    assert not (folder / "0.weights").exists()
    assert list(store.keys()) == [key(0)]
