"""From the location of a store to its bytes."""

from __future__ import annotations

from pathlib import Path

from pyarrow import fs

from orchestrator.store.errors import StoreError
from orchestrator.store.local_storage import LocalStorage
from orchestrator.store.location import S3, check_location, parse_s3
from orchestrator.store.s3_storage import S3Storage
from orchestrator.store.storage import Storage


def open_storage(location: str | Path) -> Storage:
    """Open a local folder, ``s3://``, or any URI that ``pyarrow.fs`` takes; nothing is written.

    Raises:
        StoreError: the location is a file, or a URI that cannot be reached or understood.

    """
    uri = str(location)
    if "://" not in uri:
        return LocalStorage(Path(location))
    if check_location(uri).lower().startswith(S3):
        return S3Storage(parse_s3(uri))
    try:
        filesystem, root = fs.FileSystem.from_uri(uri)
    except (ValueError, NotImplementedError, OSError) as error:
        expected = "expected a folder, or a URI such as s3://bucket/folder"
        raise StoreError(f"cannot open the store {location}: {error}; {expected}") from error
    if isinstance(filesystem, fs.LocalFileSystem):
        return LocalStorage(Path(root))
    return Storage(filesystem, root)
