"""The content-addressed store, and its care: verify what it holds, collect what nobody needs."""

from orchestrator.store.errors import StoreError
from orchestrator.store.objects import DamagedObjectError, MissingObjectError
from orchestrator.store.store import Index, Store

__all__ = ["DamagedObjectError", "Index", "MissingObjectError", "Store", "StoreError"]
