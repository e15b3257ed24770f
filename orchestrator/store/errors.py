"""What can go wrong with a store as a whole; each message says how to go on."""

from __future__ import annotations

from workers.contracts import PermanentError


class StoreError(Exception):
    """A store cannot be opened or used as asked; the message says what was expected."""


class RefusedStoreError(StoreError, PermanentError):
    """Object storage answered, and said no: a missing bucket, wrong credentials, a wrong region."""


class StoreFullError(StoreError, PermanentError, OSError):
    """No room is left; what was being written does not count, what was committed is whole."""


class UnreachableStoreError(StoreError, OSError):
    """Object storage could not be reached, or was too busy, for as long as was to be waited."""


def full(store: str, cause: str) -> StoreFullError:
    """Word that there is no room in ``store``."""
    return StoreFullError(
        f"the store {store} is full ({cause}): what was committed is whole; "
        "make room and run the same command again"
    )
