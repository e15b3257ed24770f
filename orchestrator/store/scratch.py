"""Room for the half-done work of one key: a blob that reads whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from orchestrator.store.storage import Storage

SCRATCH = "scratch"


@dataclass(frozen=True)
class ScratchFile:
    """One blob, written atomically behind its checksum."""

    storage: Storage
    path: str

    def read(self) -> bytes | None:
        """Return what was last written, or None if there is nothing or it is damaged."""
        try:
            digest, _, content = self.storage.read(self.path).partition(b"\n")
        except FileNotFoundError:
            return None
        return content if digest == sha256(content).hexdigest().encode() else None

    def write(self, content: bytes) -> None:
        """Replace the content atomically."""
        digest = sha256(content).hexdigest().encode()
        self.storage.write(self.path, digest + b"\n" + content)

    def clear(self) -> None:
        """Forget the content."""
        self.storage.remove_file(self.path)
