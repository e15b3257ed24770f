"""Content keys: the digest of everything that changes a number, and of nothing else.

A key is the SHA-256 of canonical JSON. Options at their default are left out, so that an option
added later (with a default that changes nothing) leaves every old key as it was.
``tests/golden/keys.json`` freezes the keys; changing it throws every user's results away and is a
deliberate act.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields
from hashlib import sha256
from typing import Any

from workers.contracts import Parity, PlugIn, Schedule, Training

Payload = Mapping[str, Any]

# Raised when the procedure itself changes: what is trained, pruned or predicted, and its seeding.
PROCEDURE = {"parent": 2, "checkpoint": 1, "level": 2, "task": 2, "measure": 1}


def content_key(payload: Payload) -> str:
    """Return the 64 hexadecimal digits that identify ``payload``."""
    return sha256(canonical(payload).encode()).hexdigest()


def canonical(payload: Payload) -> str:
    """Write ``payload`` as JSON with sorted keys, no spaces and no NaN.

    Raises:
        ValueError: a number is not finite.
        TypeError: a value is no JSON type.

    """
    return _ENCODER.encode(payload)


# Made once: json.dumps would make one for each of the many thousand keys of a large sweep.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def describe(name: str, plug_in: PlugIn) -> dict[str, Any]:
    """Describe a plug-in by name, version and the options that differ from their defaults."""
    return {"name": name, "version": type(plug_in).version, **chosen(plug_in)}


def chosen(options: PlugIn | Training) -> dict[str, Any]:
    """Return the options of a dataclass that differ from their defaults and may change a number."""
    return {
        option.name: value
        for option in fields(options)
        if not option.metadata.get("runtime")
        and (value := getattr(options, option.name)) != _default(option)
    }


def _default(option: Field[Any]) -> Any:
    return option.default_factory() if option.default_factory is not MISSING else option.default


def parent_payload(
    model: Payload,
    data: Payload,
    fingerprint: str,
    training: Payload,
    seed: int,
    parity: Parity = "paper",
) -> dict[str, Any]:
    """Everything that makes the dense parent what it is."""
    return {
        "kind": "parent",
        "procedure": PROCEDURE["parent"],
        "model": model,
        "data": {**data, "fingerprint": fingerprint},
        "training": training,
        "seed": seed,
        **_followed(parity),
    }


def checkpoint_payload(parent: str, epoch: int) -> dict[str, Any]:
    """Everything that makes the dense parent ``parent`` what it was after ``epoch`` epochs."""
    return {
        "kind": "checkpoint",
        "procedure": PROCEDURE["checkpoint"],
        "parent": parent,
        "epoch": epoch,
    }


def level_payload(
    base: str,
    method: Payload,
    ratios: Sequence[float],
    retraining: Payload,
    schedule: Schedule,
    parity: Parity = "paper",
) -> dict[str, Any]:
    """Everything that makes a pruned network from the network ``base``.

    Of the schedule only what retraining starts from is part of it, since the recipe says the rest:
    a cascade and a one-shot chain share their first level.
    """
    return {
        "kind": "level",
        "procedure": PROCEDURE["level"],
        "base": base,
        "method": method,
        "ratios": list(ratios),
        "retraining": retraining,
        **_start(schedule),
        **_followed(parity),
    }


def task_payload(task: Payload, data: Payload | None = None) -> dict[str, Any]:
    """Everything that makes a test condition, apart from the data that it is applied to.

    ``data`` describe the data set that takes the place of those, where one does.
    """
    other = {"data": data} if data else {}
    return {"kind": "task", "procedure": PROCEDURE["task"], "task": task, **other}


def measure_payload(measure: Payload, subjects: Sequence[str], fingerprint: str) -> dict[str, Any]:
    """Everything that makes what is measured on ``subjects``, keys of networks."""
    return {
        "kind": "measure",
        "procedure": PROCEDURE["measure"],
        "measure": measure,
        "subjects": list(subjects),
        "fingerprint": fingerprint,
    }


def _start(schedule: Schedule) -> dict[str, Any]:
    match schedule.retraining:
        case "weight_rewinding":
            return {"rewind": schedule.epoch}
        case "scratch":
            return {"scratch": True}
    return {}


def _followed(parity: Parity) -> dict[str, Any]:
    return {} if parity == "paper" else {"parity": parity}
