"""Where a store on S3 or its kin lies, read from a URI that may be shown to anybody.

``s3://bucket/folder?endpoint_override=http://host:9000&region=eu-west-1&retry_seconds=60``
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from orchestrator.store.errors import StoreError

S3 = "s3://"
OPTIONS = ("endpoint_override", "region", "retry_seconds", "scheme")
SECRETS = ("access_key", "secret_key", "session_token")
MAX_RETRY_SECONDS = 86_400.0

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


@dataclass(frozen=True, kw_only=True)
class S3Location:
    """A folder of a bucket, the server that has it, and how long to wait for that server.

    Attributes:
        bucket: its name.
        folder: the path in the bucket, without slashes at its ends; may be empty.
        endpoint: ``host`` or ``host:port`` of the server; None for Amazon's own.
        scheme: ``https`` or ``http``.
        region: None to ask the environment, or else Amazon.
        retry_seconds: how long an operation is tried again while the server does not serve.

    """

    bucket: str
    folder: str = ""
    endpoint: str | None = None
    scheme: str = "https"
    region: str | None = None
    retry_seconds: float = 60.0

    @property
    def root(self) -> str:
        """The bucket and the folder, as ``pyarrow.fs`` writes a path."""
        return f"{self.bucket}/{self.folder}".rstrip("/")

    @property
    def name(self) -> str:
        """What to call the store in a message."""
        return f"{S3}{self.root}" + (
            f" at {self.scheme}://{self.endpoint}" if self.endpoint else ""
        )


def check_location(location: str) -> str:
    """Return ``location`` if it is a folder or the URI of one, as far as can be told from here.

    Raises:
        StoreError: it is a URI that ``parse_s3`` refuses, or one with a password.

    """
    if location.lower().startswith(S3):
        parse_s3(location)
    elif re.match(r"\w+://[^@/?#]*:[^@]*@", location):
        raise StoreError(_secret("a password before '@'"))
    return location


def parse_s3(uri: str) -> S3Location:
    """Read an ``s3://`` URI.

    Raises:
        StoreError: it holds credentials, which are not shown; or something else is wrong with it.

    """
    place, _, query = uri[len(S3) :].partition("?")
    bucket, _, folder = place.partition("/")
    if "@" in place or ":" in bucket:  # a secret key may hold a slash
        raise StoreError(_secret("'@' or ':'"))
    if not _BUCKET.fullmatch(bucket):
        raise StoreError(f"'{bucket}' is no name of a bucket; expected s3://bucket/folder")
    options = _options(query)
    endpoint, scheme = _endpoint(options.get("endpoint_override"), options.get("scheme"))
    return S3Location(
        bucket=bucket,
        folder=_folder(unquote(folder)),
        endpoint=endpoint,
        scheme=scheme,
        region=_region(options.get("region")),
        retry_seconds=_seconds(options.get("retry_seconds", "60")),
    )


def _secret(found: str) -> str:
    return (
        f"credentials do not belong in the URI of a store, and it has {found}: set "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment instead"
    )


def _options(query: str) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True)
    for name, _ in pairs:
        if name in SECRETS:
            raise StoreError(_secret(f"'{name}'"))
        if name not in OPTIONS:  # not shown: it may be half of a secret
            raise StoreError(f"unknown option of an s3:// URI; expected {', '.join(OPTIONS)}")
    if len(dict(pairs)) < len(pairs):
        raise StoreError("an option of the s3:// URI is given twice")
    return dict(pairs)


def _folder(path: str) -> str:
    parts = [part for part in path.split("/") if part]
    if bad := [part for part in parts if part in (".", "..") or not part.isprintable()]:
        raise StoreError(f"{bad[0]!r} is no part of a path in a bucket")
    return "/".join(parts)


def _endpoint(written: str | None, scheme: str | None) -> tuple[str | None, str]:
    """Split ``http://host:9000`` or ``host:9000`` into the endpoint and the scheme."""
    if scheme not in (None, "http", "https"):
        raise StoreError("scheme: expected http or https")
    if written is None:
        return None, scheme or "https"
    before, _, host = written.rpartition("://")
    if "@" in written:
        raise StoreError(_secret("'@' in endpoint_override"))
    if before not in ("", "http", "https") or not _HOST.fullmatch(host := host.rstrip("/")):
        raise StoreError("endpoint_override: expected host:port or http://host:port")
    if before and scheme and before != scheme:
        raise StoreError(f"endpoint_override says {before}, scheme says {scheme}")
    return host, before or scheme or "https"


def _region(written: str | None) -> str | None:
    if written is not None and not re.fullmatch(r"[A-Za-z0-9-]+", written):
        raise StoreError("region: expected letters, digits and '-', as in eu-west-1")
    return written


def _seconds(written: str) -> float:
    try:
        seconds = float(written)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= MAX_RETRY_SECONDS:
        raise StoreError(f"retry_seconds: expected a number from 0 to {MAX_RETRY_SECONDS:g}")
    return seconds
