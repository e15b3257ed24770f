"""What lies over a sweep file: files that extend it, the environment, ``--set key.path=value``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from orchestrator.spec.document import MAX_DEPTH, Node, line, parse
from orchestrator.spec.mistakes import SweepError

ENVIRONMENT = {"PRUNESWEEP_STORE": "store", "PRUNESWEEP_DATA": "data_root"}
"""Variables that a cluster sets once for all sweeps, and the key that each replaces."""


def merge(base: Node, top: Node) -> Node:
    """Lay ``top`` over ``base``: mappings merge, anything else replaces."""
    if not (isinstance(base.value, dict) and isinstance(top.value, dict)):
        return top
    both = {
        key: merge(base.value[key], node) for key, node in top.value.items() if key in base.value
    }
    return Node({**base.value, **top.value, **both}, top.place)


def from_environment(root: Node, environment: Mapping[str, str]) -> Node:
    """Lay what this machine says over what a file says, which is shared between machines."""
    for variable, key in ENVIRONMENT.items():
        if value := environment.get(variable):
            root = _replaced(root, [key], Node(value, variable))
    return root


def override(root: Node, assignment: str) -> Node:
    """Set one value, as in ``networks.0.training.epochs=3`` or ``seeds=[0, 1]``.

    Raises:
        SweepError: it is no assignment, its value is no YAML, or its key leads nowhere.

    """
    key, assigns, value = assignment.partition("=")
    steps = re.findall(r"[^.\[\]\s]+", key)
    # Locations are not shown: somebody may have written a password into one.
    told = steps[0] if steps[:1] in (["store"], ["tracking"]) else assignment
    source = f"--set {told if len(told) <= 80 else told[:77] + '...'}"
    if not assigns or not 0 < len(steps) <= MAX_DEPTH:
        raise SweepError(line(source, (), "expected key.path=value"))
    if steps[0] == "extends":
        raise SweepError(line(source, (), "'extends' cannot be overridden"))
    return _replaced(root, steps, parse(value, source))


def _replaced(node: Node, steps: Sequence[str], new: Node) -> Node:
    if not steps:
        return new
    step, *rest = steps
    match node.value:
        case dict() as mapping:
            child = mapping.get(step, Node({}, new.place))
            return Node({**mapping, step: _replaced(child, rest, new)}, node.place)
        case list() as elements if step.isdecimal() and int(step[:9]) < len(elements):
            index = int(step[:9])
            changed = _replaced(elements[index], rest, new)
            return Node([*elements[:index], changed, *elements[index + 1 :]], node.place)
        case list() as elements:
            what = f"expected an index below {len(elements)}, found '{step}'"
        case _:
            what = f"'{step}' leads nowhere, expected the key of a mapping or the index of a list"
    raise SweepError(line(new.place, (), what))
