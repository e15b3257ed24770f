"""A thousand damaged and forged stores: reading them ends in the store's own errors, inside it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.store import Store, StoreError
from orchestrator.store.lease import Rivals
from orchestrator.store.local_storage import LocalStorage
from orchestrator.store.objects import seal, unseal
from orchestrator.store.verify import plan_gc, remove_damaged, verify, worked_on
from workers.contracts import evaluation_key

NETWORK, MEASURE, UNMADE = (sha256(n).hexdigest() for n in (b"network", b"measure", b"unmade"))
TASKS = ["t1", "t2"]
EVALUATION = evaluation_key(NETWORK, TASKS)
OUTSIDE = b"what lies beside the store"

HOSTILE = st.sampled_from(
    [
        *("../../../../beside", "/etc/passwd", "..", ".", "", "a/b", "a\\b", "a\0b", "record.json"),
        *("\ud800", "x" * 5000, "0" * 64, "store.json", "%2e%2e", "~root", "C:\\x", "a\n"),
        *(None, True, -1, 0, 2**31, 2**63, 10**4000, 1e308, float("inf"), float("nan")),
        *([], {}, [[]], {"path": "../../../../beside"}, ["t1"], [1, 2], [["t1"]], [{}]),
        {"a": {"path": "../../../../beside", "sha256": sha256(OUTSIDE).hexdigest(), "bytes": 26}},
        {"a": {"path": ["a"], "sha256": None, "bytes": "1"}},
        {"a": {"path": "a", "sha256": "0" * 64, "bytes": -5}},
        {"a": {"path": "a", "sha256": "0" * 64, "bytes": 10**30}},
        {"../a": {"path": "a", "sha256": "0" * 64, "bytes": 1}},
    ]
)
BYTES = st.sampled_from(
    [
        *(b"", b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe\x00", b"null", b"[]", b"{}", b'"x"'),
        *(b"1" * 5000, b"-", b"NaN", b"1e999", b'{"format":1e999}', b"\xef\xbb\xbf{}", b"{" * 3),
        *(b'{"files":[],"key":1}', bytes(1_000_000), b'{"a":1,"a":2}', b'{"pid":1.5}'),
        *(b'{"format":' + b"9" * 4000 + b"}", b'{"format":' + b"[" * 2000, b'{"format":[1]}'),
        b'{"host":"' + b"h" * 10_000 + b'","pid":1,"started":""}',
        b'{"host":["h"],"pid":"1","started":{}}',
    ]
)
Change = Callable[[bytes], bytes]


@st.composite
def flips(draw: st.DrawFn) -> Change:
    """Flip a byte, cut the end off, or put something in."""
    where, what = draw(st.floats(0, 1, exclude_max=True)), draw(st.binary(min_size=1, max_size=8))
    kind = draw(st.sampled_from(["flip", "cut", "insert"]))

    def change(content: bytes) -> bytes:
        at = int(where * len(content))
        match kind:
            case "flip":
                return content[:at] + what[:1] + content[at + 1 :]
            case "cut":
                return content[:at]
        return content[:at] + what + content[at:]

    return change


def replacing(content: bytes) -> Change:
    return lambda _: content


@st.composite
def forgeries(draw: st.DrawFn) -> Change:
    """Put a hostile value anywhere into a record, or take a field away, and seal it again."""
    value, pick = draw(HOSTILE), draw(st.integers(0, 1_000))
    remove, sealed = draw(st.booleans()), draw(st.integers(0, 4)) > 0

    def change(content: bytes) -> bytes:
        try:
            fields = unseal(content)
        except ValueError:
            return json.dumps(value).encode()
        places = list(_places(fields))
        holder, name = places[pick % len(places)]
        if remove:
            del holder[name]
        else:
            holder[name] = value
        return seal(fields) if sealed else json.dumps(fields).encode()

    return change


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for name in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, name
        if isinstance(value[name], dict | list):
            yield from _places(value[name])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Every file of a sound store, by its path."""
    root = tmp_path_factory.mktemp("whole")
    store = Store(root)
    store.put(NETWORK, {"kind": "parent", "n": 1}, {"a": b"w", "b": b""})
    store.put(EVALUATION, {"tasks": TASKS, "network": NETWORK}, {"predictions": b"rows"})
    store.put(MEASURE, {"subjects": [NETWORK]}, {"readings": b"rows"})
    store.scratch(UNMADE).write(b"epoch")
    store.write_note("note", b"{}")
    with store.lease(NETWORK):
        files = [path for path in root.rglob("*") if path.is_file()]
        return {str(path.relative_to(root)): path.read_bytes() for path in files}


class Watched(LocalStorage):
    """Fails when a path leads out of the store."""

    def _at(self, path: str) -> str:
        found = super()._at(path)
        root = Path(self.root).resolve()
        assert Path(found).resolve().is_relative_to(root), f"{path} leads out of the store"
        return found


def contents(store: Store) -> list[bytes]:
    keys = list(store.keys())
    return [store.read(key, name) for key in keys for name in store.record(key)["files"]]


READS: tuple[Callable[[Store], Any], ...] = (
    contents,
    lambda store: store.evaluated(NETWORK),
    lambda store: store.index(),
    lambda store: [store.size(key) for key in list(store.keys())],
    lambda store: store.scratch(UNMADE).read(),
    lambda store: store.read_note("note"),
    worked_on,
    lambda store: plan_gc(store, frozenset()),
    lambda store: Rivals(store.storage, NETWORK, "", 60).living(),
)


def read_everything(root: Path) -> list[StoreError]:
    """Read a store in every way there is; returns the store's errors, any other passes."""
    errors, found = [], []
    try:
        store = Store(root, storage=Watched(root))
    except StoreError as error:
        return [error]
    for read in READS:
        try:
            found.append(read(store))
        except StoreError as error:
            errors.append(error)
    assert OUTSIDE not in found[0] if found and isinstance(found[0], list) else True
    remove_damaged(store, verify(store))
    assert verify(store) == []
    return errors


def write(root: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)


@pytest.mark.slow
@settings(
    max_examples=1000, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(pick=st.integers(0, 1_000), change=flips() | forgeries() | BYTES.map(replacing))
def test_a_damaged_or_forged_file_is_an_error_of_the_store(
    tmp_path: Path, whole: dict[str, bytes], pick: int, change: Change
) -> None:
    (tmp_path / "beside").write_bytes(OUTSIDE)
    changed = sorted(whole)[pick % len(whole)]
    write(tmp_path / "store", {**whole, changed: change(whole[changed])})
    for error in read_everything(tmp_path / "store"):
        assert len(str(error)) < 500
        assert changed == "store.json" or changed.split("/")[2] in str(error)


@pytest.mark.parametrize("place", ["objects", f"objects/{NETWORK[:2]}", "scratch", "notes"])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_lies_in_the_wrong_place_is_passed_over(
    tmp_path: Path, whole: dict[str, bytes], place: str, kind: str
) -> None:
    write(tmp_path, whole)
    for name in ("stray", "a b", NETWORK[:2] + "f" * 62, "record.json"):
        stray = tmp_path / place / name
        if kind == "file":
            stray.write_bytes(b"")
        else:
            (stray / "deeper" / "still").mkdir(parents=True)
    for error in read_everything(tmp_path):
        assert NETWORK[:2] + "f" * 62 in str(error)


def test_a_record_is_read_no_further_than_its_limit(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(NETWORK, {}, {"a": b"w"})
    record = tmp_path / "objects" / NETWORK[:2] / NETWORK / "record.json"
    with record.open("ab") as file:
        file.truncate(2**40)  # a hole, which takes no room
    with pytest.raises(StoreError, match="it is not JSON"):
        store.record(NETWORK)


def test_deep_nesting_is_no_matter_of_the_stack(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(NETWORK, {}, {})
    record = tmp_path / "objects" / NETWORK[:2] / NETWORK / "record.json"
    record.write_bytes(b"[" * 10 * sys.getrecursionlimit())
    with pytest.raises(StoreError, match="it is not JSON"):
        store.record(NETWORK)
