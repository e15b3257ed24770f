"""What chains and sweeps are called in MLflow: parameters, tags and descriptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from orchestrator.robustness.families import FAMILIES, family
from orchestrator.spec.labels import label
from orchestrator.tracking.network import Network
from orchestrator.tracking.points import legal_name
from workers.contracts import Chain, Component, Record, Store, TaskCell

LOAD = """from pathlib import Path
import json
from workers.checkpoint import restore
network = restore(json.loads(Path("network.json").read_text())["network"], \
Path("weights.safetensors").read_bytes())"""


def chain_parameters(sweep: str, chain: Chain, table: str) -> dict[str, str]:
    """List what a chain is, ``table`` being that of its tasks; it never changes for one run."""
    schedule = {"schedule": chain.schedule.label} if chain.schedule else {}
    return {
        "sweep": sweep,
        "network": chain.network,
        "seed": str(chain.seed),
        "method": label(chain.method) if chain.method else "dense",
        **schedule,
        "parity": chain.parity,
        **_component("model", chain.model),
        **_component("data", chain.data),
        "data.fingerprint": chain.fingerprint,
        **_options("training", asdict(chain.training)),
        **_options("retraining", asdict(chain.retraining) if chain.retraining else {}),
        "tasks": table,
    }


def network_parameters(network: Network) -> dict[str, str]:
    """Tie the points of one network to its content key and to the day it was made."""
    return {f"key.{network.name}": network.key, f"created.{network.name}": _day(network.record)}


def measure_parameters(chain: Chain, store: Store) -> dict[str, str]:
    """Tie what measures found to the day it was found: measured again, it is another run's."""
    return {
        legal_name(f"measured.{cell.label}"): _day(store.record(cell.key))
        for cell in chain.measures
        if store.has(cell.key)
    }


def environment_tags(record: Record) -> dict[str, str]:
    """Tell what a network was made with."""
    environment = record.get("environment", {})
    tags = {f"environment.{name}": str(value) for name, value in environment.items() if value}
    if revision := environment.get("revision"):
        tags["mlflow.source.git.commit"] = str(revision)
    return tags


def network_card(chain: Chain, network: Network) -> dict[str, Any]:
    """Describe a stored network so that it can be loaded again without the sweep."""
    return {"key": network.key, "chain": chain.name, "load": LOAD, **network.record}


def sweep_note(name: str, chains: Iterable[Chain], tasks: Iterable[TaskCell]) -> str:
    """Summarise a sweep in Markdown, for the description of its run."""
    chains = tuple(chains)
    ratios = sorted({level.ratio for chain in chains for level in chain.levels})
    rows = {
        "networks": _unique(chain.network for chain in chains),
        "methods": _unique(label(chain.method) for chain in chains if chain.method),
        "seeds": _unique(str(chain.seed) for chain in chains),
        "prune ratios": [f"{ratio:g}" for ratio in ratios],
        "tasks": _counted(family(task.label) for task in tasks),
    }
    table = "\n".join(f"| {row} | {', '.join(values)} |" for row, values in rows.items())
    return (
        f"Prune sweep **{name}**: one nested run per chain; its metrics over the step "
        f"(1000 × prune ratio) are its prune curves.\n\n| | |\n|---|---|\n{table}\n"
    )


def sweep_tag(sweep: str) -> str:
    """Spell a sweep's name so that MLflow's filter language, which has no escapes, can quote it."""
    return sweep.replace('"', "'")


def _component(prefix: str, component: Component) -> dict[str, str]:
    return {prefix: component.name, **_options(prefix, component.options)}


def _options(prefix: str, options: Mapping[str, Any]) -> dict[str, str]:
    return {f"{prefix}.{name}": str(value) for name, value in options.items()}


def _counted(families: Iterable[str]) -> list[str]:
    counts = Counter(families)
    return [f"{counts[name]} {name}" for name in sorted(counts, key=FAMILIES.index)]


def _unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _day(record: Record) -> str:
    return datetime.fromtimestamp(record["created"], UTC).isoformat(timespec="milliseconds")
