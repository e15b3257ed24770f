"""Sweep files that were damaged, by accident or on purpose."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable
from typing import Any

import yaml

OWN = {
    "name": "own",
    "networks": [
        {
            "name": "small",
            "model": {"mynet:net": {"width": 4}},
            "data": "digits",
            "training": {"epochs": 3, "milestones": [2], "warmup": 1},
            "retraining": {"epochs": 2, "milestones": [1]},
        },
        {"model": {"resnet8": {"width": 2}}, "data": {"digits": None}},
    ],
    "training": {"epochs": 3},
    "seeds": [0, 7],
    "methods": ["wt", {"ft": {"norm": ["l1", "l2"]}}],
    "schedule": [{"cascade": {"rewind": 1}}, {"one_shot": "scratch"}],
    "ratios": {
        "ladder": [
            {"geometric": {"from": 0.15, "to": 0.85, "count": 4}},
            {"linear": {"from": 0.9, "to": 0.98, "count": 3}},
        ],
        "retrained": 4,
    },
    "tasks": {
        "train": ["nominal"],
        "test": [{"uniform_input_noise": {"level": [0.1, 0.2]}}, {"shifted": {"data": "digits"}}],
        "other": ["training_images"],
    },
    "measures": ["noise_similarity", {"cka": {"images": 100}}],
    "analysis": {"deltas": [0.005, 0.01], "confidence": 0.95, "rule": "any"},
    "resources": {"cpus": 1, "gpus": 0.25, "workers": 2, "retries": 2},
    "expect": {"slope": [{"values": {"wt": 1.0}, "tolerance": 0.5}]},
    "tracking": {"uri": None},
    "store": "store",
    "data_root": "data",
}

VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        0,
        -1,
        1,
        2,
        3,
        0.5,
        64,
        1000,
        2**31,
        10**17,
        10**30,
        1e308,
        -1e-320,
        float("nan"),
        float("inf"),
    ),
    *("", " ", "x" * 5000, "\0", "a\0b", "é漢字\u202e\u2028", "\ud83d\ude00", "-", "~", "null"),
    *(
        "../../../etc/passwd",
        "/etc/passwd",
        "file:///etc/passwd",
        "s3://",
        "http://u:p@h/x",
        "C:\\x",
    ),
    *("os:system", "..x:y", ":", ":x", "mynet:", "mynet:missing", "nowhere.at.all:x", "a b:c"),
    *("__main__:x", "builtins:eval", "mynet:net.__globals__", "%s%n{0}", "$(id)", "`id`"),
    *([], {}, [[]], {"": ""}, {"a": {"b": [1, {"c": None}]}}, [None], ["wt", "wt"], {"1": 2}),
    *({"mynet:net": {"width": -1}}, {"resnet8": {"width": 10**12}}, {"pgd": {"steps": 10**9}}),
    *([1, "x", None, {}], list(range(300)), {str(n): n for n in range(300)}),
)
NUMBERS = (
    "0",
    "1",
    "2",
    "5",
    "33",
    "1000",
    "1000000",
    "1000000000",
    "100000000000000000",
    "0.01",
    "0.5",
    "0.99",
    "1e-300",
)
TEXTS = (
    *("!!python/object/apply:os.system ['touch owned']", "!!python/name:os.system", "!!set {x}"),
    *("!!binary aGk=", "!!timestamp 2001-01-01", "! x", "&a [*a]", "*nowhere", "&a", "<<: *a"),
    *(
        "[" * 60 + "]" * 60,
        "{" * 40,
        "- " * 50,
        "? [a]\n: 1",
        "---",
        "...",
        "%YAML 9.9",
        "\t",
        "\0",
    ),
    *("|", ">", "'", '"', "#", ": ", "\r", "\ufeff", "\x85", "\u2028", "9" * 5000, "0x1F", "1e999"),
    *(
        "extends: ../../../../etc/passwd\n",
        "extends: .\n",
        "extends: sweep.yaml\n",
        "extends: [a\0]",
    ),
)
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def mutated(text: str, chance: random.Random) -> bytes:
    """Damage the text of a sweep one to three times."""
    for _ in range(chance.choice((1, 1, 1, 2))):
        text = chance.choice(_MUTATIONS)(text, chance)
    content = text.encode("utf-8", "surrogatepass")
    return _flipped(content, chance) if chance.random() < 0.1 else content


def _value(text: str, chance: random.Random) -> str:
    """Put a strange value where another one was, or beside it."""
    try:
        tree = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return text
    places = [] if "&" in text else list(_places(tree))  # no walk through what holds itself
    if not places:
        return text
    holder, key = chance.choice(places)
    if isinstance(holder, dict) and chance.random() < 0.1:
        names = [value for value in VALUES if isinstance(value, str)]
        holder[chance.choice(names)] = holder.pop(key)
    elif chance.random() < 0.4:
        other, place = chance.choice(places)
        holder[key] = copy.deepcopy(other[place])
    else:
        holder[key] = chance.choice(VALUES)
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)


def _number(text: str, chance: random.Random) -> str:
    found = list(re.finditer(r"(?<![\w.])\d+(\.\d+)?(?![\w.])", text))
    if not found:
        return text
    start, end = chance.choice(found).span()
    return text[:start] + chance.choice(NUMBERS) + text[end:]


def _places(tree: Any) -> Any:
    pairs = (
        tree.items() if isinstance(tree, dict) else enumerate(tree if type(tree) is list else ())
    )
    for key, value in list(pairs):
        yield tree, key
        yield from _places(value)


def _insert(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(TEXTS) + text[at:]


def _replace_scalar(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    with_value = [n for n, one in enumerate(lines) if ": " in one]
    if with_value:
        n = chance.choice(with_value)
        lines[n] = lines[n].partition(": ")[0] + ": " + chance.choice(TEXTS) + "\n"
    return "".join(lines)


def _drop_line(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    if lines:
        del lines[chance.randrange(len(lines))]
    return "".join(lines)


def _repeat_line(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    if lines:
        lines.insert(chance.randrange(len(lines)), chance.choice(lines))
    return "".join(lines)


def _cut(text: str, chance: random.Random) -> str:
    return text[: chance.randrange(len(text) + 1)]


def _bomb(text: str, chance: random.Random) -> str:
    return BOMB + text


def _flipped(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.randrange(1, 4)):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


_MUTATIONS: tuple[Callable[[str, random.Random], str], ...] = (
    *(_value,) * 6,
    *(_number,) * 4,
    *(_insert, _insert, _replace_scalar),
    *(_drop_line, _repeat_line, _cut, _bomb),
)
