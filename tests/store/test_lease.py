import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from pyarrow import fs

from orchestrator.store import Store
from orchestrator.store.lease import LEASES, hold, this_host
from orchestrator.store.local_storage import LocalStorage
from orchestrator.store.opening import open_storage
from orchestrator.store.storage import Storage

KEY = "a" * 64


@pytest.fixture(params=["local", "object"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "local":
        return LocalStorage(tmp_path)
    return Storage(fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem()), "")


def claims(storage: Storage) -> list[str]:
    return [entry.path for entry in storage.listing(LEASES)]


def claim(storage: Storage, host: str, pid: int, started: str) -> str:
    path = f"{LEASES}/{KEY}.{'0' * 32}.json"
    content = json.dumps({"host": host, "pid": pid, "started": started})
    storage.write(path, content.encode())
    return path


def own_claim(storage: Storage) -> dict[str, object]:
    with hold(storage, KEY):
        (path,) = claims(storage)
        fields: dict[str, object] = json.loads(storage.read(path))
    return fields


def seconds_to_hold(storage: Storage, ttl: float = 60.0) -> float:
    start = time.monotonic()
    with hold(storage, KEY, ttl=ttl, beat=ttl / 10):
        return time.monotonic() - start


@contextmanager
def contender(storage: Storage, ttl: float = 60.0) -> Iterator[Event]:
    """A thread that wants the lease; yields an event that is set once it holds it."""
    held, leave = Event(), Event()

    def work() -> None:
        with hold(storage, KEY, ttl=ttl, beat=ttl / 10):
            held.set()
            leave.wait(20)

    thread = Thread(target=work)
    thread.start()
    yield held
    leave.set()
    thread.join()


def test_a_free_key_is_held_at_once_and_given_back(storage: Storage) -> None:
    with hold(storage, KEY):
        assert len(claims(storage)) == 1
    assert claims(storage) == []
    assert seconds_to_hold(storage) < 1


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_the_lease_is_given_back_on(storage: Storage, error: type[BaseException]) -> None:
    with pytest.raises(error), hold(storage, KEY):
        raise error
    assert claims(storage) == []


def test_a_second_thread_waits_for_the_first(storage: Storage) -> None:
    first = ExitStack()
    first.enter_context(hold(storage, KEY))
    with contender(storage) as held:
        assert not held.wait(0.3)
        with hold(storage, "b" * 64):
            assert not held.is_set()
        first.close()
        assert held.wait(5)


def test_a_renewed_claim_outlives_its_ttl(storage: Storage) -> None:
    first = ExitStack()
    first.enter_context(hold(storage, KEY, ttl=0.6, beat=0.05))
    with contender(storage, ttl=0.6) as held:
        assert not held.wait(1.5)
        first.close()
        assert held.wait(5)


def test_a_claim_of_another_machine_is_believed_for_its_ttl(storage: Storage) -> None:
    claim(storage, "elsewhere", os.getpid(), "1")
    assert 0.5 <= seconds_to_hold(storage, ttl=0.5) < 4
    assert claims(storage) == []


def test_a_damaged_claim_is_believed_for_its_ttl(storage: Storage) -> None:
    storage.write(claim(storage, this_host(), 1, ""), b"{torn")
    assert 0.5 <= seconds_to_hold(storage, ttl=0.5) < 4


def test_a_claim_of_an_earlier_process_with_this_number_is_dead(storage: Storage) -> None:
    mine = own_claim(storage)
    assert mine["pid"] == os.getpid()
    claim(storage, str(mine["host"]), os.getpid(), f"{mine['started']}0")
    assert seconds_to_hold(storage) < 1


def test_a_claim_of_this_very_process_is_alive(storage: Storage) -> None:
    mine = own_claim(storage)
    path = claim(storage, str(mine["host"]), os.getpid(), str(mine["started"]))
    with contender(storage) as held:
        assert not held.wait(0.5)
        storage.remove(path)
        assert held.wait(5)


class Overtaken(LocalStorage):
    """A rival raises its claim just before this contender, who looked already, raises its own."""

    rival = ""

    def write(self, path: str, content: bytes) -> None:
        if not self.rival:
            self.rival = f"{LEASES}/{KEY}.rival.json"
            super().write(self.rival, content)
        super().write(path, content)


def test_of_two_that_raise_at_once_one_withdraws(tmp_path: Path) -> None:
    storage = Overtaken(tmp_path)
    with contender(storage) as held:
        assert not held.wait(0.5)
        storage.remove(storage.rival)
        assert held.wait(5)


HOLDER = """
import sys, time
from orchestrator.store import Store
with Store(sys.argv[1]).lease(sys.argv[2]):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("reaped", [True, False])
def test_the_lease_of_a_killed_process_is_taken_over_at_once(tmp_path: Path, reaped: bool) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path), KEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        storage = LocalStorage(tmp_path)
        with contender(storage) as held:
            assert not held.wait(0.3)
            child.send_signal(signal.SIGKILL)
            if reaped:
                child.wait()
            assert held.wait(5)


COUNTER = """
import sys, time
from pathlib import Path
from orchestrator.store import Store
store, counter = Store(sys.argv[1]), Path(sys.argv[3])
for _ in range(10):
    with store.lease(sys.argv[2]):
        value = int(counter.read_text())
        time.sleep(0.005)
        counter.write_text(str(value + 1))
"""


def test_processes_exclude_each_other(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")
    command = [sys.executable, "-c", COUNTER, str(tmp_path / "store"), KEY, str(counter)]
    children = [subprocess.Popen(command) for _ in range(4)]
    assert [child.wait() for child in children] == [0] * 4
    assert counter.read_text() == "40"
    assert list((tmp_path / "store" / LEASES).iterdir()) == []


def test_threads_exclude_each_other(storage: Storage) -> None:
    values = [0]

    def work() -> None:
        for _ in range(5):
            with hold(storage, KEY):
                value = values[0]
                time.sleep(0.005)
                values[0] = value + 1

    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert values == [15]


def test_the_store_leases_keys_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a key"):
        Store(tmp_path).lease("../elsewhere")


def test_a_lease_in_a_bucket_excludes_others_until_it_is_given_back(bucket_uri: str) -> None:
    storage = open_storage(bucket_uri)
    with ExitStack() as stack:
        with hold(storage, KEY):
            held = stack.enter_context(contender(storage))
            assert not held.wait(0.5)
        assert held.wait(20)
        assert len(claims(storage)) == 1
    assert claims(storage) == []


def test_many_take_turns_in_a_bucket(bucket_uri: str) -> None:
    inside, most = [0], [0]

    def work() -> None:
        with hold(open_storage(bucket_uri), KEY):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.02)
            inside[0] -= 1

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, most) == ([0], [1])


def test_who_waits_is_asked_to_say_so(storage: Storage) -> None:
    told = []
    with hold(storage, KEY):

        def give_up() -> None:
            told.append(KEY)
            if len(told) == 3:
                raise TimeoutError

        with pytest.raises(TimeoutError), hold(storage, KEY, waiting=give_up):
            pass
    assert told == [KEY] * 3
    with hold(storage, KEY, waiting=give_up):
        assert told == [KEY] * 3
