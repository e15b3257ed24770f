"""Suites as a sweep file writes them: one line that stands for many components."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic import ValidationError as Invalid
from pydantic_core import core_schema

from orchestrator.spec.components import Several, component_schema, read
from orchestrator.spec.mistakes import findings, reject
from workers.contracts import Component
from workers.nearest import nearest
from workers.registry import Registry


@dataclass(frozen=True)
class Suites(Several):
    """Annotates a field that names what ``Several`` does, or a suite of ``suites`` in one line."""

    suites: Registry[Any]

    def read(self, value: Any) -> Any:
        """Return the components, those of a suite as if they were written out one by one.

        Where a list of option values makes several suites, what they list first comes first.
        """
        name = next(iter(value)) if isinstance(value, dict) and len(value) == 1 else value
        if not self._is_suite(name):
            return super().read(value)
        written = read(self.suites, value, expand=True)
        listed = [self.suites.create(suite).tasks() for suite in written]
        alike = [one for same in zip_longest(*listed) for one in same if one is not None]
        try:
            return [self._alone(component) for component in alike]
        except Invalid as error:
            reject(*(((name,), what) for _, what in findings(error)))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return component_schema(self.registry, self.suites)

    def _is_suite(self, name: Any) -> bool:
        if not isinstance(name, str) or name in self.registry.names():
            return False
        if ":" not in name and name not in self.suites.names():
            known = (*self.registry.names(), *self.suites.names())
            reject(((), f"unknown {self.registry.kind} '{name}', {nearest(name, known)}"))
        try:
            self.suites.get(name)
        except Exception:  # what somebody's module runs into is told when it is loaded as a task
            return False
        return True

    def _alone(self, component: Component) -> Component:
        (alone,) = read(self.registry, {component.name: dict(component.options)}, expand=False)
        return alone
