"""What the store costs on object storage, in requests: each of them is paid for, and waited for."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from orchestrator.plan import make_plan
from orchestrator.plan.state import compare
from orchestrator.spec.loading import load_sweep
from orchestrator.store import Store
from orchestrator.store.verify import plan_gc, verify
from workers.contracts import evaluation_key

TASKS = ["t1", "t2", "t3"]


def key(number: object) -> str:
    return sha256(str(number).encode()).hexdigest()


def put_evaluation(store: Store, network: str, tasks: list[str]) -> str:
    name = evaluation_key(network, tasks)
    store.put(name, {"network": network, "tasks": tasks}, {"predictions.parquet": b"rows"})
    return name


@pytest.fixture
def store(bucket_uri: str) -> Store:
    """A store that is marked with its format already."""
    opened = Store(bucket_uri)
    opened.put(key("first"), {}, {})
    return opened


def hold(store: Store) -> None:
    with store.lease(key("held")):
        pass


def evaluate(store: Store) -> None:
    """Commit all cells of a network, in the steps of a worker."""
    network = key("first")
    store.evaluated(network)
    with store.lease(network):
        store.evaluated(network)
        put_evaluation(store, network, TASKS)


OPERATIONS: dict[str, tuple[Callable[[Store], Any], dict[str, int]]] = {
    "open": (lambda store: Store(store.location), {"HEAD": 2, "GET": 1}),
    "has": (lambda store: store.has(key(0)), {"LIST": 1}),
    "has not": (lambda store: store.has(key(1)), {"LIST": 1}),
    "put": (lambda store: store.put(key(1), {}, {"w": b"x"}), {"LIST": 1, "PUT": 2, "HEAD": 1}),
    "put the cells of a network": (
        lambda store: put_evaluation(store, key(0), ["t4"]),
        {"LIST": 1, "PUT": 2, "HEAD": 1},
    ),
    "evaluate a network": (evaluate, {"LIST": 5, "PUT": 4, "HEAD": 2, "DELETE": 1}),
    "put again": (lambda store: store.put(key(0), {}, {"w": b"x"}), {"LIST": 1, "HEAD": 1}),
    "lease": (hold, {"LIST": 2, "PUT": 2, "HEAD": 1, "DELETE": 1}),
    "record": (lambda store: store.record(key(0)), {"HEAD": 1, "GET": 1}),
    "read": (lambda store: store.read(key(0), "w"), {"HEAD": 2, "GET": 2}),
    "evaluated": (lambda store: store.evaluated(key(0)), {"LIST": 1, "HEAD": 1, "GET": 1}),
    "index": (lambda store: store.index(), {"LIST": 1}),
    "verify 3 objects": (lambda store: verify(store), {"LIST": 1, "HEAD": 5, "GET": 5}),
    "plan gc of 3 objects": (lambda store: plan_gc(store, frozenset()), {"LIST": 5}),
    "write scratch": (lambda store: store.scratch(key(2)).write(b"epoch"), {"PUT": 1}),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_requests_of(name: str, store: Store, s3: Any) -> None:
    operation, expected = OPERATIONS[name]
    store.put(key(0), {}, {"w": b"x"})
    put_evaluation(store, key(0), TASKS)
    with s3.counted() as counts:
        operation(store)
    assert counts == expected


def test_the_table_in_the_documents() -> None:
    text = (Path(__file__).parents[2] / "docs" / "storage.md").read_text()
    header, _, *lines = text.partition("| operation |")[2].partition("\n\n")[0].splitlines()
    kinds = [kind.strip() for kind in header.strip(" |").split("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    told = {
        name: {kind: int(number) for kind, number in zip(kinds, numbers, strict=True) if number}
        for name, *numbers in rows
    }
    assert told == {name: expected for name, (_, expected) in OPERATIONS.items()}


def test_a_large_file_is_written_in_parts_and_read_in_one_request(store: Store, s3: Any) -> None:
    content = bytes(range(256)) * 120_000
    with s3.counted() as counts:
        store.put(key(0), {}, {"weights": content})
    assert counts == {"LIST": 1, "POST": 2, "PUT": 3 + 1, "HEAD": 1}
    with s3.counted() as counts:
        assert store.read(key(0), "weights") == content
    assert counts == {"HEAD": 2, "GET": 2}


@pytest.mark.parametrize("seeds", [[0], [0, 1, 2, 3]])
def test_a_finished_sweep_is_planned_again_in_one_listing(
    tiny: Callable[..., Path], bucket_uri: str, s3: Any, seeds: list[int]
) -> None:
    file = tiny(store=bucket_uri, seeds=seeds)
    plan, store = make_plan(load_sweep(file)), Store(bucket_uri)
    for network in {network for chain in plan.chains for network in chain.networks}:
        store.put(network, {}, {"weights": b"x"})
        put_evaluation(store, network, list(plan.task_keys))
    with s3.counted() as counts:
        total = compare(plan, store).total
    assert (total.cells, total.missing("cells")) == (len(seeds) * 5 * 3, 0)
    assert counts == {"LIST": 1}


def test_what_a_set_of_tasks_is_asked_for_once_however_many_networks(store: Store, s3: Any) -> None:
    evaluations = [put_evaluation(store, key(number), TASKS) for number in range(8)]
    evaluations += [put_evaluation(store, key(number), ["t4"]) for number in range(8)]
    with s3.counted() as counts:
        found = [store.tasks_of(evaluations[number::8]) for number in range(8)]
    assert found == [{*TASKS, "t4"}] * 8
    assert counts == {"HEAD": 2, "GET": 2}


def test_the_index_needs_a_listing_for_every_thousand_files(store: Store, s3: Any) -> None:
    bucket, _, root = store.storage.root.partition("/")
    for number in range(1_200):  # past the socket, which would take half a minute
        s3.place(bucket, f"{root}/objects/{key(number)[:2]}/{key(number)}/record.json", b"{}")
    with s3.counted() as counts:
        assert len(store.index().networks) == 1_201
    assert counts == {"LIST": 2}
