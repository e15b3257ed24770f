"""Measures within a chain: when they run, what they are given, what is committed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from orchestrator.execution.executor import LocalExecutor
from orchestrator.store import Store
from tests.workers.test_run import DENSE, LADDER, TASKS, WT, key, run
from workers.contracts import (
    Chain,
    Component,
    Event,
    Measure,
    MeasureCell,
    MissingNetworkError,
    PermanentError,
    Probe,
    Reading,
    Report,
    Runtime,
    Subject,
    TaskCell,
)
from workers.evaluation.readings import READINGS, from_parquet, to_parquet
from workers.run import run_chain


@dataclass(frozen=True, kw_only=True)
class Looked(Measure):
    """Reads what it is given: one reading of every kind for each network."""

    images: int = 5

    def measure(self, subjects: tuple[Subject, ...], probe: Probe) -> list[Reading]:
        """Sum the weights, the pixels and one draw."""
        pixels, labels = probe.test_images(self.images)
        assert pixels.shape == (self.images, 1, 8, 8)
        assert labels.shape == (self.images,)
        draw = float(torch.rand((), generator=probe.generator))
        readings = []
        for place, subject in enumerate(subjects):
            network = probe.network(subject)
            assert not network.training
            nonzero = sum(int(p.count_nonzero()) for p in network.parameters())
            readings.append(Reading(subject=place, quantity=subject.role, value=nonzero))
        seen = float(pixels.double().sum())
        return [*readings, Reading(subject=0, quantity="seen", value=seen, at=draw)]


SEPARATE = replace(DENSE, name="resnet8-digits/s1/dense", seed=1, parent=key("other"))
LOOKED = Component(f"{__name__}:Looked", {"images": 7})
CELL = MeasureCell(key=key("looked"), label="looked-7", measure=LOOKED)
MEASURED = replace(WT, measures=(CELL,), separate=SEPARATE.parent)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measures")
    run(folder, DENSE, SEPARATE, MEASURED)
    return folder


def readings(folder: Path, cell: MeasureCell = CELL) -> list[Reading]:
    return from_parquet(Store(folder).read(cell.key, READINGS))


def seen(made: list[Reading]) -> tuple[float, float]:
    """Return the sum of the pixels, and the draw."""
    return made[-1].value, made[-1].at


def test_a_measure_sees_the_parent_the_levels_and_the_separate_network(folder):
    store = Store(folder)
    *networks, _ = readings(folder)
    keys = [key(name) for name in ("dense", "one", "two", "other")]
    assert [one.quantity for one in networks] == ["parent", "pruned", "pruned", "separate"]
    assert [one.value for one in networks] == [store.record(k)["nonzero"] for k in keys]
    assert store.record(CELL.key)["subjects"] == keys
    assert store.record(CELL.key)["kind"] == "measure"


def test_another_chain_on_the_same_data_sees_the_same_images_and_draws(folder):
    other = replace(CELL, key=key("again"))
    chain = replace(MEASURED, measures=(other,), levels=MEASURED.levels[:1], separate="")
    assert [event.kind for event in run(folder, chain)] == ["measure"]
    again = readings(folder, other)
    assert seen(again) == seen(readings(folder))
    assert [one.quantity for one in again[:-1]] == ["parent", "pruned"]


def test_what_is_measured_is_not_measured_again(folder):
    assert run(folder, MEASURED) == []


def test_readings_survive_their_file():
    made = [
        Reading(subject=1, quantity="a", value=0.1, against=0, part="conv", at=0.05, spread=2.0),
    ]
    assert from_parquet(to_parquet(made)) == made
    assert from_parquet(to_parquet([])) == []


def test_the_label_of_a_measure_does_not_change_what_it_finds(folder):
    other = replace(CELL, key=key("relabelled"), label="looked")
    run(folder, replace(MEASURED, measures=(other,)))
    assert seen(readings(folder, other)) == seen(readings(folder))


@dataclass(frozen=True, kw_only=True)
class Refused(Measure):
    """Suits no network."""

    def measure(self, subjects: tuple[Subject, ...], probe: Probe) -> list[Reading]:
        """Refuse."""
        raise PermanentError("needs another network")


def test_a_measure_that_does_not_suit_keeps_no_other_from_its_numbers(folder):
    unsuited = MeasureCell(
        key=key("refused"), label="refused", measure=Component(f"{__name__}:Refused")
    )
    suited = replace(CELL, key=key("after it"))
    with pytest.raises(PermanentError, match="needs another network"):
        run(folder, replace(MEASURED, measures=(unsuited, suited)))
    assert readings(folder, suited)
    assert not Store(folder).has(unsuited.key)


def test_measures_wait_for_a_seed_that_failed_and_are_all_that_is_done_later(tmp_path):
    store, runtime = Store(tmp_path), Runtime(device="cpu", cache=tmp_path / "cache")
    failing = replace(SEPARATE, fingerprint="other data")
    waits_for = (DENSE.name, SEPARATE.name)
    chain = replace(MEASURED, waits_for=waits_for, levels=LADDER[:1])
    events: list[Event] = []

    def trial(chain: Chain, tasks: Sequence[TaskCell], report: Report) -> None:
        run_chain(chain, tasks, store, runtime, report)

    def attempt(separate: Chain) -> dict[str, str]:
        events.clear()
        chains = [DENSE, separate, chain]
        return dict(LocalExecutor(trial).run(chains, TASKS, (), events.append).failed)

    for _ in range(2):
        failed = attempt(failing)
        assert failed.keys() == {SEPARATE.name, chain.name}
        assert failed[chain.name].startswith(
            "measures wait for network resnet8-digits, seed 1, which failed: DataError: the data of"
        )
        assert all(store.evaluated(level.key) for level in chain.levels)
        assert not store.has(CELL.key)
    assert [event.kind for event in events if event.chain == chain.name] == ["start", "failed"]
    assert attempt(SEPARATE) == {}
    told = [event.kind for event in events if event.chain == chain.name]
    assert told == ["start", "measure", "finished"]


def test_without_the_separate_network_there_is_no_comparison(folder):
    alone = replace(MEASURED, measures=(replace(CELL, key=key("alone")),), separate=key("nowhere"))
    with pytest.raises(MissingNetworkError, match="of another seed, which is not there"):
        run(folder, alone)
