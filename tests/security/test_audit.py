"""The audit of the locked packages, with answers that its service gives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

AUDIT = Path(__file__).parents[2] / ".ci" / "audit"
CLEAN = {"name": "six", "version": "1.17.0", "vulns": []}
SKIPPED = {"name": "six", "skip_reason": "Dependency not found on PyPI"}
FAULTY = {
    "name": "old",
    "version": "1.0",
    "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["1.1"], "aliases": [], "description": ""}],
}


def audited(folder: Path, answer: str, code: int, complaint: str = "") -> tuple[int, str]:
    """Run the audit beside a pip-audit that gives this answer."""
    python = folder / "python"
    python.symlink_to(sys.executable)
    stub = folder / "pip-audit"
    (folder / "answer").write_text(answer)
    stub.write_text(f"#!/bin/sh\ncat {folder}/answer\necho '{complaint}' >&2\nexit {code}\n")
    stub.chmod(0o755)
    environment = {"PATH": os.environ["PATH"]}
    ran = subprocess.run([python, AUDIT, "a.lock"], capture_output=True, text=True, env=environment)
    return ran.returncode, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("packages", "code", "told"),
    [
        ([CLEAN], 0, "a.lock: 1 of 1 packages audited, 0 faults\n"),
        ([CLEAN, SKIPPED], 0, "a.lock: 1 of 2 packages audited, 0 faults\n"),
        (
            [CLEAN, FAULTY],
            1,
            "a.lock: old 1.0: PYSEC-2026-1, mended in 1.1\n"
            "a.lock: 2 of 2 packages audited, 1 faults\n",
        ),
        (
            [SKIPPED],
            0,
            "a.lock: not audited: no answer for any of 1 packages (Dependency not found on PyPI)\n",
        ),
    ],
)
def test_what_the_service_knows(
    tmp_path: Path, packages: list[dict[str, Any]], code: int, told: str
) -> None:
    answer = json.dumps({"dependencies": packages, "fixes": []})
    assert audited(tmp_path, answer, code) == (code, told)


def test_no_service(tmp_path: Path) -> None:
    told = audited(tmp_path, "", 1, "ServiceError: connection refused")
    assert told == (0, "a.lock: not audited: no answer (ServiceError: connection refused)\n")
