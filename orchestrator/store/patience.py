"""Trying again: what is passing is waited out for a bounded time, the rest is told at once."""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from orchestrator.store.errors import RefusedStoreError, StoreError, UnreachableStoreError, full

FIRST_DELAY, LAST_DELAY = 0.1, 5.0
TOLD_FROM = 1.0

_PASSING = re.compile(
    r"NETWORK_CONNECTION|SLOW_DOWN|THROTTLING|REQUEST_TIMEOUT|REQUEST_LIMIT|BANDWIDTH_LIMIT"
    r"|INTERNAL_FAILURE|SERVICE_UNAVAILABLE|HTTP status (408|429|5\d\d)"
)
_FULL = re.compile(r"HTTP status 507|StorageFull|QuotaExceeded")
_REQUEST_ID = re.compile(r" \(Request ID: [^)]*\)")

P = ParamSpec("P")
T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """Runs operations on the store called ``store``, each for up to ``seconds``.

    The last try may outlast them by the timeout of one request. Operations may be done twice.
    """

    store: str
    seconds: float

    def __call__(self, operation: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what ``operation`` does once it succeeds.

        Raises:
            FileNotFoundError: as ``operation`` says.
            StoreFullError: there is no room.
            RefusedStoreError: the store answered no; another try would be answered the same.
            UnreachableStoreError: the time is over.

        """
        end, delay = time.monotonic() + self.seconds, FIRST_DELAY
        while True:
            try:
                return operation(*args, **kwargs)
            except (FileNotFoundError, StoreError):
                raise
            except OSError as error:
                cause = self._passing(error)
                if time.monotonic() + delay > end:
                    raise UnreachableStoreError(
                        f"the store {self.store} could not be reached for {self.seconds:g} seconds "
                        f"({cause}): what was committed is whole; run the same command again once "
                        "it answers"
                    ) from error
            if TOLD_FROM <= delay < 2 * TOLD_FROM:  # once
                _log.warning("the store %s does not serve (%s); trying again", self.store, cause)
            time.sleep(delay * random.uniform(0.5, 1.0))
            delay = min(2 * delay, LAST_DELAY)

    def _passing(self, error: OSError) -> str:
        """Return the cause, if it may pass; raise what tells of it, if not."""
        cause = _REQUEST_ID.sub("", str(error)).rpartition("AWS Error ")[2].strip()
        if _FULL.search(cause):
            raise full(self.store, cause) from error
        if _PASSING.search(cause):
            return cause
        raise RefusedStoreError(
            f"the store {self.store} refuses: {cause}; check the bucket, the endpoint, the region, "
            "and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"
        ) from error
