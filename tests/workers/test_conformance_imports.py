"""Plug-ins are looked up while a sweep is planned, where importing torch would cost seconds."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from workers.registry import MEASURES, METHODS, TASKS
light = {TASKS: TASKS.names(), MEASURES: MEASURES.names(), METHODS: ("ft", "wt")}
for registry, names in light.items():
    for name in names:
        if registry.get(name).__module__.startswith("workers."):
            assert "torch" not in sys.modules, name
"""


def test_looking_up_tasks_and_methods_does_not_import_torch():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
