"""Images that a network was trained on, as they are stored: the members of its training."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import numpy as np

from workers.contracts import DataError, DataSet, Images
from workers.images.prefetch import Pixels, decode_batches
from workers.images.streamed import Listing, StreamedDataSet
from workers.training.device_data import Examples
from workers.training.train_data import TrainData

BATCH = 64


def members_of(
    train: TrainData, data_set: DataSet, count: int, *, content: str, cache: Path, threads: int
) -> Images:
    """Return the first ``count`` images that networks are fitted to, or all if there are fewer.

    The order of the fitted part is a fixed random one. Images that stay on disk are decoded once,
    to a file in ``cache``, which is memory-mapped: 1.5 GB for 10,000 of ImageNet.

    Args:
        train: the train split, parted.
        data_set: what it was loaded from.
        count: how many.
        content: identifies what the files hold and how they are decoded.
        cache: folder of that file; several processes may share it.
        threads: that decode.

    Raises:
        DataError: an image cannot be decoded, or the file not be written.

    """
    match train.fit:
        case Examples(pixels, labels):
            return Images(pixels[:count].cpu().numpy(), labels[:count].cpu().numpy())
        case Listing() as listing if isinstance(data_set, StreamedDataSet):
            fitted = listing.take(np.arange(min(count, len(listing))))
            return _decoded(fitted, data_set, content, cache, threads)
    raise DataError(f"cannot tell what networks on {type(data_set).__name__} were trained on")


def _decoded(
    listing: Listing, data_set: StreamedDataSet, content: str, cache: Path, threads: int
) -> Images:
    made_of = repr((content, *listing.paths))
    path = cache / "inputs" / f"{sha256(made_of.encode()).hexdigest()}.npy"
    if not path.exists():
        _decode(path, listing, data_set, threads)
    stored: Pixels = np.load(path, mmap_mode="r", allow_pickle=False)
    if data_set.labels == "map":
        return Images(stored[..., :-1], stored[..., -1])
    return Images(stored, listing.labels.astype(np.int64, copy=False))


def _decode(path: Path, listing: Listing, data_set: StreamedDataSet, threads: int) -> None:
    """Write beside ``path``, then rename; processes that race write the same bytes."""
    views = [listing.view(index) for index in range(len(listing))]
    batches = (views[first : first + BATCH] for first in range(0, len(views), BATCH))
    shape = (len(views), *data_set.shape)
    unfinished = path.with_suffix(f".{uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stored = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.uint8, shape=shape)
        first = 0
        for block in decode_batches(data_set.decode, batches, data_set.shape, threads):
            stored[first : first + len(block)] = block
            first += len(block)
        stored.flush()
        unfinished.replace(path)
    except OSError as error:
        raise DataError(
            f"cannot write {path} ({error.strerror}), where training images are decoded to once"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
