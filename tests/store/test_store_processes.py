"""The store under processes that are killed, and processes that race."""

import inspect
import os
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest
from pyarrow import fs

from orchestrator.store import Store
from orchestrator.store.storage import Storage


def key(number: object) -> str:
    return sha256(str(number).encode()).hexdigest()


class Bucket(Storage):
    """Object storage on a local folder: what is uploaded appears whole, when the upload ends."""

    def __init__(self, root: str) -> None:
        Path(root).mkdir(exist_ok=True)
        super().__init__(fs.SubTreeFileSystem(root, fs.LocalFileSystem()), "")
        self._folder = Path(root)

    def _upload(self, path: str, content: bytes) -> None:
        part = self._folder / f"part-{os.getpid()}"
        part.write_bytes(content)
        part.replace(self._folder / path)


PUTTER = """
import os, sys
from hashlib import sha256
from pathlib import Path
from pyarrow import fs
from orchestrator.store.storage import Storage
from orchestrator.store import Store
{bucket}
{preamble}
store, who, count = {store}, sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
for number in range(count):
    key = sha256(str(number).encode()).hexdigest()
    store.put(key, {{"who": who}}, {{name: who.encode() * 20_000 for name in "abc"}})
"""
KINDS = {"local": "Store(sys.argv[1])", "object": "Store('.', storage=Bucket(sys.argv[1]))"}


def putter(
    root: Path, kind: str, who: str, count: int, preamble: str = ""
) -> subprocess.Popen[bytes]:
    root.mkdir(exist_ok=True)
    source = inspect.getsource(Bucket)
    script = PUTTER.format(store=KINDS[kind], bucket=source, preamble=preamble)
    command = [sys.executable, "-c", script, str(root), who, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def opened(root: Path, kind: str) -> Store:
    return Store(root) if kind == "local" else Store(root, storage=Bucket(str(root)))


def check_whole(store: Store) -> set[str]:
    """Read every visible object wholly; its files must be of one writer."""
    keys = list(store.keys())
    assert len(keys) == len(set(keys))
    for found in keys:
        who = store.record(found)["who"]
        assert {store.read(found, name) for name in "abc"} == {who.encode() * 20_000}
    return set(keys)


@pytest.mark.parametrize("kind", KINDS)
def test_a_process_killed_amid_many_puts_leaves_only_whole_objects(
    tmp_path: Path, kind: str
) -> None:
    root, seen = tmp_path / "store", set[str]()
    for delay in (0.02, 0.05, 0.1):
        child = putter(root, kind, "a", 100_000)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(delay)
        child.kill()
        assert child.wait() == -signal.SIGKILL
        child.stdout.close()
        now = check_whole(opened(root, kind))
        assert now >= seen
        seen = now
    assert seen


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("after", [1, 2, 3, 4, 5])
def test_a_put_killed_between_any_two_files_is_invisible(
    tmp_path: Path, kind: str, after: int
) -> None:
    seam = {"local": "os.fsync", "object": "Bucket._upload"}[kind]
    preamble = f"""
import itertools, signal
calls, real = itertools.count(), {seam}
def stop(*given):
    real(*given)
    if next(calls) == {after} - 1:
        os.kill(os.getpid(), signal.SIGKILL)
{seam} = stop
"""
    root = tmp_path / "store"
    opened(root, kind).put(key("before"), {"who": "z"}, dict.fromkeys("abc", b"z" * 20_000))
    child = putter(root, kind, "a", 1, preamble)
    child.communicate()
    store = opened(root, kind)
    writes = 3 + 1
    assert child.returncode == (-signal.SIGKILL if after <= writes else 0)
    whole = after > writes or (kind == "object" and after == writes)
    assert check_whole(store) == {key("before")} | ({key(0)} if whole else set())
    store.put(key(0), {"who": "b"}, dict.fromkeys("abc", b"b" * 20_000))
    assert store.record(key(0))["who"] == ("a" if whole else "b")
    check_whole(store)


@pytest.mark.parametrize("kind", KINDS)
def test_processes_that_put_the_same_keys_all_succeed(tmp_path: Path, kind: str) -> None:
    root = tmp_path / "store"
    children = [putter(root, kind, who, 60) for who in "abcd"]
    for child in children:
        child.communicate()
    assert [child.returncode for child in children] == [0] * 4
    assert check_whole(opened(root, kind)) == {key(number) for number in range(60)}
