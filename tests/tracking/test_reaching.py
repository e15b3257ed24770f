"""What MLflow's refusals are told as."""

from __future__ import annotations

import pytest
from mlflow.exceptions import MlflowException

from orchestrator.tracking.location import TrackingError
from orchestrator.tracking.reaching import reaching

URI = "http://mlflow:5000"
LOG_IN = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or ask for permission"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "API request to endpoint /api/2.0/mlflow/experiments/get-by-name failed with error "
            "code 401 != 200. Response body: 'You are not authenticated.'",
            f"it refuses this user (401); {LOG_IN}",
        ),
        ("403 Client Error: FORBIDDEN for url: …", f"it refuses this user (403); {LOG_IN}"),
        (
            "API request to endpoint /api failed with error code 403 != 200. Response body: "
            "'Invalid Host header - possible DNS rebinding attack detected'",
            "it refuses this name (403); add it to the server's --allowed-hosts",
        ),
        (
            "Max retries exceeded with url: / (too many 500 error responses)",
            "it answers with errors",
        ),
        ("Max retries exceeded with url: / (connection refused)", "no answer"),
        (
            "507 Server Error: Insufficient Storage for url: http://ann:pass@word@mlflow:5000/api/x",
            "507 Server Error: Insufficient Storage for url: http://mlflow:5000/api/x",
        ),
        (
            "Invalid database URI: 'mysql+a+b://ann:pass/word@db/x?sslpassword=secret'.",
            "Invalid database URI: 'mysql+a+b://db/x?",
        ),
        (
            "no such file: sqlite:////home/a@b/mlflow.db",
            "no such file: sqlite:////home/a@b/mlflow.db",
        ),
        ("one\n  two", "one two"),
        ("x" * 400, "x" * 300 + "…"),
        ("", "MlflowException"),
    ],
)
def test_what_it_said_is_told_in_one_line(said: str, told: str) -> None:
    with pytest.raises(TrackingError) as caught, reaching(URI):
        raise MlflowException(said)
    assert str(caught.value) == f"cannot write to MLflow at {URI}: {told}"
