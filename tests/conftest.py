"""A sweep small enough to run in a few seconds, shared by many tests."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import settings

# A shell that starts a job in the background has it ignore SIGINT, and its children with it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no reason to fail.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

TINY: dict[str, Any] = {
    "name": "tiny",
    "networks": [
        {
            "model": {"resnet8": {"width": 4}},
            "data": "digits",
            "training": {"epochs": 2, "batch_size": 128, "lr": 0.1, "schedule": "cosine"},
            "retraining": {"epochs": 1},
        }
    ],
    "seeds": [0, 1],
    "methods": ["wt", "ft"],
    "ratios": [0.3, 0.6],
    "tasks": {
        "train": ["nominal"],
        "test": [{"uniform_input_noise": {"level": 0.5}}, {"contrast": {"severity": 3}}],
    },
    "analysis": {"resamples": 100},
    "store": "store",
    "data_root": "data",
}


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[..., Path]:
    """Write the tiny sweep, with some keys changed, and return its file."""

    def write(filename: str = "tiny.yaml", **changes: Any) -> Path:
        file = tmp_path / filename
        file.write_text(yaml.safe_dump(TINY | changes, sort_keys=False))
        return file

    return write


@pytest.fixture
def voc_root(tmp_path: Path) -> Path:
    """Write Pascal VOC and SBD as their archives extract: 22 labelled images, of which 4 test.

    SBD labels 0 to 19 with 10 to 19 as its test images, VOC labels 16 to 21 with the last 4.
    Everything in an image is of class 0 but a rectangle of class 1 + index % 3, black on white;
    VOC leaves its upper row unlabelled.
    """
    import numpy as np
    from PIL import Image
    from scipy.io import savemat

    sbd, voc = tmp_path / "benchmark_RELEASE" / "dataset", tmp_path / "VOCdevkit" / "VOC2012"
    lists = voc / "ImageSets" / "Segmentation"
    for folder in (sbd / "img", sbd / "cls", voc / "JPEGImages", voc / "SegmentationClass", lists):
        folder.mkdir(parents=True)
    for index in range(22):
        name, labels = f"2008_{index:06}", np.zeros((30, 40), np.uint8)
        labels[5 : 12 + index % 7, 8 : 20 + index % 11] = 1 + index % 3
        image = Image.fromarray(np.where(labels[..., None] > 0, np.uint8([0, 0, 0]), np.uint8(255)))
        image.save(voc / "JPEGImages" / f"{name}.jpg", quality=95)
        if index < 20:
            image.save(sbd / "img" / f"{name}.jpg", quality=95)
            content = {"GTcls": {"Segmentation": labels, "CategoriesPresent": labels.max()}}
            path = sbd / "cls" / f"{name}.mat"
            savemat(path, content, do_compression=True)
            # Its header says when it was written; fingerprint, keys and seeds would differ.
            path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(116) + path.read_bytes()[116:])
        if index >= 16:
            labels[0] = 255
            Image.fromarray(labels).convert("P").save(voc / "SegmentationClass" / f"{name}.png")
    for folder, chosen in ((lists, range(18, 22)), (sbd, range(10, 20))):
        (folder / "val.txt").write_text("".join(f"2008_{index:06}\n" for index in chosen))
    return tmp_path


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[[str, str], Path]]:
    """Mount file systems of a given size below the test's folder, where that is possible."""
    folders: list[Path] = []

    def mount(name: str, size: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except FileNotFoundError:
            pytest.skip("there is no command 'mount'")
        if done.returncode:
            pytest.skip(f"a file system cannot be mounted here: {done.stderr.strip()}")
        folders.append(folder)
        return folder

    yield mount
    for folder in folders:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
