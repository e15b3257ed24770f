"""What a container's image brings: for ours, as the Dockerfile says; for others, what stands in.

No image is built or fetched. Programs and libraries are those of this machine; who runs them, in
which environment and over which folders is the image's. Where PRUNESWEEP_IMAGE_ROOT names the root
folder of an image that was built from the Dockerfile, its programs and libraries run instead.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCKERFILE = ROOT / "docker" / "Dockerfile"
OUR_PREFIX = "/opt/prunesweep/bin"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# What the entry point of the image does: a server that only this container sees makes the database.
POSTGRES = """\
install -d -o postgres "$PGDATA" /run/postgresql
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    as_postgres initdb --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE"
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    as_postgres pg_ctl --wait start --options="-c listen_addresses=''"
    createdb --username="$POSTGRES_USER" --maintenance-db=postgres "$POSTGRES_DB"
    as_postgres pg_ctl --wait --mode=fast stop
fi
exec setpriv --reuid=postgres --regid=postgres --clear-groups postgres -c listen_addresses='*'
"""


@dataclass(frozen=True)
class Image:
    """Attributes are those of an image's configuration, ``folders`` the owners of folders in it.

    ``root`` is the folder that programs and libraries are taken from.
    """

    environment: dict[str, str] = field(default_factory=lambda: {"PATH": SYSTEM_PATH})
    user: int = 0
    workdir: str = "/"
    entrypoint: tuple[str, ...] = ()
    folders: dict[str, int] = field(default_factory=dict)
    stop_signal: str = "TERM"
    root: str = "/"


def ours() -> Image:
    """Read the last stage of the Dockerfile."""
    text = DOCKERFILE.read_text().replace("\\\n", " ")
    stage = re.split(r"^FROM ", text, flags=re.MULTILINE)[-1]
    said = re.findall(r"^([A-Z]+)\s+(.*)$", stage, re.MULTILINE)
    arguments = dict(word.split("=", 1) for verb, word in said if verb == "ARG")
    (user,) = (int(arguments[word.strip("${}")]) for verb, word in said if verb == "USER")
    (workdir,) = (word for verb, word in said if verb == "WORKDIR")
    environment = {"PATH": SYSTEM_PATH, "HOME": workdir}
    for verb, words in said:
        if verb == "ENV":
            pairs = (word.split("=", 1) for word in shlex.split(words))
            environment |= {name: value.replace("$PATH", SYSTEM_PATH) for name, value in pairs}
    root = os.environ.get("PRUNESWEEP_IMAGE_ROOT") or "/"
    if root == "/":
        environment["PATH"] = environment["PATH"].replace(OUR_PREFIX, str(Path(sys.prefix) / "bin"))
    (owned,) = re.findall(r"install --directory --owner prunesweep ([^\n&]+)", stage)
    folders = dict.fromkeys([workdir, *owned.split()], user)
    return Image(environment, user, workdir, folders=folders, root=root)


def stand_in(name: str, postgres: Path) -> Image:
    """Stand in for a public image; ``postgres`` is the folder of PostgreSQL's programs.

    Raises:
        KeyError: nothing here does.

    """
    data, nobody = "/var/lib/postgresql/data", 65534
    return {
        "postgres": Image(
            {"PATH": f"{postgres}:{SYSTEM_PATH}", "PGDATA": data, "LANG": "C.UTF-8"},
            entrypoint=("sh", "-euc", POSTGRES),
            stop_signal="INT",
        ),
        "prom/prometheus": Image(
            user=nobody, entrypoint=("prometheus",), folders={"/prometheus": nobody}
        ),
    }[name.partition(":")[0]]
