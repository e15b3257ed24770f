"""JSON Schema of the sweep file, for editors: completion, descriptions and red underlines."""

from __future__ import annotations

from typing import Any

from orchestrator.spec.sweep_file import SweepFile


def json_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12), with every plug-in that is installed here.

    It is generated from the model that the loader validates with. What needs the plug-ins
    themselves (their options), or more than one value at a time, is left to the loader.
    """
    schema = SweepFile.model_json_schema(by_alias=True, mode="validation")
    whole = {"required": schema.pop("required")}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "anyOf": [whole, {"required": ["extends"]}],
    }
