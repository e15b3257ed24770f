"""Data sets that torchvision downloads, checked against their published checksums."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from workers.contracts import DataError
from workers.images.limited import LimitedDataSet


@dataclass(frozen=True, kw_only=True)
class DownloadedDataSet(LimitedDataSet):
    """A data set that is downloaded when it is first read.

    ``torchvision_name`` is its class there, ``home`` where it comes from, ``checksums`` the
    published MD5 by downloaded file, ``folder`` what there is under the data root afterwards.
    """

    torchvision_name: ClassVar[str]
    home: ClassVar[str]
    checksums: ClassVar[Mapping[str, str]]
    folder: ClassVar[str]

    def fingerprint(self, root: Path) -> str:
        """Return the published checksums, without downloading anything."""
        return "-".join(self.checksums.values())

    def available(self, root: Path) -> bool:
        """Tell whether the folder is there."""
        return (root / self.folder).exists()

    @contextmanager
    def downloaded(self, root: Path) -> Iterator[Any]:
        """Download what is missing, and yield torchvision's class to read it with.

        Raises:
            DataError: the files cannot be downloaded, or those that are there cannot be read.

        """
        from torchvision import datasets

        source = getattr(datasets, self.torchvision_name)
        # A folder that is there but damaged fails its checksums below, rather than being replaced.
        if not self.available(root):
            self._download(source, root)
        try:
            yield source
        except (OSError, RuntimeError) as error:
            raise DataError(
                f"{root / self.folder} is incomplete or damaged; delete the folder to have "
                f"it downloaded again ({error})"
            ) from error

    def fetch(self, source: Any, root: Path) -> None:
        """Have torchvision's class download both splits to ``root``, and check them."""
        source(root, download=True)

    def remedy(self, root: Path) -> str:
        """Say what to put where when there is no download."""
        return f"put {', '.join(self.checksums)} into {root / self.folder}"

    def _download(self, source: Any, root: Path) -> None:
        """Download beside, then rename: workers that start together never see half a data set."""
        folder = root / self.folder
        try:
            root.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(dir=root, prefix=".download-") as beside:
                self.fetch(source, Path(beside))
                folder.parent.mkdir(exist_ok=True)
                # Another worker may have been faster; its copy is as good.
                with suppress(OSError):
                    (Path(beside) / self.folder).rename(folder)
        except (OSError, RuntimeError) as error:
            raise DataError(
                f"cannot download {self.torchvision_name} from {self.home} ({error}); "
                f"{self.remedy(root)}"
            ) from error
