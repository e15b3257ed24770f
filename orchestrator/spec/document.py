"""YAML as plain data in which every value knows where it was written.

Only plain YAML is read: no tag can name an object, so no file can run code. Numbers and booleans
are those of YAML 1.2: ``1e-4`` is a number, ``no`` is text, ``010`` is ten.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from orchestrator.spec.mistakes import Keys, SweepError

MAX_NODES = 20_000
MAX_DEPTH = 40

Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Node:
    """A value and its place, ``file:line:column``; that of a mapping's value is its key's."""

    value: Scalar | dict[str, Node] | list[Node]
    place: str

    def plain(self) -> Any:
        """Return the value without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def walk(self, path: Keys) -> Iterator[tuple[int | str, Node]]:
        """Go down ``path`` as far as it exists; what is no list counts as the list of itself."""
        node = self
        for part in path:
            match node.value, part:
                case dict() as mapping, str() if part in mapping:
                    node = mapping[part]
                case list() as elements, int() if part < len(elements):
                    node = elements[part]
                case value, 0 if not isinstance(value, list):
                    continue
                case _:
                    return
            yield part, node

    def complain(self, path: Keys, what: str) -> str:
        """Word a mistake as ``file:line:column: key.path[index]: what``."""
        steps = list(self.walk(path))
        place = steps[-1][1].place if steps else self.place
        return line(place, tuple(part for part, _ in steps), what)


def line(place: str, path: Keys, what: str) -> str:
    """Word a mistake at ``place``, on one line of printable characters."""
    keys = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    text = ": ".join(part for part in (place, keys.removeprefix("."), what) if part)
    return "".join(c if c.isprintable() else " " for c in text)


def parse(text: str, source: str) -> Node:
    """Read one YAML document.

    Args:
        text: the document.
        source: how places name it; without ``line:column`` after it if it starts with ``--``.

    Raises:
        SweepError: it is no YAML, not plain, too large when expanded, or repeats a key.

    """
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = f"not valid YAML: {error.problem or error.context}"
        raise SweepError(line(_place(source, mark), (), what)) from None
    except RecursionError:
        raise SweepError(line(_place(source, None), (), "nested too deeply")) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        what = f"not valid YAML: {str(error).splitlines()[0]}"
        raise SweepError(line(_position(source, text, error), (), what)) from None
    builder = _Builder(source)
    node = builder.build(root, ()) if root else Node(None, _place(source, None))
    if builder.lines:
        raise SweepError(*builder.lines)
    return node


class _Loader(yaml.SafeLoader):
    """PyYAML's parser with the scalars of YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


_DECIMAL = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
_CORE = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?[0-9]+", list("-+0123456789")),
    "float": (
        rf"{_DECIMAL}|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
}
for _tag, (_pattern, _first) in _CORE.items():
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$", re.ASCII), _first
    )


def _place(source: str, mark: yaml.Mark | None) -> str:
    if source.startswith("--"):
        return source
    return f"{source}:{mark.line + 1}:{mark.column + 1}" if mark else f"{source}:1:1"


def _position(source: str, text: str, error: Exception) -> str:
    """Find the character that PyYAML cannot read, which it gives as an index."""
    before = text[: getattr(error, "position", 0)]
    mark = yaml.Mark(source, 0, before.count("\n"), len(before) - before.rfind("\n") - 1, None, 0)
    return _place(source, mark)


class _Builder:
    """Turns PyYAML's nodes into ours, and keeps a line for every mistake on the way."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines: list[str] = []
        self.nodes = 0

    def build(self, node: yaml.Node, path: Keys, key: yaml.Node | None = None) -> Node:
        place = _place(self.source, (key or node).start_mark)
        self.nodes += 1
        if self.nodes > MAX_NODES or len(path) > MAX_DEPTH:
            raise SweepError(line(place, (), "nested too deeply, or too large once aliases expand"))
        if isinstance(node, yaml.MappingNode) and node.tag == _MAPPING:
            return Node(self._mapping(node, path), place)
        if isinstance(node, yaml.SequenceNode) and node.tag == _SEQUENCE:
            elements = enumerate(node.value)
            return Node([self.build(element, (*path, i)) for i, element in elements], place)
        return Node(self._scalar(node, place, path), place)

    def _mapping(self, node: yaml.MappingNode, path: Keys) -> dict[str, Node]:
        values: dict[str, Node] = {}
        for key, value in node.value:
            place = _place(self.source, key.start_mark)
            if not isinstance(key, yaml.ScalarNode):
                self.lines.append(line(place, path, "a key must be a word"))
            elif key.value in values:
                first = values[key.value].place
                what = f"duplicate key '{key.value}', first given at {first}"
                self.lines.append(line(place, path, what))
            else:
                values[key.value] = self.build(value, (*path, key.value), key)
        return values

    def _scalar(self, node: yaml.Node, place: str, path: Keys) -> Scalar:
        read = _SCALARS.get(node.tag)
        if read is None or not isinstance(node, yaml.ScalarNode):
            self.lines.append(line(place, path, f"the tag {node.tag} is not allowed here"))
            return None
        try:
            return read(node.value)
        except ValueError as error:
            self.lines.append(line(place, path, str(error)))
            return None


def _text(written: str) -> str:
    try:
        written.encode()
    except UnicodeEncodeError:
        raise ValueError("not valid Unicode text") from None
    return written


def _whole(written: str) -> int:
    if not re.fullmatch(r"[-+]?[0-9]{1,18}", written):
        raise ValueError("expected a whole number of at most 18 digits")
    return int(written)


def _number(written: str) -> float:
    if not re.fullmatch(_DECIMAL, written) or not math.isfinite(value := float(written)):
        raise ValueError("expected a finite number")
    return value


def _truth(written: str) -> bool:
    if written.lower() not in {"true", "false"}:
        raise ValueError("expected true or false")
    return written.lower() == "true"


def _null(written: str) -> None:
    return None


_TAG = "tag:yaml.org,2002:"
_MAPPING, _SEQUENCE = f"{_TAG}map", f"{_TAG}seq"
_SCALARS: dict[str, Callable[[str], Scalar]] = {
    f"{_TAG}str": _text,
    f"{_TAG}int": _whole,
    f"{_TAG}float": _number,
    f"{_TAG}bool": _truth,
    f"{_TAG}null": _null,
}
