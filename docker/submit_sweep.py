"""What ``ray submit docker/ray-cluster.yaml`` runs on the head: ``prunesweep submit``.

The sweep is looked for in ``~/prunesweep``, where ray-cluster.yaml puts it. It runs as a job: if
the connection breaks it goes on, and the same command attaches to it again.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.chdir(Path.home() / "prunesweep")
os.environ["RAY_AUTH_MODE"] = "token"
command = Path.home() / ".prunesweep" / "bin" / "prunesweep"
os.execv(command, [str(command), "submit", *sys.argv[1:]])
