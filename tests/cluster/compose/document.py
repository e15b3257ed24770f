"""Compose files read as Compose reads them: tags, variables, and one file over another.

Source: the Compose Specification, "Interpolation" and "Merge".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<bare>[A-Za-z_]\w*)"
    r"|\{(?P<name>[A-Za-z_]\w*)(?:(?P<operator>:?[-?+])(?P<word>[^{}]*))?\})"
)
WHOLE = {"command", "entrypoint", "test"}
"""Lists that a later file replaces; others it adds to."""


@dataclass(frozen=True)
class Tagged:
    """What ``!reset`` or ``!override`` says of a value."""

    tag: str
    value: Any


class Loader(yaml.SafeLoader):
    """YAML with the two tags of Compose."""


def _tagged(loader: Loader, node: yaml.Node) -> Tagged:
    if isinstance(node, yaml.MappingNode):
        return Tagged(node.tag, loader.construct_mapping(node, deep=True))
    if isinstance(node, yaml.SequenceNode):
        return Tagged(node.tag, loader.construct_sequence(node, deep=True))
    assert isinstance(node, yaml.ScalarNode)
    return Tagged(node.tag, loader.construct_scalar(node))


for _tag in ("!reset", "!override"):
    Loader.add_constructor(_tag, _tagged)


def load(files: Sequence[Path], environment: Mapping[str, str]) -> dict[str, Any]:
    """Read ``files``, each over those before it, with the variables of ``environment``."""
    documents = [interpolated(read(file), environment) for file in files]
    merged: dict[str, Any] = reduce(merge, documents, {})
    return merged


def read(file: Path) -> Any:
    """Read one file as it is written."""
    return yaml.load(file.read_text(), Loader)


def merge(below: Any, above: Any, key: str = "") -> Any:
    """Lay one value over another: mappings by their keys, lists behind each other."""
    if isinstance(above, Tagged):
        return above.value
    if isinstance(below, dict) and isinstance(above, dict):
        merged = dict(below)
        for name, value in above.items():
            if isinstance(value, Tagged) and value.tag == "!reset":
                merged.pop(name, None)
            else:
                merged[name] = merge(below.get(name), value, name)
        return merged
    if isinstance(below, list) and isinstance(above, list) and key not in WHOLE:
        return below + [item for item in above if item not in below]
    return above


def interpolated(value: Any, environment: Mapping[str, str]) -> Any:
    """Put the variables into every string of ``value``.

    Raises:
        KeyError: a variable that has no default is not set.

    """
    if isinstance(value, str):
        return VARIABLE.sub(lambda match: _value(match, environment), value)
    if isinstance(value, dict):
        return {name: interpolated(item, environment) for name, item in value.items()}
    if isinstance(value, list):
        return [interpolated(item, environment) for item in value]
    if isinstance(value, Tagged):
        return Tagged(value.tag, interpolated(value.value, environment))
    return value


def _value(match: re.Match[str], environment: Mapping[str, str]) -> str:
    if match["escaped"]:
        return "$"
    name, operator, word = match["bare"] or match["name"], match["operator"] or "", match["word"]
    found = environment.get(name)
    given = bool(found) if operator.startswith(":") else found is not None
    if operator.endswith("+"):
        return word if given else ""
    if given:
        return str(found)
    if operator.endswith("-"):
        return str(word)
    raise KeyError(f"{name}: {word or 'not set'}")


def variables(value: Any) -> Iterator[tuple[str, str]]:
    """Yield every variable that ``value`` uses, with the operator that follows its name."""
    if isinstance(value, str):
        for match in VARIABLE.finditer(value):
            if not match["escaped"]:
                yield match["bare"] or match["name"], match["operator"] or ""
    elif isinstance(value, dict):
        for item in value.values():
            yield from variables(item)
    elif isinstance(value, list):
        for item in value:
            yield from variables(item)
    elif isinstance(value, Tagged):
        yield from variables(value.value)
