"""Plug-ins as a sweep file writes them: ``wt``, ``{ft: {norm: l2}}`` or ``package.module:name``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from itertools import product
from math import prod
from typing import Any, get_type_hints

from pydantic import ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic import ValidationError as Invalid
from pydantic_core import core_schema

from orchestrator.spec.labels import label
from orchestrator.spec.mistakes import Keys, Mistake, findings, found, reject, reject_any
from workers.contracts import Component, PlugIn, Task
from workers.nearest import nearest
from workers.registry import DATA_SETS, Registry, UnknownPlugInError

MAX_VARIANTS = 1000
REFERENCE = r"[\w.]+:\w+"


@dataclass(frozen=True)
class One:
    """Annotates a field that names one plug-in of ``registry``."""

    registry: Registry[Any]

    def read(self, value: Any) -> Any:
        """Return the component; its options are checked against the plug-in's dataclass."""
        (component,) = read(self.registry, value, expand=False)
        return component

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return component_schema(self.registry)


class Several(One):
    """Annotates a field that names one plug-in, or several through lists of option values."""

    def read(self, value: Any) -> Any:
        """Return the components, the last option varying fastest."""
        return read(self.registry, value, expand=True)


def read(registry: Registry[Any], value: Any, *, expand: bool) -> list[Component]:
    """Check what a sweep file writes for a component, and expand lists given for scalar options.

    Raises:
        pydantic.ValidationError: the name or an option is wrong; every mistake is in it.

    """
    match value:
        case str():
            return _components(registry, value, {}, (), expand)
        case dict() if len(value) == 1:
            ((name, options),) = value.items()
            if isinstance(options, dict | None):
                return _components(registry, name, options or {}, (name,), expand)
    what = f"expected a {registry.kind}: a name, or one name with a mapping of options"
    reject(((), f"{what}, found {found(value)}"))


def _components(
    registry: Registry[Any], name: str, options: Mapping[str, Any], path: Keys, expand: bool
) -> list[Component]:
    plug_in, types = _load(registry, name, path)
    reject_any(_misnamed(plug_in, options, path))
    choices: list[list[Any]] = []
    mistakes: list[Mistake] = []
    for option, value in options.items():
        try:
            choices.append(_choices(types[option], value, expand))
        except Invalid as error:
            mistakes += findings(error, (*path, option))
    reject_any(mistakes)
    if prod(map(len, choices)) > MAX_VARIANTS:
        reject((path, f"expands to more than {MAX_VARIANTS} variants"))
    variants = [dict(zip(options, chosen, strict=True)) for chosen in product(*choices)]
    reject_any(_refused(plug_in, variants, path))
    return [Component(name, variant) for variant in variants]


def _load(registry: Registry[Any], name: str, path: Keys) -> tuple[type[PlugIn], dict[str, Any]]:
    try:
        plug_in = registry.get(name)
        return plug_in, get_type_hints(plug_in, include_extras=True)
    except UnknownPlugInError as error:
        reject((path, str(error)))
    except (Exception, SystemExit) as error:  # whatever somebody's module runs into
        reject((path, f"cannot load {registry.kind} '{name}': {type(error).__name__}: {error}"))


def _misnamed(plug_in: type[PlugIn], options: Mapping[str, Any], path: Keys) -> Iterator[Mistake]:
    known = {option.name: option for option in fields(plug_in) if option.init}
    for name in options:
        if name not in known:
            yield (*path, name), f"unknown option '{name}', {nearest(name, known)}"
    for name, option in known.items():
        if name not in options and option.default is option.default_factory is MISSING:
            yield path, f"option '{name}' is missing"


def _choices(kind: Any, value: Any, expand: bool) -> list[Any]:
    adapter: TypeAdapter[Any] = TypeAdapter(kind, config=ConfigDict(arbitrary_types_allowed=True))
    try:
        return [_checked(adapter, value)]
    except Invalid:
        if not (expand and isinstance(value, list)) or _takes_list(adapter):
            raise
    choices, mistakes = [], []
    for index, element in enumerate(value):
        try:
            choices.append(_checked(adapter, element))
        except Invalid as error:
            mistakes += findings(error, (index,))
    reject_any(mistakes if value else [((), "expected at least one value")])
    return choices


def _checked(adapter: TypeAdapter[Any], value: Any) -> Any:
    # Through JSON, because strictness then allows what YAML has no type for: tuples and paths.
    return adapter.validate_json(json.dumps(value), strict=True)


def _takes_list(adapter: TypeAdapter[Any]) -> bool:
    schema = adapter.json_schema()
    return "array" in {kind.get("type") for kind in (schema, *schema.get("anyOf", ()))}


def _refused(
    plug_in: type[PlugIn], variants: list[dict[str, Any]], path: Keys
) -> Iterator[Mistake]:
    for variant in variants:
        try:
            made = plug_in(**variant)
        except (TypeError, ValueError) as error:
            yield path, str(error)
        else:
            yield from _misfed(made, path)


def _misfed(made: PlugIn, path: Keys) -> Iterator[Mistake]:
    """Check the data set that a task names as strictly as that of a network."""
    data = made.replaces() if isinstance(made, Task) else None
    if data is None:
        return
    try:
        read(DATA_SETS, {data.name: dict(data.options)}, expand=False)
    except Invalid as error:
        yield from findings(error, (*path, "data"))


def repeated(kind: str, elements: list[list[Component]]) -> Iterator[tuple[int, str]]:
    """Find the elements that make a component whose label an earlier one has."""
    seen: set[str] = set()
    for index, components in enumerate(elements):
        again = []
        for name in map(label, components):
            again += [name] * (name in seen)
            seen.add(name)
        if again:
            more = f" and {len(again) - 1} more" if len(again) > 1 else ""
            yield index, f"duplicate {kind} '{again[0]}'{more}"


def component_schema(*registries: Registry[Any]) -> dict[str, Any]:
    """JSON Schema of a component: every registered name, or ``package.module:name``."""
    names = [name for registry in registries for name in registry.names()]
    options = {"type": ["object", "null"], "description": "Options of the plug-in."}
    return {
        "anyOf": [
            {"enum": names},
            {"type": "string", "pattern": f"^{REFERENCE}$"},
            {
                "type": "object",
                "properties": dict.fromkeys(names, options),
                "patternProperties": {f"^{REFERENCE}$": options},
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
        ]
    }
