"""Object storage that fails: what passes is waited out, the rest is told at once."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from threading import Barrier
from typing import Any

import pytest

from orchestrator.store import Store, StoreError
from orchestrator.store.errors import RefusedStoreError, StoreFullError, UnreachableStoreError
from orchestrator.store.patience import Patience
from orchestrator.store.verify import verify
from workers.contracts import PermanentError

KEY = sha256(b"1").hexdigest()
FILES = {"weights": b"w" * 1000}


def error(status: str, code: str) -> tuple[str, bytes]:
    return status, f"<Error><Code>{code}</Code><Message>told</Message></Error>".encode()


def first(count: int, answer: tuple[str, bytes]) -> Any:
    """Answer the first requests so."""
    left = [answer] * count
    return lambda kind: left.pop() if left else None


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("503 Slow Down", "SlowDown"),
        ("503 Service Unavailable", "ServiceUnavailable"),
        ("500 Internal Server Error", "InternalError"),
        ("502 Bad Gateway", "x"),
        ("429 Too Many Requests", "TooManyRequests"),
    ],
)
def test_a_busy_server_is_asked_again(s3: Any, bucket_uri: str, status: str, code: str) -> None:
    store = Store(bucket_uri)
    s3.failure = first(2, error(status, code))
    store.put(KEY, {"n": 1}, FILES)
    s3.failure = first(2, error(status, code))
    assert store.read(KEY, "weights") == FILES["weights"]
    s3.failure = first(2, error(status, code))
    store.discard(KEY)
    assert not store.has(KEY)


def test_a_server_that_goes_away_for_a_while_is_waited_for(s3: Any, bucket_uri: str) -> None:
    store = Store(bucket_uri)
    with s3.away_for(1.0):
        start = time.monotonic()
        store.put(KEY, {"n": 1}, FILES)
        waited = time.monotonic() - start
    assert waited >= 0.9
    assert store.read(KEY, "weights") == FILES["weights"]
    with s3.away_for(0.5):
        assert Store(bucket_uri).record(KEY)["n"] == 1


def test_a_server_that_stays_away_is_given_up_with_what_to_do(s3: Any, bucket_uri: str) -> None:
    store = Store(bucket_uri.replace("retry_seconds=20", "retry_seconds=0.3"))
    s3.stop()
    try:
        start = time.monotonic()
        with pytest.raises(UnreachableStoreError) as caught:
            store.put(KEY, {}, FILES)
        assert time.monotonic() - start < 5
    finally:
        s3.start()
    message = str(caught.value)
    assert message.startswith(f"the store s3://{store.storage.root} at http://127.0.0.1:{s3.port} ")
    assert "could not be reached for 0.3 seconds" in message
    assert message.endswith("run the same command again once it answers")
    assert isinstance(caught.value, OSError)
    assert not isinstance(caught.value, PermanentError)
    assert not store.has(KEY)
    store.put(KEY, {}, FILES)
    assert store.has(KEY)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_an_upload_that_breaks_off_is_not_committed(s3: Any, bucket_uri: str, after: int) -> None:
    store = Store(bucket_uri.replace("retry_seconds=20", "retry_seconds=0"))
    uploads = []

    def failure(kind: str) -> tuple[str, bytes] | None:
        uploads.extend([kind] * (kind == "PUT"))
        return error("503 Slow Down", "SlowDown") if len(uploads) > after else None

    s3.failure = failure
    with pytest.raises(UnreachableStoreError, match="SLOW_DOWN"):
        store.put(KEY, {}, FILES)
    s3.failure = lambda kind: None
    assert not store.has(KEY)
    assert list(store.keys()) == []


def test_an_empty_marker_is_no_commit(s3: Any, bucket_uri: str) -> None:
    store = Store(bucket_uri)
    store.storage.write(f"objects/{KEY[:2]}/{KEY}/record.json", b"")
    assert not store.has(KEY)
    assert list(store.keys()) == []
    store.put(KEY, {"n": 1}, FILES)
    assert store.record(KEY)["n"] == 1


def test_a_refusal_is_told_at_once_and_without_credentials(
    s3: Any, bucket_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(bucket_uri)
    s3.failure = lambda kind: error("403 Forbidden", "SignatureDoesNotMatch")
    with s3.counted() as counts, pytest.raises(RefusedStoreError) as caught:
        store.put(KEY, {}, FILES)
    assert sum(counts.values()) == 1
    message = str(caught.value)
    assert "SIGNATURE_DOES_NOT_MATCH" in message
    assert "check the bucket, the endpoint, the region, and AWS_ACCESS_KEY_ID" in message
    assert not [secret for secret in ("an-access-key", "a-secret-key") if secret in message]
    assert isinstance(caught.value, PermanentError)


def test_a_server_without_room_says_so(s3: Any, bucket_uri: str) -> None:
    store = Store(bucket_uri)
    s3.failure = lambda kind: (
        error("507 Insufficient Storage", "XMinioStorageFull") if kind == "PUT" else None
    )
    with pytest.raises(StoreFullError, match="make room and run the same command again"):
        store.put(KEY, {}, FILES)
    s3.failure = lambda kind: None
    assert not store.has(KEY)


def test_a_missing_bucket_is_told_when_the_store_is_opened(s3: Any, bucket_uri: str) -> None:
    bucket = bucket_uri.removeprefix("s3://").partition("/")[0]
    with pytest.raises(StoreError, match="there is no bucket for the store s3://nowhere/a/store"):
        Store(bucket_uri.replace(bucket, "nowhere"))


def test_a_lease_outlives_a_server_that_is_away_when_it_is_given_back(
    s3: Any, bucket_uri: str
) -> None:
    store = Store(bucket_uri.replace("retry_seconds=20", "retry_seconds=0"))
    with store.lease(KEY):
        store.put(KEY, {}, FILES)
        s3.failure = lambda kind: error("503 Slow Down", "SlowDown")
    s3.failure = lambda kind: None
    assert store.has(KEY)


def test_a_server_that_never_answers_is_given_up(
    bucket_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.store.s3_storage.SILENCE_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"s3://results/a?endpoint_override=http://127.0.0.1:{silent.getsockname()[1]}"
        start = time.monotonic()
        with pytest.raises(UnreachableStoreError, match="Timeout was reached"):
            Store(f"{uri}&retry_seconds=0")
        assert time.monotonic() - start < 15


def test_two_writers_of_one_key_without_a_lease_leave_one_whole_object(bucket_uri: str) -> None:
    stores = [Store(bucket_uri) for _ in range(4)]
    start = Barrier(len(stores))

    def write(number: int) -> None:
        start.wait()
        content = {name: bytes([number]) * 1000 for name in "abc"}
        stores[number].put(KEY, {"who": number}, content)

    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(write, range(len(stores))))
    store = Store(bucket_uri)
    who = store.record(KEY)["who"]
    assert {store.read(KEY, name) for name in "abc"} == {bytes([who]) * 1000}
    assert verify(store) == []


def test_waiting_grows_and_ends_and_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now, waits = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    monkeypatch.setattr("orchestrator.store.patience.time.sleep", sleep)
    monkeypatch.setattr("orchestrator.store.patience.time.monotonic", lambda: now[0])
    monkeypatch.setattr("orchestrator.store.patience.random.uniform", lambda low, high: high)

    def fail() -> None:
        raise OSError("AWS Error NETWORK_CONNECTION during HeadObject operation")

    with pytest.raises(UnreachableStoreError, match="for 60 seconds"):
        Patience("s3://results", 60)(fail)
    assert waits[:8] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert 55 <= sum(waits) <= 60
    assert caplog.messages == [
        "the store s3://results does not serve (NETWORK_CONNECTION during HeadObject operation); "
        "trying again"
    ]
