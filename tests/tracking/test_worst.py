"""The worst tasks in the description of a sweep's run."""

from __future__ import annotations

from math import nan
from pathlib import Path

from orchestrator.tracking.network import Network
from orchestrator.tracking.worst import worst_note
from tests.tracking.memory import MemoryStore, View, commit_all, dense, plan_of, pruned, publish
from workers.contracts import Chain

PARENT = {"nominal": 0.9, "fog-3": 0.8, "snow-3": 0.8, "contrast-3": 0.7}
Judged = tuple[Chain, Network, list[Network]]


def network(ratio: float, **accuracies: float) -> Network:
    record = {"requested_ratio": ratio, "achieved_ratio": ratio, "created": 1.0}
    told = {name.replace("_", "-"): value for name, value in accuracies.items()}
    return Network(f"key-{ratio}", record, told)


def judged(method: str, *networks: Network, seed: int = 0) -> Judged:
    parent = Network("parent", {"requested_ratio": 0.0}, PARENT)
    return pruned(dense(seed), method), parent, list(networks)


def rows(*chains: Judged, margin: float = 0.01) -> list[str]:
    return [line for line in worst_note(chains, margin).splitlines() if line.startswith("| ")][1:]


def test_each_family_has_its_worst_task_at_the_largest_harmless_ratio() -> None:
    wt = judged(
        "wt",
        network(0.5, nominal=0.9, fog_3=0.79, snow_3=0.75, contrast_3=0.7),
        network(0.75, nominal=0.895, fog_3=0.7, snow_3=0.75, contrast_3=0.68),
        network(0.9, nominal=0.5, fog_3=0.1, snow_3=0.1, contrast_3=0.1),
    )
    ft = judged("ft", network(0.5, nominal=0.9, fog_3=0.79, snow_3=0.79, contrast_3=0.5))
    assert rows(wt, ft) == [
        "| digital | `contrast-3` | 20.0 points | net ft cascade at 0.5 |",
        "| weather | `fog-3` | 10.0 points | net wt cascade at 0.75 |",
    ]


def test_seeds_are_averaged() -> None:
    one = judged("wt", network(0.5, nominal=0.88, fog_3=0.7))
    other = judged("wt", network(0.5, nominal=0.92, fog_3=0.74), seed=1)
    assert rows(one, other) == ["| weather | `fog-3` | 8.0 points | net wt cascade at 0.5 |"]


def test_a_method_that_always_harms_is_judged_at_the_least_ratio() -> None:
    chain = judged("wt", network(0.5, nominal=0.1, fog_3=0.7), network(0.75, nominal=0.1, fog_3=0))
    assert rows(chain) == ["| weather | `fog-3` | 10.0 points | net wt cascade at 0.5 |"]


def test_what_is_no_shift_or_has_no_accuracy_is_not_told() -> None:
    chain = judged("wt", network(0.5, nominal=0.9, fog_3=nan))
    assert worst_note([chain], 0.01) == ""
    assert worst_note([], 0.01) == ""


def test_the_table_is_short() -> None:
    tasks = ("fog-1", "contrast-1", "gaussian_noise-1", "zoom_blur-1", "uniform_input_noise-1",
             "pgd", "shifted-cifar10_1", "shifted-cifar10_c-fog-1", "shifted-cifar10_c-jpeg-1",
             "shifted-cifar10_c-zoom_blur-1", "shifted-cifar10_c-shot_noise-1")  # fmt: skip
    whole = dict.fromkeys(tasks, 0.5)
    parent = Network("parent", {}, {"nominal": 0.9, **whole})
    one = Network("key", {"requested_ratio": 0.5}, {"nominal": 0.9, **dict.fromkeys(tasks, 0.25)})
    note = worst_note([(pruned(dense()), parent, [one])], 0.01)
    assert len([line for line in note.splitlines() if line]) == 12


def test_the_sweep_is_described_with_its_worst_tasks(
    tmp_path: Path, store: MemoryStore, uri: str
) -> None:
    plan = plan_of(tmp_path)
    commit_all(plan, store)
    publish(plan, store, uri)
    note = View(uri).runs()["tiny"].data.tags["mlflow.note.content"]
    assert "| tasks | 1 digital, 1 clean |" in note
    assert "clean accuracy is within 0.5 points of the parent's" in note
    # The clean accuracy falls by 5 points at 0.5 already, so the least ratio counts.
    assert "| digital | `contrast-3` | 10.0 points | net wt cascade at 0.5 |" in note
