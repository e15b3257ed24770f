import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from workers.contracts import DataError
from workers.data.digits import Digits

HERE = Path()


def test_splits_hold_all_digits_once_scaled_to_bytes() -> None:
    images = [Digits().load(split, HERE) for split in ("train", "test")]
    ours = np.concatenate([np.column_stack([i.pixels.reshape(-1, 64), i.labels]) for i in images])
    bundled = load_digits()
    scaled = np.rint(bundled.data * 255 / 16)
    theirs = np.column_stack([scaled, bundled.target])
    assert [len(i.labels) for i in images] == [1078, 719]
    np.testing.assert_array_equal(np.unique(ours, axis=0), np.unique(theirs, axis=0))
    assert images[0].pixels.max() == 255


def test_split_is_stratified_and_fixed() -> None:
    train, again = (Digits().load("train", HERE) for _ in range(2))
    test = Digits().load("test", HERE)
    np.testing.assert_array_equal(train.pixels, again.pixels)
    shares = np.bincount(test.labels) / (np.bincount(test.labels) + np.bincount(train.labels))
    assert np.abs(shares - 0.4).max() < 0.005


def test_split_never_changes() -> None:
    labels = Digits().load("test", HERE).labels
    assert labels[:20].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 5, 5, 0, 9, 9, 8, 7, 1, 0, 2]
    train = sha256(Digits().load("train", HERE).pixels.tobytes())
    assert train.hexdigest() == "0d9f9f7371594fe1b19650fbdc18706a7fdb3dd469e2c3afd0c5bc24eb9d45b0"


def test_fraction_is_an_option_with_limits() -> None:
    assert len(Digits(test_fraction=0.1).load("test", HERE).labels) == 179
    with pytest.raises(DataError, match=r"expected 0 to below 1"):
        Digits(test_fraction=1.0).load("test", HERE)


def test_fingerprint_needs_neither_sklearn_nor_torch() -> None:
    script = (
        "import sys; from pathlib import Path; from workers.data.digits import Digits;"
        "print(Digits().fingerprint(Path())); assert not {'sklearn', 'torch'} & set(sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == Digits().fingerprint(HERE)
