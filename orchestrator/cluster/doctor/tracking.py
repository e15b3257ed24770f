"""Whether MLflow can be reached as a run will reach it: a call of its API, or of its database."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from base64 import b64encode
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlsplit
from urllib.request import Request, urlopen

from orchestrator.cluster.doctor.finding import Finding
from orchestrator.cluster.doctor.places import existing, writable
from orchestrator.tracking.location import SQLITE, display, is_server

SECONDS = 5.0
PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
API = "api/2.0/mlflow/experiments"


def check_tracking(uri: str, experiment: str) -> Finding:
    """Ask for the experiment, or where none is named for any; nothing is written."""
    if uri.startswith(SQLITE):
        return _sqlite(Path(uri.removeprefix(SQLITE).partition("?")[0]))
    return _server(uri, experiment) if is_server(uri) else _database(uri)


def _server(uri: str, experiment: str) -> Finding:
    shown = display(uri).rstrip("/")
    query = f"get-by-name?experiment_name={quote(experiment, safe='')}"
    url = f"{shown}/{API}/{query if experiment else 'search?max_results=1'}"
    try:
        with urlopen(Request(url, headers=_login(uri)), timeout=SECONDS) as answer:
            json.load(answer)
    except HTTPError as error:
        return _refused(shown, experiment, error)
    except (URLError, HTTPException, OSError) as error:
        cause = getattr(error, "reason", None) or error
        advice = "start the server, or name another: MLFLOW_TRACKING_URI"
        return Finding("mlflow", "fail", f"no answer from {shown} ({cause})", advice)
    except ValueError:
        return _stranger(shown)
    known = f", experiment {experiment} is there" if experiment else ""
    return Finding("mlflow", "ok", f"{shown} answers{known}")


def _refused(shown: str, experiment: str, error: HTTPError) -> Finding:
    with error:
        body = error.read(2000).decode(errors="replace")
    if error.code == 404:
        if "RESOURCE_DOES_NOT_EXIST" in body:
            return Finding("mlflow", "ok", f"{shown} answers, {experiment} will be made")
        return _stranger(shown)
    if error.code == 403 and "Invalid Host header" in body:
        host = urlsplit(shown).netloc
        found = f"{shown} refuses the name '{host}' (403, Invalid Host header)"
        advice = f"add '{host}' to the --allowed-hosts that the server is started with"
        return Finding("mlflow", "fail", found, advice)
    if error.code in (401, 403):
        found = f"{shown} refuses this user ({error.code})"
        advice = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or ask for permission"
        return Finding("mlflow", "fail", found, advice)
    found = f"{shown} answers with error {error.code}"
    return Finding("mlflow", "fail", found, "look at the server's log: often its database is gone")


def _stranger(shown: str) -> Finding:
    found = f"{shown} answers, but not as MLflow does"
    return Finding("mlflow", "fail", found, "correct MLFLOW_TRACKING_URI")


def _login(uri: str) -> dict[str, str]:
    """Make the header that MLflow's client would send."""
    parts, variables = urlsplit(uri), os.environ
    user = unquote(parts.username or "") or variables.get("MLFLOW_TRACKING_USERNAME", "")
    password = unquote(parts.password or "") or variables.get("MLFLOW_TRACKING_PASSWORD", "")
    if user:
        pair = b64encode(f"{user}:{password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    token = variables.get("MLFLOW_TRACKING_TOKEN")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _sqlite(file: Path) -> Finding:
    if not file.exists():
        if writable(file.parent):
            return Finding("mlflow", "ok", f"{file} will be made")
        return _unwritable(file, f"{existing(file.parent)} cannot be written")
    try:
        with closing(sqlite3.connect(file, timeout=SECONDS)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.rollback()
    except sqlite3.Error as error:
        return _unwritable(file, str(error))
    return Finding("mlflow", "ok", f"{file} can be written")


def _unwritable(file: Path, cause: str) -> Finding:
    advice = "let this user write there, or name another database or server: MLFLOW_TRACKING_URI"
    return Finding("mlflow", "fail", f"{file}: {cause}", advice)


def _database(uri: str) -> Finding:
    # Here, because it takes as long to import as all else takes.
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import SQLAlchemyError

    shown = display(uri)
    try:
        _knock(uri)
        with create_engine(uri).connect() as connection:
            connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, ImportError, OSError) as error:
        found = f"{shown}: {str(error).partition(chr(10))[0]}"
        return Finding("mlflow", "fail", found, "start the database, or correct its URI")
    return Finding("mlflow", "ok", f"{shown} answers")


def _knock(uri: str) -> None:
    """Connect to the port of a database, whose driver would wait for minutes; raises OSError."""
    parts = urlsplit(uri)
    port = parts.port or PORTS.get(parts.scheme.partition("+")[0])
    if parts.hostname and port:
        socket.create_connection((parts.hostname, port), SECONDS).close()
