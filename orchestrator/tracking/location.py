"""Where MLflow keeps a sweep: the tracking URI and the place of the artifacts."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from orchestrator.spec import SweepSpec

SQLITE = "sqlite:///"
_FOLDERS = ("", "file")
_LOGIN = re.compile(r"(?<=://)(?!/)\S*@")
_PASSWORD = re.compile(r"(?<=[?&])(ssl)?(password|passwd)=[^&]*&?", re.IGNORECASE)


class TrackingError(Exception):
    """MLflow cannot be written; the message says where, why and what to do."""


def resolve_uri(flag: str | None, spec: SweepSpec) -> str:
    """Choose the tracking URI: the flag, ``MLFLOW_TRACKING_URI``, the sweep file, or else SQLite.

    What is nearest to this run wins: a sweep file is shared between machines, the environment
    describes one of them. The default is ``mlflow.db`` in the store, or, for a remote store, beside
    the sweep file.

    Raises:
        TrackingError: the URI names a folder, which MLflow no longer writes to, or is none.

    """
    uri = flag or os.environ.get("MLFLOW_TRACKING_URI") or spec.tracking.uri
    if not uri:
        return f"{SQLITE}{_local(spec) / 'mlflow.db'}"
    try:
        scheme = urlsplit(uri).scheme
    except ValueError as error:
        raise TrackingError(f"tracking URI '{censored(uri)}' is no URI: {error}") from None
    if scheme in _FOLDERS:
        raise TrackingError(
            f"tracking URI '{uri}' is a folder; expected http(s)://…, a database such as "
            f"{SQLITE}mlflow.db, or nothing for the database in the store"
        )
    if uri.startswith(SQLITE):
        return f"{SQLITE}{Path(uri.removeprefix(SQLITE)).absolute()}"
    return uri


def artifact_root(uri: str, spec: SweepSpec) -> str | None:
    """Say where the artifacts of a new experiment go; None leaves it to the tracking server."""
    if is_server(uri):
        return None
    if uri.startswith(SQLITE):
        return str(Path(uri.removeprefix(SQLITE)).parent / "mlflow-artifacts")
    location, remote = str(spec.store), "://" in str(spec.store)
    # MLflow takes no options in a URI: its own client reads MLFLOW_S3_ENDPOINT_URL.
    bucket = location.partition("?")[0].rstrip("/")
    return f"{bucket}/mlflow-artifacts" if remote else str(_local(spec) / "mlflow-artifacts")


def is_server(uri: str) -> bool:
    """Tell whether ``uri`` is a tracking server rather than a database."""
    return urlsplit(uri).scheme in ("http", "https")


def display(uri: str) -> str:
    """Show ``uri`` without the user name and the passwords that it may carry."""
    scheme, mark, rest = uri.partition("://")
    # Up to the last one: a database takes a password with a slash in it.
    shown = rest.rpartition("@")[2] if urlsplit(uri).netloc else rest
    return f"{scheme}{mark}{_PASSWORD.sub('', shown)}"


def censored(text: str) -> str:
    """Leave user names and passwords out of all URIs in ``text``."""
    # Rather too much than a part: up to the last @, as a password may hold one.
    return _PASSWORD.sub("", _LOGIN.sub("", text))


def _local(spec: SweepSpec) -> Path:
    remote = "://" in str(spec.store)
    return spec.source.absolute().parent if remote else Path(spec.store).absolute()
