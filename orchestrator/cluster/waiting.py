"""Waiting for a cluster, for a bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from orchestrator.cluster.errors import ClusterError, ClusterSilentError

PAUSE = 0.5
"""Seconds between two attempts."""
PATIENCE = 60.0
"""Seconds for which a cluster may give no answer in the middle of something."""

T = TypeVar("T")


def wait_for(ask: Callable[[], T | None], seconds: float) -> T | None:
    """Return the first answer of ``ask`` that is not None; None if there is none in ``seconds``."""
    deadline = time.monotonic() + seconds
    while (answer := ask()) is None and time.monotonic() < deadline:
        time.sleep(PAUSE)
    return answer


def persist(attempt: Callable[[], T], passing: Callable[[ClusterError], bool], seconds: float) -> T:
    """Return what ``attempt`` does once it succeeds.

    Raises:
        ClusterError: an error that is not ``passing``, or the last one after ``seconds``.

    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except ClusterError as error:
            if not passing(error) or time.monotonic() > deadline:
                raise
        time.sleep(PAUSE)


def patiently(attempt: Callable[[], T]) -> T:
    """Return what ``attempt`` does, once it is answered.

    Raises:
        ClusterSilentError: the cluster gave no answer for ``PATIENCE`` seconds.
        ClusterError: it refuses.

    """
    return persist(attempt, lambda error: isinstance(error, ClusterSilentError), PATIENCE)
