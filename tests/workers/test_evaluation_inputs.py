"""The cache of corrupted images: shared, repeatable, and safe against torn files and races."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from workers.evaluation.inputs import corrupt_block, task_pixels
from workers.evaluation.seeding import BLOCK, block_generator, block_size
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


def test_failed_generation_is_gone_on_with(tmp_path, monkeypatch):
    made, corrupt = [], GaussianNoise.corrupt

    def fail_at_the_second(*arguments):
        if len(made) == 1:
            raise RuntimeError("no")
        made.append(arguments)
        return corrupt(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(GaussianNoise, "corrupt", fail_at_the_second)
        with pytest.raises(RuntimeError, match="no"):
            noisy(tmp_path)
    monkeypatch.setattr(GaussianNoise, "corrupt", lambda *a: made.append(a) or corrupt(*a))
    assert np.array_equal(noisy(tmp_path)[:BLOCK], corrupt_block(CLEAN, NOISE, "noise", 0))
    assert len(made) == 1 + 2 + 1, "one before the failure, the other two, and one to compare with"


def test_only_a_damaged_block_is_made_again(tmp_path, monkeypatch):
    expected = np.array(noisy(tmp_path))
    (path,) = files(tmp_path)
    with path.open("r+b") as file:
        file.seek(-40, 2)  # in the last but one of three checksums
        file.write(b"damaged!")
    made, corrupt = [], GaussianNoise.corrupt
    monkeypatch.setattr(GaussianNoise, "corrupt", lambda *a: made.append(a) or corrupt(*a))
    assert np.array_equal(noisy(tmp_path), expected)
    assert len(made) == 1


def test_bytes_do_not_depend_on_the_number_of_threads(tmp_path):
    before = torch.get_num_threads()
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            noisy(tmp_path / str(threads))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    one, three = (files(tmp_path / threads)[0].read_bytes() for threads in "13")
    assert one == three


@pytest.mark.parametrize(
    ("side", "images"), [(8, 256), (32, 256), (64, 256), (65, 248), (224, 20), (2000, 1)]
)
def test_blocks_of_large_images_have_fewer(side, images):
    assert block_size((1000, side, side, 3)) == images


def test_a_file_system_without_locks_will_do(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOLCK, "no locks here")

    expected = np.array(noisy(tmp_path / "locked"))
    monkeypatch.setattr(fcntl, "lockf", fail)
    assert np.array_equal(noisy(tmp_path / "free"), expected)


RACER = """
import os, sys, time
from pathlib import Path
import numpy as np, torch
from workers.evaluation.inputs import task_pixels
from workers.tasks.gaussian_noise import GaussianNoise
torch.set_num_threads(2)
corrupt = GaussianNoise.corrupt
def slowly(*arguments):
    os.write(1, b"block\\n")
    time.sleep(float(sys.argv[2]))
    return corrupt(*arguments)
GaussianNoise.corrupt = slowly
clean = np.zeros((10 * 256, 4, 4, 3), np.uint8)
made = task_pixels(clean, GaussianNoise(), key="k", fingerprint="f", cache=Path(sys.argv[1]))
print(int(made.sum()))
"""


def racer(cache, seconds):
    command = [sys.executable, "-c", RACER, cache, str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_processes_share_the_work(tmp_path):
    racers = [racer(tmp_path, 1) for _ in range(3)]
    said = [racer.communicate()[0].split() for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    assert len({lines[-1] for lines in said}) == 1
    assert sum(lines.count("block") for lines in said) == 10, "each block is made once"
    assert len(files(tmp_path)) == 1


@pytest.mark.slow
def test_others_make_the_blocks_of_a_process_that_is_killed(tmp_path):
    victim = racer(tmp_path, 3600)
    assert [victim.stdout.readline() for _ in range(2)] == ["block\n"] * 2, "one for each thread"
    other = racer(tmp_path, 0)
    assert [other.stdout.readline() for _ in range(8)] == ["block\n"] * 8
    assert other.poll() is None, "it waits for the two that are held"
    victim.kill()
    assert other.communicate(timeout=60)[0].split()[:-1] == ["block"] * 2
    victim.communicate()


def test_blocks_draw_different_numbers():
    seeds = {block_generator(key, block).initial_seed() for key in "ab" for block in range(50)}
    assert len(seeds) == 100


def test_a_disk_that_takes_parts_gets_all_of_them(tmp_path, monkeypatch):
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, part, at: whole(file, part[:1000], at))
    assert np.array_equal(noisy(tmp_path), noisy(tmp_path / "other"))


def test_a_disk_that_fills_up_is_an_error_and_leaves_no_block_that_seems_whole(
    tmp_path, monkeypatch
):
    left, whole = [30_000], os.pwrite

    def full(file, part, at):
        taken = min(len(part), left[0])
        if not taken:
            raise OSError(errno.ENOSPC, "No space left on device")
        left[0] -= taken
        return whole(file, part[:taken], at)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="No space left"):
            noisy(tmp_path)
    assert np.array_equal(noisy(tmp_path), noisy(tmp_path / "other"))
