"""Whole chains against a real store: what is made, what is recorded, and what is made but once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from orchestrator.store import Store
from workers.checkpoint import restore
from workers.contracts import (
    Chain,
    Checkpoint,
    Component,
    DataError,
    Event,
    Level,
    PermanentError,
    Runtime,
    Schedule,
    TaskCell,
    Training,
    evaluation_key,
)
from workers.data.digits import Digits
from workers.evaluation.predictions import Predictions, from_parquet
from workers.images.normalisation import normalise
from workers.models.resnet8 import ResNet8
from workers.pruning.prunable import count, prunable_weights
from workers.registry import DATA_SETS, MODELS
from workers.run import run_chain, site
from workers.training.device_data import DeviceData


def key(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def task(name: str, **options: Any) -> TaskCell:
    return TaskCell(key=key(f"{name} {options}"), label=name, task=Component(name, options))


NOMINAL, NOISE, CONTRAST = task("nominal"), task("uniform_input_noise", level=0.5), task("contrast")
TASKS = (NOMINAL, NOISE)
RECIPE = Training(epochs=1, batch_size=128, lr=0.1)
LADDER = (Level(key=key("one"), base=key("dense"), ratio=0.4),)
LADDER += (Level(key=key("two"), base=key("one"), ratio=0.7),)
DENSE = Chain(
    name="resnet8-digits/s0/dense",
    network="resnet8-digits",
    model=Component("resnet8", {"width": 4}),
    data=Component("digits"),
    fingerprint=Digits().fingerprint(Path()),
    seed=0,
    training=RECIPE,
    parent=key("dense"),
)
WT = replace(
    DENSE,
    name="resnet8-digits/s0/wt/cascade",
    waits_for=(DENSE.name,),
    method=Component("wt"),
    retraining=replace(RECIPE, lr=0.05),
    levels=LADDER,
)


def run(
    folder: Path, *chains: Chain, tasks: Sequence[TaskCell] = TASKS, **runtime: Any
) -> list[Event]:
    """Run chains in this process and return what they told."""
    events: list[Event] = []
    options = {"device": "cpu", "cache": folder / "cache"} | runtime
    for chain in chains:
        run_chain(chain, tasks, Store(folder), Runtime(**options), events.append)
    return events


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with both chains; tests read it."""
    folder = tmp_path_factory.mktemp("store")
    run(folder, DENSE, WT)
    return folder


def network(store: Store, key: str) -> torch.nn.Module:
    return restore(store.record(key)["network"], store.read(key, "weights.safetensors"))


def predictions(store: Store, network: str, tasks: Iterable[TaskCell] = TASKS) -> list[Predictions]:
    blob = store.read(evaluation_key(network, (t.key for t in tasks)), "predictions.parquet")
    return from_parquet(blob)


def objects(folder: Path) -> dict[str, int]:
    """Every committed file with the time at which it was written."""
    files = (p for p in (folder / "objects").rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in files}


def test_records_say_what_was_made_and_how(folder):
    store = Store(folder)
    parent, first, second = (store.record(k) for k in (key("dense"), key("one"), key("two")))
    shared = {"network", "fingerprint", "training", "loss", "seconds", "environment", "created"}
    for record in (parent, first, second):
        assert shared <= record.keys()
        assert (record["epochs"], len(record["loss"])) == (1, 1)
        assert record["network"]["model"] == {"name": "resnet8", "options": {"width": 4}}
        assert record["environment"]["threads"] == "1"
    assert (parent["kind"], parent["requested_ratio"], parent["achieved_ratio"]) == ("parent", 0, 0)
    assert [r["requested_ratio"] for r in (first, second)] == [0.4, 0.7]
    assert [r["base"] for r in (first, second)] == [key("dense"), key("one")]
    assert first["chain"] == WT.name
    assert first["training"]["lr"] == 0.05
    evaluation = store.record(evaluation_key(key("one"), [t.key for t in TASKS]))
    assert evaluation["network"] == key("one")
    assert evaluation["tasks"] == [t.key for t in TASKS]
    assert {"seconds", "environment", "created"} <= evaluation.keys()


@pytest.mark.parametrize("name", ["dense", "one", "two"])
def test_a_record_counts_the_stored_weights_exactly(folder, name):
    store = Store(folder)
    record, size = store.record(key(name)), count(network(store, key(name)))
    assert (record["parameters"], record["nonzero"]) == (size.parameters, size.nonzero)
    assert record["achieved_ratio"] == 1 - size.nonzero / size.parameters
    assert record["achieved_ratio"] == pytest.approx(record["requested_ratio"], rel=5e-3)
    assert record["within_tolerance"]
    assert record["within_tolerance"]


def test_masks_survive_retraining_and_kept_weights_learn(folder):
    store = Store(folder)
    made = [network(store, key(name)) for name in ("dense", "one", "two")]
    dense, first, second = (prunable_weights(m) for m in made)
    for name in first:
        assert not second[name][first[name] == 0].any()
        kept = second[name] != 0
        assert (second[name][kept] != first[name][kept]).float().mean() > 0.99
        assert (first[name][kept] != dense[name][kept]).float().mean() > 0.99


def test_what_is_predicted_is_what_the_stored_network_says(folder):
    store, test = Store(folder), Digits().load("test", Path())
    nominal, noisy = predictions(store, key("two"))
    assert [nominal.task, noisy.task] == [NOMINAL.key, NOISE.key]
    probability = softmax(network(store, key("two")))
    assert np.array_equal(nominal.label, test.labels)
    assert np.array_equal(nominal.predicted, probability.argmax(1))
    assert np.allclose(nominal.p_true, probability[range(len(test.labels)), test.labels], atol=1e-5)
    assert (noisy.predicted != nominal.predicted).any()


def softmax(made: torch.nn.Module) -> np.ndarray:
    """Predict the clean test digits in float32."""
    data = DeviceData(Digits(), Path(), torch.device("cpu"), RECIPE.batch_size)
    pixels = torch.from_numpy(Digits().load("test", Path()).pixels)
    with torch.no_grad():
        return made.eval()(normalise(pixels, data.mean, data.std)).softmax(1).numpy()


def test_events_tell_every_epoch_network_and_evaluation(tmp_path):
    events = run(tmp_path, DENSE, WT)
    trained = [("epoch", 0, 1), ("epoch", 1, 1), ("network", 0, 0)]
    one = [*trained, ("cells", 1, 2), ("cells", 2, 2)]
    assert len(TASKS) == 2
    assert [(e.kind, e.done, e.total) for e in events] == one * 3
    assert [e.level for e in events] == [0] * 5 + [1] * 5 + [2] * 5
    assert [e.chain for e in events] == [DENSE.name] * 5 + [WT.name] * 10
    assert events[1].detail.startswith("loss ")


def test_the_last_cell_is_told_when_all_are_committed(tmp_path):
    store, told = Store(tmp_path), []

    def report(event: Event) -> None:
        if event.kind == "cells":
            told.append((event.done, len(store.evaluated(key("dense")))))

    run_chain(DENSE, TASKS, store, Runtime(device="cpu", cache=tmp_path / "cache"), report)
    assert told == [(1, 0), (2, 2)]


def test_a_second_run_does_nothing(folder):
    before = objects(folder)
    assert run(folder, DENSE, WT) == []
    assert objects(folder) == before


def test_the_same_chains_give_the_same_bits(folder, tmp_path):
    run(tmp_path, DENSE, WT)
    for name in ("dense", "one", "two"):
        stores = Store(folder), Store(tmp_path)
        weights = [store.read(key(name), "weights.safetensors") for store in stores]
        assert weights[0] == weights[1]
        evaluation = evaluation_key(key(name), [t.key for t in TASKS])
        blobs = [store.read(evaluation, "predictions.parquet") for store in stores]
        assert blobs[0] == blobs[1]


def test_a_task_that_is_missing_is_evaluated_alone(tmp_path):
    run(tmp_path, DENSE)
    before = objects(tmp_path)
    events = run(tmp_path, DENSE, tasks=(*TASKS, CONTRAST))
    assert [e.kind for e in events] == ["cells"]
    assert before.items() <= objects(tmp_path).items()
    assert Store(tmp_path).evaluated(key("dense")) == {NOMINAL.key, NOISE.key, CONTRAST.key}
    (added,) = predictions(Store(tmp_path), key("dense"), [CONTRAST])
    assert added.task == CONTRAST.key


def test_attacks_members_and_outliers_are_evaluated_with_the_rest(folder, tmp_path):
    attack, members = task("pgd", epsilon=0.2), task("training_images", count=30)
    suite = (NOMINAL, attack, members, task("outliers", data="digits"))
    run(tmp_path, DENSE, tasks=suite)
    store, data = Store(tmp_path), DeviceData(Digits(), Path(), torch.device("cpu"), 128)
    clean, attacked, known, foreign = predictions(store, key("dense"), suite)
    assert np.array_equal(clean.p_true, predictions(Store(folder), key("dense"))[0].p_true)
    assert attacked.p_true.mean() < clean.p_true.mean()
    assert np.array_equal(known.label, data.fit.labels[:30])
    # Foreign in name alone, so that all but the labels is known.
    assert np.array_equal(foreign.energy, clean.energy)
    assert set(foreign.label) == {-1}
    weights = [network(one, key("dense")).state_dict() for one in (store, Store(folder))]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_one_shot_shares_its_first_level_with_the_cascade(folder, tmp_path):
    """The second level prunes the parent again, and differs."""
    second = Level(key=key("two, at once"), base=key("dense"), ratio=0.7)
    one_shot = replace(WT, name="resnet8-digits/s0/wt/one_shot", levels=(LADDER[0], second))
    run(tmp_path, DENSE, one_shot)
    cascade, alone = Store(folder), Store(tmp_path)
    weights = [store.read(key("one"), "weights.safetensors") for store in (cascade, alone)]
    assert weights[0] == weights[1]
    sizes = [count(network(*at)).nonzero for at in ((alone, second.key), (cascade, key("two")))]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.01)
    assert alone.record(second.key)["base"] == key("dense")


def test_compress_only_steps_are_pruned_on_the_way(tmp_path):
    level = Level(key=key("stepped"), base=key("dense"), ratio=0.7, steps=(0.2, 0.4))
    events = run(tmp_path, DENSE, replace(WT, levels=(level,)))
    assert sum(e.kind == "epoch" and e.done > 0 for e in events) == 2
    assert Store(tmp_path).record(level.key)["achieved_ratio"] == pytest.approx(0.7, abs=2e-3)


def weights_of(store: Store, name: str) -> dict[str, torch.Tensor]:
    return load(store.read(name, "weights.safetensors"))


LONG = replace(RECIPE, epochs=3, batch_size=64)
EARLY = Checkpoint(key=key("early"), epoch=1)
LONG_DENSE = replace(DENSE, training=LONG, checkpoints=(EARLY,))
REWOUND = replace(
    WT,
    training=LONG,
    retraining=LONG,
    schedule=Schedule(retraining="weight_rewinding", epoch=1),
    rewinds_to=EARLY,
    levels=LADDER[:1],
)


@pytest.fixture(scope="module")
def rewound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a parent, its checkpoint and a level that goes back to it."""
    folder = tmp_path_factory.mktemp("rewound")
    run(folder, LONG_DENSE, REWOUND)
    return folder


def test_a_checkpoint_is_the_parent_on_its_way(rewound, tmp_path):
    """The parent goes on from it to the same bits, and it can be made up for later."""
    run(tmp_path, replace(LONG_DENSE, checkpoints=()))
    run(tmp_path, LONG_DENSE)
    one, two = Store(rewound), Store(tmp_path)
    for name in (key("dense"), EARLY.key):
        first, second = weights_of(one, name), weights_of(two, name)
        assert all(torch.equal(first[n], second[n]) for n in first)
    assert one.record(EARLY.key)["kind"] == "checkpoint"
    assert len(one.record(EARLY.key)["loss"]) == 1
    assert one.record(EARLY.key)["loss"] == one.record(key("dense"))["loss"][:1]
    assert not one.evaluated(EARLY.key)
    assert not list((tmp_path / "scratch").rglob("*.safetensors"))


def test_rewound_weights_train_from_the_checkpoint_for_the_epochs_that_are_left(rewound):
    store = Store(rewound)
    record = store.record(LADDER[0].key)
    assert (record["epochs"], record["schedule"]) == (2, "cascade-rewind-1")
    # Its mask is that of the trained parent, by magnitude.
    dense, level = weights_of(store, key("dense")), weights_of(store, LADDER[0].key)
    names = prunable_weights(network(store, key("dense")))
    gone = torch.cat([dense[n][level[n] == 0].abs() for n in names])
    kept = torch.cat([dense[n][level[n] != 0].abs() for n in names])
    # All but what went with a filter without effect is below all that is kept.
    assert gone.quantile(0.9) <= kept.min()
    assert kept.median() > 2 * gone.median()


def test_from_scratch_keeps_the_mask_and_nothing_else(folder, tmp_path):
    scratch = Level(key=key("scratch"), base=key("dense"), ratio=0.4)
    chain = replace(WT, schedule=Schedule(retraining="scratch"), levels=(scratch,))
    run(tmp_path, DENSE, chain)
    made, kept = weights_of(Store(tmp_path), scratch.key), weights_of(Store(folder), key("one"))
    dense = weights_of(Store(folder), key("dense"))
    for name in prunable_weights(network(Store(folder), key("dense"))):
        assert torch.equal(made[name] == 0, kept[name] == 0)
    near = torch.corrcoef(
        torch.stack([made["conv.weight"].flatten(), dense["conv.weight"].flatten()])
    )
    assert abs(float(near[0, 1])) < 0.5


def test_a_control_is_retrained_whole_and_recorded_at_the_ratio_asked_for(tmp_path):
    control = Level(key=key("control"), base=key("dense"), ratio=0.4)
    run(tmp_path, DENSE, replace(WT, method=Component("reference"), levels=(control,)))
    record = Store(tmp_path).record(control.key)
    assert (record["achieved_ratio"], record["within_tolerance"]) == (0.4, True)
    assert record["nonzero"] == record["parameters"]


@pytest.mark.parametrize("method", ["sipp", "pfp", "snip", "thinet", "ft"])
def test_every_method_walks_a_chain(tmp_path, method):
    level = Level(key=key(method), base=key("dense"), ratio=0.5)
    run(tmp_path, DENSE, replace(WT, method=Component(method), levels=(level,)))
    record = Store(tmp_path).record(level.key)
    assert record["achieved_ratio"] == pytest.approx(0.5, abs=0.06)
    # All that is held out, a tenth of 1,078 images, because that is less than a batch.
    assert record["samples"] == 108


def test_the_latest_release_takes_fewer_samples(tmp_path):
    level = Level(key=key("latest"), base=key("dense"), ratio=0.5)
    chains = (replace(DENSE, parity="latest"), replace(WT, parity="latest", levels=(level,)))
    run(tmp_path, *chains)
    assert Store(tmp_path).record(level.key)["samples"] == 54  # half of 108


def test_a_chain_that_diverges_commits_nothing(tmp_path):
    with pytest.raises(PermanentError, match=r"diverged in epoch 1 of 1 .*lower 'lr'"):
        run(tmp_path, replace(DENSE, training=replace(RECIPE, lr=1e30)))
    assert not list(Store(tmp_path).keys())


def test_data_that_changed_since_the_plan_are_refused(tmp_path):
    with pytest.raises(DataError, match="not those that the sweep was planned with"):
        run(tmp_path, replace(DENSE, fingerprint=key("other data")))
    assert not list(Store(tmp_path).keys())


def test_only_the_dense_parent_starts_from_published_weights(tmp_path, monkeypatch):
    started: list[torch.nn.Module] = []
    monkeypatch.setattr(ResNet8, "load_published", lambda self, network: started.append(network))
    run(tmp_path, DENSE, WT)
    assert len(started) == 1


def test_published_weights_are_what_training_starts_from(tmp_path, monkeypatch):
    published = MODELS.create(DENSE.model).build(channels=1, classes=10).state_dict()
    monkeypatch.setattr(
        ResNet8, "load_published", lambda self, network: network.load_state_dict(published)
    )
    run(tmp_path, replace(DENSE, training=replace(RECIPE, epochs=0)))
    stored = load(Store(tmp_path).read(key("dense"), "weights.safetensors"))
    assert all(torch.equal(stored[name], tensor) for name, tensor in published.items())


def test_bf16_trains_networks_that_are_stored_and_evaluated_in_float32(tmp_path):
    chain = replace(DENSE, training=replace(RECIPE, precision="bf16"))
    run(tmp_path, chain)
    store = Store(tmp_path)
    weights = load(store.read(key("dense"), "weights.safetensors"))
    assert {w.dtype for w in weights.values() if w.is_floating_point()} == {torch.float32}
    test = Digits().load("test", Path())
    probability = softmax(network(store, key("dense")))[range(len(test.labels)), test.labels]
    nominal, _ = predictions(store, key("dense"))
    assert np.allclose(nominal.p_true, probability, atol=1e-5)  # bfloat16 would miss by 1e-3
    evaluation = evaluation_key(key("dense"), [t.key for t in TASKS])
    before = store.read(evaluation, "predictions.parquet")
    store.discard(evaluation)
    run(tmp_path, chain)
    assert store.read(evaluation, "predictions.parquet") == before


EMPTY = save({"losses": torch.empty(0)})
CHILD = """
import json, sys
from pathlib import Path
import test_run
from workers.contracts import Training
folder, training = Path(sys.argv[1]), Training(**json.loads(sys.argv[2]))
chain = test_run.replace(test_run.DENSE, training=training)
for event in test_run.run(folder, chain, checkpoint_seconds=0.0):
    print(event.kind, flush=True)
"""


def child(folder: Path, **training: Any) -> subprocess.Popen[str]:
    """Run the dense chain in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), json.dumps(training)],
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


@pytest.mark.slow
def test_a_killed_training_continues_from_its_checkpoint_to_the_same_bits(tmp_path):
    recipe = {"epochs": 60, "batch_size": 64, "lr": 0.05, "crop": 1, "flip": True}
    chain = replace(DENSE, training=Training(**recipe))
    killed, undisturbed = tmp_path / "killed", tmp_path / "undisturbed"
    process = child(killed, **recipe)
    scratch = Store(killed).scratch(key("dense"))
    wait_for(lambda: len(load(scratch.read() or EMPTY)["losses"]) >= 5)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not Store(killed).has(key("dense"))
    begins, *epochs = [e.done for e in run(killed, chain) if e.kind == "epoch"]
    assert begins == 0
    assert 5 < epochs[0] <= 60
    assert epochs == list(range(epochs[0], 61))
    run(undisturbed, chain)
    stores = Store(killed), Store(undisturbed)
    weights = [store.read(key("dense"), "weights.safetensors") for store in stores]
    assert weights[0] == weights[1]
    records = [store.record(key("dense")) for store in stores]
    assert records[0]["loss"] == records[1]["loss"]
    assert scratch.read() is None


@pytest.mark.slow
def test_two_processes_do_the_work_of_one_chain_once(tmp_path):
    processes = [child(tmp_path, epochs=5) for _ in range(2)]
    told = [process.communicate(timeout=120)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    worked = [kind for kind in told[0] + told[1] if kind != "waiting"]
    assert sorted(worked) == sorted(["epoch"] * 6 + ["network"] + ["cells"] * 2)
    assert len(list(Store(tmp_path).keys())) == 2


def test_a_chain_that_waits_for_another_sweep_says_so(tmp_path):
    events: list[Event] = []
    store = Store(tmp_path)
    lease = store.lease(key("dense"))
    lease.__enter__()

    def report(event: Event) -> None:
        events.append(event)
        if event.kind == "waiting" and len(events) == 2:
            lease.__exit__(None, None, None)

    run_chain(DENSE, TASKS, store, Runtime(device="cpu", cache=tmp_path / "cache"), report)
    kinds = [event.kind for event in events]
    assert kinds[:2] == ["waiting", "waiting"]
    assert kinds[-1] == "cells"


@dataclass(frozen=True, kw_only=True)
class Careless(Digits):
    """A data set that seeds the generators of its process."""

    def load(self, split, root):
        torch.manual_seed(0)
        return super().load(split, root)


def test_data_that_touch_the_generators_change_no_seed(tmp_path, monkeypatch):
    monkeypatch.setattr(DATA_SETS, "create", lambda component: Careless())
    first, second = (replace(DENSE, parent=key(name), seed=s) for s, name in enumerate("ab"))
    run(tmp_path / "cold", first)
    site._WARM.clear()
    run(tmp_path / "cold", second)
    run(tmp_path / "warm", first, second)
    cold, warm = Store(tmp_path / "cold"), Store(tmp_path / "warm")
    one, two = weights_of(cold, key("a")), weights_of(cold, key("b"))
    assert not torch.equal(one["conv.weight"], two["conv.weight"])
    for name in "ab":
        again = weights_of(warm, key(name))
        assert all(torch.equal(t, again[n]) for n, t in weights_of(cold, key(name)).items())
