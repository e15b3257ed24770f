"""The cache of corrupted images: shared, repeatable, and safe against torn files and races."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from workers.evaluation.inputs import corrupt_block, task_pixels
from workers.evaluation.seeding import BLOCK, block_generator
from workers.tasks.gaussian_noise import GaussianNoise
from workers.tasks.nominal import Nominal

CLEAN = np.random.default_rng(0).integers(0, 256, (2 * BLOCK + 44, 6, 5, 3)).astype(np.uint8)
NOISE = GaussianNoise(severity=5)


def noisy(cache, pixels=CLEAN, key="noise", fingerprint="data"):
    return task_pixels(pixels, NOISE, key=key, fingerprint=fingerprint, cache=cache)


def files(cache):
    return sorted((cache / "inputs").iterdir())


def test_clean_pixels_are_not_copied(tmp_path):
    same = task_pixels(CLEAN, Nominal(), key="k", fingerprint="f", cache=tmp_path)
    assert same is CLEAN
    assert not list(tmp_path.iterdir())


def test_cached_file_is_a_read_only_map_of_every_block(tmp_path):
    stored = noisy(tmp_path)
    assert isinstance(stored, np.memmap)
    assert not stored.flags.writeable
    blocks = [corrupt_block(CLEAN, NOISE, "noise", index) for index in range(3)]
    assert np.array_equal(stored, np.concatenate(blocks))
    assert not np.array_equal(stored, CLEAN)
    assert np.array_equal(np.load(files(tmp_path)[0]), stored), "an ordinary .npy"


def test_second_use_generates_nothing(tmp_path, monkeypatch):
    first = noisy(tmp_path)
    monkeypatch.setattr(GaussianNoise, "corrupt", None)
    assert np.array_equal(noisy(tmp_path), first)


def test_result_depends_on_the_task_key_and_not_on_later_examples(tmp_path):
    assert np.array_equal(noisy(tmp_path / "a", CLEAN[:BLOCK]), noisy(tmp_path)[:BLOCK])
    assert not np.array_equal(noisy(tmp_path, key="other"), noisy(tmp_path))


def test_each_data_set_and_task_has_its_own_file(tmp_path):
    for key, fingerprint in [("a", "x"), ("b", "x"), ("a", "y"), ("a", "x")]:
        noisy(tmp_path, key=key, fingerprint=fingerprint)
    assert len(files(tmp_path)) == 3


@pytest.mark.parametrize("keep", [0, 10, 1000, -1])
def test_torn_file_is_made_again(tmp_path, keep):
    expected = np.array(noisy(tmp_path))
    (path,) = files(tmp_path)
    path.write_bytes(path.read_bytes()[:keep])
    assert np.array_equal(noisy(tmp_path), expected)


def test_flipped_byte_is_made_again(tmp_path):
    expected = np.array(noisy(tmp_path))
    (path,) = files(tmp_path)
    content = bytearray(path.read_bytes())
    content[500] ^= 1
    path.write_bytes(content)
    assert np.array_equal(noisy(tmp_path), expected)


def test_failed_generation_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("no")

    monkeypatch.setattr(GaussianNoise, "corrupt", fail)
    with pytest.raises(RuntimeError):
        noisy(tmp_path)
    assert files(tmp_path) == []


RACER = """
import sys
from pathlib import Path
import numpy as np
from workers.evaluation.inputs import task_pixels
from workers.tasks.gaussian_noise import GaussianNoise
clean = np.zeros((600, 16, 16, 3), np.uint8)
cache = Path(sys.argv[1])
for key in "abcde":
    made = task_pixels(clean, GaussianNoise(), key=key, fingerprint="f", cache=cache)
    print(int(made.sum()))
"""


@pytest.mark.slow
def test_processes_may_race(tmp_path):
    racers = [
        subprocess.Popen([sys.executable, "-c", RACER, tmp_path], stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    said = [racer.communicate()[0] for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    assert said[0] == said[1] == said[2] != b""
    assert len(files(tmp_path)) == 5


def test_blocks_draw_different_numbers():
    seeds = {block_generator(key, block).initial_seed() for key in "ab" for block in range(50)}
    assert len(seeds) == 100
