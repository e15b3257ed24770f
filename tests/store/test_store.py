import copy
import json
import time
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import fs

from orchestrator.store import DamagedObjectError, MissingObjectError, Store, StoreError
from orchestrator.store.storage import Storage
from workers.contracts import evaluation_key

FILES = {"weights.safetensors": bytes(range(256)), "masks.bin": b""}
RECORD = {"kind": "parent", "loss": [0.5, 0.25], "inputs": {"seed": 0, "name": "grüße"}}


def key(number: object) -> str:
    return sha256(str(number).encode()).hexdigest()


def object_store(root: Path) -> Store:
    """A store that treats a local folder as object storage: no rename, no local shortcut."""
    root.mkdir(exist_ok=True)
    return Store(root, storage=Storage(fs.SubTreeFileSystem(str(root), fs.LocalFileSystem()), ""))


def evaluate(store: Store, network: str, *tasks: str) -> str:
    name = evaluation_key(network, tasks)
    store.put(name, {"network": network, "tasks": list(tasks)}, {"predictions.parquet": b"rows"})
    return name


@pytest.fixture(params=["local", "object", "uri", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    makers = {
        "s3": lambda: Store(request.getfixturevalue("bucket_uri")),
        "local": lambda: Store(tmp_path / "store"),
        "object": lambda: object_store(tmp_path / "store"),
        "uri": lambda: Store("mock:///bucket/store"),
    }
    return makers[request.param]()


def test_round_trip(store: Store) -> None:
    store.put(key(1), RECORD, FILES)
    assert store.has(key(1))
    assert {name: store.read(key(1), name) for name in FILES} == FILES
    record = store.record(key(1))
    assert {name: record[name] for name in RECORD} == RECORD
    assert record["key"] == key(1)
    assert record["files"]["weights.safetensors"]["bytes"] == 256
    assert record["files"]["masks.bin"]["sha256"] == sha256(b"").hexdigest()
    assert list(store.keys()) == [key(1)]
    assert store.size(key(1)) > 256


def test_a_key_stays_as_it_was_put_first(store: Store) -> None:
    store.put(key(1), {"n": 1}, {"a": b"first"})
    store.put(key(1), {"n": 2}, {"a": b"second"})
    assert store.record(key(1))["n"] == 1
    assert store.read(key(1), "a") == b"first"


def test_what_is_missing_is_named(store: Store) -> None:
    assert not store.has(key(1))
    with pytest.raises(MissingObjectError, match=key(1)):
        store.record(key(1))
    store.put(key(1), {}, {"a": b"", "b": b""})
    with pytest.raises(MissingObjectError, match="no file 'c'; its files: a, b"):
        store.read(key(1), "c")


def test_discard_removes_all_of_an_object_and_nothing_else(store: Store) -> None:
    store.put(key(1), {}, FILES)
    store.put(key(2), {}, FILES)
    store.discard(key(1))
    store.discard(key(1))
    assert (store.has(key(1)), store.size(key(1))) == (False, 0)
    assert list(store.keys()) == [key(2)]
    store.put(key(1), {"again": True}, FILES)
    assert store.record(key(1))["again"]


def test_index_and_evaluations(store: Store) -> None:
    network, other = key(1), key(2)
    store.put(network, {}, {})
    expected = sorted([evaluate(store, network, "t1", "t2"), evaluate(store, network, "t2", "t3")])
    alone = evaluate(store, other, "t9")
    index = store.index()
    assert index.networks == {network}
    assert {name: sorted(keys) for name, keys in index.evaluations.items()} == {
        network: expected,
        other: [alone],
    }
    assert store.evaluations(network) == expected
    assert store.evaluated(network) == {"t1", "t2", "t3"}
    assert store.evaluated(key(3)) == frozenset()


def test_scratch_is_replaced_and_emptied_by_put(store: Store) -> None:
    scratch = store.scratch(key(1))
    assert scratch.read() is None
    scratch.write(b"epoch 1")
    scratch.write(b"epoch 2\n\n")
    assert store.scratch(key(1)).read() == b"epoch 2\n\n"
    assert store.scratch(key(2)).read() is None
    store.put(key(1), {}, {})
    assert scratch.read() is None
    scratch.write(b"late")
    store.put(key(1), {}, {})
    assert scratch.read() is None


def test_a_torn_or_flipped_scratch_reads_as_none(tmp_path: Path) -> None:
    scratch = Store(tmp_path).scratch(key(1))
    scratch.write(b"checkpoint")
    path = tmp_path / "scratch" / key(1)
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position])
        assert scratch.read() is None
        path.write_bytes(flipped(whole, position, 0))
        assert scratch.read() is None


def flipped(content: bytes, position: int, bit: int) -> bytes:
    changed = bytes([content[position] ^ 1 << bit])
    return content[:position] + changed + content[position + 1 :]


def test_any_flipped_byte_of_an_object_is_found_by_reading(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(key(1), {"text": 'é/"'}, {"a": b"some bytes"})
    (folder,) = (tmp_path / "objects").glob("*/*")
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        for position in range(len(whole)):
            for bit in (0, 5, 7):  # 5 turns a letter's case, 7 leaves ASCII
                path.write_bytes(flipped(whole, position, bit))
                with pytest.raises(DamagedObjectError, match=key(1)):
                    store.read(key(1), "a")
        path.write_bytes(whole)
    assert store.read(key(1), "a") == b"some bytes"


def test_a_damaged_object_says_what_to_do(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(key(1), {}, {"a": b"x"})
    (tmp_path / "objects" / key(1)[:2] / key(1) / "a").unlink()
    with pytest.raises(DamagedObjectError) as caught:
        store.read(key(1), "a")
    assert str(caught.value) == (
        f"object {key(1)} is damaged: a: it is missing; "
        "run 'prunesweep verify --remove' and run the sweep again"
    )
    assert str(copy.copy(caught.value)) == str(caught.value)


def test_a_record_of_another_object_is_damage(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(key(1), {}, {})
    (tmp_path / "objects" / key(1)[:2] / key(1)).rename(tmp_path / "moved")
    target = tmp_path / "objects" / key(2)[:2] / key(2)
    target.parent.mkdir()
    (tmp_path / "moved").rename(target)
    with pytest.raises(DamagedObjectError, match=f"it is the record of {key(1)}"):
        store.record(key(2))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(record=st.dictionaries(st.text().map("x{}".format), json_values), content=st.binary())
def test_any_json_record_and_content_come_back(record: dict[str, object], content: bytes) -> None:
    store = Store("mock:///store")
    store.put(key(1), record, {"a": content})
    found = store.record(key(1))
    assert {name: found[name] for name in record} == record
    assert store.read(key(1), "a") == content


def test_reading_writes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    assert list(store.keys()) == []
    assert store.index().networks == frozenset()
    assert store.evaluated(key(1)) == frozenset()
    assert store.scratch(key(1)).read() is None
    store.discard(key(1))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bad", ["", "ab", "../" + "a" * 61, "A" * 64, "a" * 65, "a" * 64 + "-b"])
def test_keys_are_confined(store: Store, bad: str) -> None:
    for use in (store.has, store.record, store.discard, store.scratch, store.evaluations):
        with pytest.raises(ValueError, match="not a key"):
            use(bad)


@pytest.mark.parametrize("bad", ["", "..", "../a", "a/b", ".hidden", "record.json", "a\n"])
def test_file_names_are_confined(store: Store, bad: str) -> None:
    with pytest.raises(ValueError, match="not a file name"):
        store.put(key(1), {}, {bad: b""})
    with pytest.raises(ValueError, match="not a file name"):
        store.write_note(bad, b"")
    assert not store.has(key(1))


def test_fields_of_the_store_are_reserved(store: Store) -> None:
    with pytest.raises(ValueError, match="'files', 'key'"):
        store.put(key(1), {"key": "mine", "files": [], "loss": 1.0}, {})


def test_what_is_no_json_is_not_committed(store: Store) -> None:
    with pytest.raises(TypeError):
        store.put(key(1), {"loss": object()}, {})
    assert list(store.keys()) == []


def test_a_newer_or_broken_format_is_refused(tmp_path: Path) -> None:
    Store(tmp_path).put(key(1), {}, {})
    assert json.loads((tmp_path / "store.json").read_text()) == {"format": 1}
    (tmp_path / "store.json").write_text('{"format": 2}')
    with pytest.raises(StoreError, match=r"has format 2.*update prunesweep"):
        Store(tmp_path)
    (tmp_path / "store.json").write_text("")
    with pytest.raises(StoreError, match="unreadable"):
        Store(tmp_path)


def test_locations(tmp_path: Path) -> None:
    Store(f"file://{tmp_path}/store").put(key(1), {}, {})
    assert Store(tmp_path / "store").has(key(1))
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="it is a file, expected a folder"):
        Store(tmp_path / "file")
    with pytest.raises(StoreError, match="expected a folder, or a URI"):
        Store("nope://bucket/store")


def test_a_failed_put_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.put(key(1), {}, {})

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.put(key(2), {}, FILES)
    assert list(store.keys()) == [key(1)]
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.slow
def test_the_index_of_many_objects_is_fast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    store = Store(tmp_path)
    for number in range(10_000):
        store.put(key(number), {}, {"weights.safetensors": b"w"})
        evaluate(store, key(number), "t1")
    start = time.perf_counter()
    index = store.index()
    seconds = time.perf_counter() - start
    assert len(index.networks) == len(index.evaluations) == 10_000
    assert seconds < 1, f"{seconds:.2f} s for 20,000 objects"


def test_a_folder_that_comes_and_goes_is_given_up(tmp_path: Path) -> None:
    class Fickle:
        tries = 0

        def normalize_path(self, path: str) -> str:
            return path

        def get_file_info(self, selector: fs.FileSelector) -> None:
            self.tries += 1
            raise FileNotFoundError

    filesystem = Fickle()
    with pytest.raises(StoreError, match="leases cannot be listed: it comes and goes"):
        Storage(filesystem, str(tmp_path)).listing("leases")
    assert filesystem.tries == 10
