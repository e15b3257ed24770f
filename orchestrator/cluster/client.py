"""The Jobs API of Ray's dashboard: within bounded time, and with its errors in our words."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from ray.exceptions import AuthenticationError
from ray.job_submission import JobSubmissionClient

from orchestrator.cluster.errors import ClusterError, ClusterSilentError

TIMEOUT = 30.0
"""Seconds that a request may wait for the next bytes; Ray's client would wait for ever."""

_SERVER_ERROR = re.compile(r"status code 5\d\d")

# They tell of every upload and of every connection that is closed.
for _chatty in ("modules.dashboard_sdk", "modules.job.sdk"):
    logging.getLogger(f"ray.dashboard.{_chatty}").setLevel(logging.WARNING)
logging.getLogger("ray._private.runtime_env.packaging").setLevel(logging.WARNING)


class Client(JobSubmissionClient):
    """Ray's client, which waits for no answer for ever and can read the end of a log alone."""

    def _do_request(self, method: str, endpoint: str, **more: Any) -> Any:
        return super()._do_request(method, endpoint, **{"timeout": TIMEOUT, **more})

    def log_end(self, submission_id: str, node: str, lines: int) -> str:
        """Read the last ``lines`` of the log of a job whose driver is on ``node``.

        Ray's ``get_log`` does the same, but for who is inside of the cluster.
        """
        about = {"submission_id": submission_id, "node_id": node, "lines": lines}
        reply = self._do_request("GET", f"/api/v0/logs/file?{urlencode(about)}")
        if reply.status_code != 200:
            self._raise_error(reply)
        return str(reply.content.decode(errors="replace"))


@contextmanager
def reaching(address: str) -> Iterator[None]:
    """Word what goes wrong with a request to the cluster at ``address``.

    Raises:
        ClusterSilentError: it may pass.
        ClusterError: it will not.

    """
    try:
        yield
    except AuthenticationError:
        raise ClusterError(
            f"the cluster at {address} asks for a token: set RAY_AUTH_MODE=token, and "
            "RAY_AUTH_TOKEN_PATH to the file that holds the cluster's own"
        ) from None
    except OSError as error:
        raise ClusterSilentError(
            f"no Ray cluster answers at {address}: expected the address of its dashboard, "
            f"as http://head:8265 ({_first_line(error)})"
        ) from None
    except (RuntimeError, ValueError) as error:
        told = _first_line(error)
        kind = ClusterSilentError if _SERVER_ERROR.search(told) else ClusterError
        raise kind(f"the cluster at {address}: {told}") from None


def _first_line(error: BaseException) -> str:
    text = str(error).strip().partition("\n")[0]
    return text[:300] or type(error).__name__
