"""The bytes of a store on S3 or its kin: few requests, and patience with each."""

from __future__ import annotations

import os
from typing import Any

from pyarrow import fs

from orchestrator.store.errors import RefusedStoreError, StoreError
from orchestrator.store.location import S3Location
from orchestrator.store.patience import Patience
from orchestrator.store.storage import Storage

CONNECT_SECONDS = 10
SILENCE_SECONDS = 20
UNREAD = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


class S3Storage(Storage):
    """A folder of a bucket; credentials come from the environment, as for every AWS tool."""

    def __init__(self, location: S3Location) -> None:
        """Look for the bucket, in one request.

        Raises:
            StoreError: there is no such bucket, or the environment names another endpoint.
            RefusedStoreError: the credentials are no good.
            UnreachableStoreError: nobody answers.

        """
        _check_endpoint(location)
        self._patience = Patience(location.name, location.retry_seconds)
        filesystem = fs.S3FileSystem(
            endpoint_override=location.endpoint,
            scheme=location.scheme,
            region=_region(location, self._patience),
            connect_timeout=CONNECT_SECONDS,
            request_timeout=SILENCE_SECONDS,
            allow_delayed_open=True,  # a small file is one request, not three
            background_writes=False,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=1),
        )
        super().__init__(filesystem, location.root)
        bucket = self._patience(filesystem.get_file_info, location.bucket)
        if bucket.type == fs.FileType.NotFound:
            raise RefusedStoreError(
                f"there is no bucket for the store {location.name}; make it first"
            )

    def read(self, path: str, limit: int | None = None) -> bytes:
        """Return a file's content, at the price of HEAD and GET."""
        return self._patience(super().read, path, limit)

    def write(self, path: str, content: bytes) -> None:
        """Replace a file atomically: one PUT, or an upload in parts if it is large."""
        self._patience(super().write, path, content)

    def remove_file(self, path: str) -> None:
        """Remove a file: HEAD, then DELETE and PUT of the folder's own marker if it is there."""
        self._patience(super().remove_file, path)

    def remove(self, path: str) -> None:
        """Remove a file, or a folder marker first."""
        self._patience(super().remove, path)

    def _infos(self, folder: str, *, recursive: bool) -> list[Any]:
        return self._patience(super()._infos, folder, recursive=recursive)


def _check_endpoint(location: S3Location) -> None:
    """Refuse an endpoint that Arrow ignores, and that workers elsewhere would not be told."""
    set_ones = [name for name in UNREAD if os.environ.get(name)]
    if set_ones and not location.endpoint:
        raise StoreError(
            f"{set_ones[0]} is set but not read, since workers may run elsewhere: write "
            "endpoint_override=host:port into the URI of the store"
        )


def _region(location: S3Location, patience: Patience) -> str:
    """Choose the URI's region, the environment's, or where Amazon says that the bucket is."""
    named = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if location.region or named:
        return str(location.region or named)
    if location.endpoint:
        return "us-east-1"
    return str(patience(fs.resolve_s3_region, location.bucket))
