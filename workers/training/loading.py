"""Loads a train split: onto the device if it fits there, else to be decoded while training."""

from __future__ import annotations

from pathlib import Path

import torch

from workers.contracts import DataSet
from workers.images.streamed import StreamedDataSet
from workers.training.device_data import DeviceData
from workers.training.streamed_data import StreamedData
from workers.training.train_data import TrainData


def load_train_data(
    data_set: DataSet, root: Path, device: torch.device, *, multiple: int = 1, threads: int = 1
) -> TrainData:
    """Part the train split of ``data_set`` and make it ready for ``device``.

    Args:
        data_set: what to load.
        root: of the data.
        device: where batches are wanted.
        multiple: what is held out is rounded up to a multiple of this many examples.
        threads: that decode, for a data set that stays on disk.

    Raises:
        DataError: the data are missing or unreadable, or nothing is left to fit to.

    """
    if isinstance(data_set, StreamedDataSet):
        return StreamedData(data_set, root, device, multiple=multiple, threads=threads)
    return DeviceData(data_set, root, device, multiple=multiple)
