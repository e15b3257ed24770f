"""Mistakes in a sweep file, in the words of its author.

Validators report through :func:`reject`, which pydantic nests into its own errors, so that one pass
finds every mistake; :func:`explain` then words pydantic's findings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, core_schema

from workers.nearest import nearest

Keys = tuple[int | str, ...]
Mistake = tuple[Keys, str]


class SweepError(Exception):
    """What is wrong with a sweep file: one line per mistake, ``file:line:column: key: what``."""

    SHOWN = 20

    def __init__(self, *lines: str) -> None:
        """Keep all ``lines``; the message shows the first 20."""
        self.lines = lines
        hidden = len(lines) - self.SHOWN
        more = (f"... and {hidden} more mistakes",) if hidden > 0 else ()
        super().__init__("\n".join(lines[: self.SHOWN] + more))


def reject(*mistakes: Mistake) -> NoReturn:
    """Fail a pydantic validator with mistakes whose paths start at the validated value."""
    details = [
        InitErrorDetails(
            type=PydanticCustomError("mistake", "{what}", {"what": what}), loc=path, input=None
        )
        for path, what in mistakes
    ]
    raise ValidationError.from_exception_data("sweep", details)


def reject_any(mistakes: Iterable[Mistake]) -> None:
    """Fail a pydantic validator if there are ``mistakes``."""
    if found := list(mistakes):
        reject(*found)


def findings(error: ValidationError, path: Keys = (), known: Collection[str] = ()) -> list[Mistake]:
    """Word the findings of ``error``, with their paths continued from ``path``.

    ``known`` are the keys that an unknown one is compared with.
    """
    return [((*path, *detail["loc"]), explain(detail, known)) for detail in error.errors()]


@dataclass(frozen=True)
class Shape:
    """Annotates text that must match a pattern, with the words for it."""

    pattern: str
    words: str

    def check(self, text: str) -> str:
        """Return ``text``.

        Raises:
            ValueError: it does not match as a whole.

        """
        if not re.fullmatch(self.pattern, text):
            raise ValueError(f"expected {self.words}, found {found(text)}")
        return text

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "pattern": f"^({self.pattern})$"}


def found(value: Any) -> str:
    """Describe ``value`` in a few characters."""
    if value == []:
        return "an empty list"
    kinds: Mapping[type, str] = {dict: "a mapping", list: "a list", type(None): "nothing"}
    shown = str(value).lower() if isinstance(value, bool) else repr(value)
    return kinds.get(type(value), shown if len(shown) <= 40 else f"{shown[:37]}...")


def explain(detail: ErrorDetails, known: Collection[str] = ()) -> str:
    """Word one finding of pydantic: what was expected, and what was found."""
    if detail["type"] == "extra_forbidden":
        return f"unknown key '{detail['loc'][-1]}', {nearest(detail['loc'][-1], known)}"
    if detail["type"] == "missing":
        return f"'{detail['loc'][-1]}' is missing"
    if detail["type"] in {"mistake", "value_error", "assertion_error"}:
        return detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    wording = _EXPECTED.get(detail["type"])
    expected = wording(detail.get("ctx", {})) if wording else detail["msg"].lower()
    return f"expected {expected}, found {found(detail['input'])}"


def _always(text: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda _: text


_EXPECTED: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    **dict.fromkeys(
        ("int_type", "int_parsing", "int_from_float", "int_parsing_size"), _always("a whole number")
    ),
    **dict.fromkeys(("float_type", "float_parsing"), _always("a number")),
    **dict.fromkeys(("bool_type", "bool_parsing"), _always("true or false")),
    **dict.fromkeys(("string_type", "path_type"), _always("text")),
    **dict.fromkeys(("list_type", "tuple_type", "set_type"), _always("a list")),
    **dict.fromkeys(
        ("dict_type", "mapping_type", "model_type", "model_attributes_type", "dataclass_type"),
        _always("a mapping"),
    ),
    "none_required": _always("null"),
    "literal_error": lambda limits: f"{limits['expected']}",
    "enum": lambda limits: f"{limits['expected']}",
    "greater_than": lambda limits: f"a number above {limits['gt']:g}",
    "greater_than_equal": lambda limits: f"a number of at least {limits['ge']:g}",
    "less_than": lambda limits: f"a number below {limits['lt']:g}",
    "less_than_equal": lambda limits: f"a number of at most {limits['le']:g}",
    "too_short": lambda limits: f"at least {limits['min_length']} element(s)",
    "too_long": lambda limits: f"at most {limits['max_length']} element(s)",
    "string_too_short": lambda limits: f"at least {limits['min_length']} character(s)",
    "is_instance_of": lambda limits: f"a {limits['class']}",
}
