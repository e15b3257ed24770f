"""One lazy registry per kind of plug-in.

A plug-in is found by the name of its file in the kind's folder, by an entry point of another
package, or as ``package.module:name``. Nothing is imported before it is asked for.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable
from dataclasses import MISSING, Field, field, make_dataclass
from functools import cache, cached_property
from hashlib import sha256
from importlib.metadata import entry_points
from inspect import Parameter, getfile, getmembers, isclass, signature
from pathlib import Path
from typing import Any, Generic, TypeVar, get_type_hints

from workers.contracts import Component, DataSet, Measure, Method, Model, PlugIn, Suite, Task
from workers.nearest import nearest

P = TypeVar("P", bound=PlugIn)


class UnknownPlugInError(Exception):
    """A name that no plug-in has; the message offers the nearest ones."""


class Registry(Generic[P]):
    """The plug-ins of one kind."""

    def __init__(self, kind: str, contract: type[P], folder: str) -> None:
        """Serve ``contract`` subclasses from ``folder`` and entry points ``prunesweep.<kind>s``."""
        self.kind = kind
        self.contract = contract
        self.folder = folder

    def names(self) -> tuple[str, ...]:
        """List what can be named, sorted, without importing any of it."""
        path = Path(__file__).parent.joinpath(*self.folder.split(".")[1:])
        built_in = {module.name for module in pkgutil.iter_modules([str(path)])}
        return tuple(sorted(built_in | set(self._external)))

    def get(self, name: str) -> type[P]:
        """Import the plug-in called ``name``.

        Raises:
            UnknownPlugInError: no plug-in has that name, or what it names is none.

        """
        if ":" in name:
            return self._adopt(name, name)
        if name in self._external:
            return self._adopt(name, self._external[name])
        if name not in self.names():
            raise UnknownPlugInError(f"unknown {self.kind} '{name}', {nearest(name, self.names())}")
        module = importlib.import_module(f"{self.folder}.{name}")
        own = [
            found
            for _, found in getmembers(module, isclass)
            if issubclass(found, self.contract) and found.__module__ == module.__name__
        ]
        if len(own) != 1:
            expected = f"one {self.contract.__name__}, found {len(own)}"
            raise UnknownPlugInError(f"{module.__name__} must define {expected}")
        return own[0]

    def create(self, component: Component) -> P:
        """Make the plug-in that ``component`` describes, from options that were checked before."""
        return self.get(component.name)(**component.options)

    @cached_property
    def _external(self) -> dict[str, str]:
        group = f"prunesweep.{self.kind.replace(' ', '_')}s"
        return {point.name: point.value for point in entry_points(group=group)}

    def _adopt(self, name: str, reference: str) -> type[P]:
        module_name, _, attribute = reference.partition(":")
        if module_name.partition(".")[0] in sys.stdlib_module_names:
            # It has no plug-ins, but modules that do things when they are imported.
            raise UnknownPlugInError(
                f"'{name}' is of Python's own library, expected an object of another module"
            )
        try:
            target = getattr(importlib.import_module(module_name), attribute)
        except (ImportError, AttributeError) as error:
            raise UnknownPlugInError(f"cannot import {self.kind} '{name}': {error}") from error
        if isclass(target) and issubclass(target, self.contract):
            return target
        if self.contract is Model and callable(target):
            return _model_from_factory(target, name)  # type: ignore[return-value]
        raise UnknownPlugInError(f"'{name}' is no {self.contract.__name__}")


@cache
def _model_from_factory(factory: Callable[..., Any], name: str) -> type[Model]:
    """Turn ``factory(*, channels, classes, **options)`` into a plug-in.

    Without a ``version`` of its own, a factory's version is the digest of its file, so that an
    edited network is not mistaken for the one that was measured; what it imports is not looked at.
    """
    hints = get_type_hints(factory)
    options: list[tuple[str, Any, Field[Any]]] = [
        (p.name, hints.get(p.name, Any), field(default=_default(p)))
        for p in signature(factory).parameters.values()
        if p.name not in {"channels", "classes"} and p.kind is not Parameter.VAR_KEYWORD
    ]
    names = [option for option, _, _ in options]

    def build(self: Model, *, channels: int, classes: int) -> Any:
        chosen = {option: getattr(self, option) for option in names}
        return factory(channels=channels, classes=classes, **chosen)

    version = getattr(factory, "version", None)
    if version is None:
        version = sha256(Path(getfile(factory)).read_bytes()).hexdigest()[:16]
    return make_dataclass(
        name,
        options,
        bases=(Model,),
        namespace={"build": build, "version": version, "__doc__": factory.__doc__},
        frozen=True,
        kw_only=True,
    )


def _default(parameter: Parameter) -> Any:
    return MISSING if parameter.default is Parameter.empty else parameter.default


METHODS = Registry("method", Method, "workers.pruning.methods")
MODELS = Registry("model", Model, "workers.models")
DATA_SETS = Registry("data set", DataSet, "workers.data")
TASKS = Registry("task", Task, "workers.tasks")
SUITES = Registry("suite", Suite, "workers.suites")
MEASURES = Registry("measure", Measure, "workers.measures")
