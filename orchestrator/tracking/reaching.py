"""What went wrong between here and MLflow, in one line."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.tracking.location import TrackingError, censored, display

# The server's API and its artifacts word it differently.
_REFUSED = re.compile(r"error code (401|403)\b|\b(401|403) Client Error")
_LONGEST = 300


@contextmanager
def reaching(uri: str) -> Iterator[None]:
    """Say in one line what went wrong with MLflow at ``uri``.

    Raises:
        TrackingError: MLflow refused, or did not answer.

    """
    try:
        yield
    except (MlflowException, SQLAlchemyError, sqlite3.Error, ImportError, OSError) as error:
        raise TrackingError(f"cannot write to MLflow at {display(uri)}: {_cause(error)}") from error


def _cause(error: Exception) -> str:
    text = " ".join(censored(str(error)).split()) or type(error).__name__
    if "Invalid Host header" in text:
        return "it refuses this name (403); add it to the server's --allowed-hosts"
    if refused := _REFUSED.search(text):
        return (
            f"it refuses this user ({refused[1] or refused[2]}); "
            "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or ask for permission"
        )
    if "Max retries exceeded" in text:
        return "it answers with errors" if "error responses" in text else "no answer"
    return text if len(text) < _LONGEST else f"{text[:_LONGEST]}…"
