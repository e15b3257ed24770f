"""Seconds of one thread to corrupt 1,000 colour images of 32 × 32, severities 1, 3 and 5 averaged.

``vectorised`` is this package; ``per image`` is a plain loop over NumPy, SciPy and Pillow that
follows the published definition of each corruption. Both run interleaved; medians are shown.

    python benchmarks/corruptions.py
"""

from __future__ import annotations

import colorsys
import io
import time
from collections.abc import Callable
from statistics import mean, median

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from workers.contracts import Component
from workers.evaluation.inputs import BLOCK, corrupt_block
from workers.registry import TASKS
from workers.tasks import (
    brightness,
    contrast,
    gaussian_blur,
    gaussian_noise,
    impulse_noise,
    jpeg,
    pixelate,
    shot_noise,
)

IMAGES, ROUNDS, SEVERITIES = 1000, 5, (1, 3, 5)
DRAW = np.random.default_rng(0)
Floats = NDArray[np.float64]
Levels = NDArray[np.uint8]


def loop_gaussian_noise(image: Levels, severity: int) -> Floats:
    return image / 255 + DRAW.normal(0, gaussian_noise.DEVIATION[severity - 1], image.shape)


def loop_shot_noise(image: Levels, severity: int) -> Floats:
    photons = shot_noise.PHOTONS[severity - 1]
    return DRAW.poisson(image / 255 * photons) / photons


def loop_impulse_noise(image: Levels, severity: int) -> Floats:
    flipped = DRAW.random(image.shape) < impulse_noise.AMOUNT[severity - 1]
    salt = DRAW.random(image.shape) < 0.5
    return np.where(flipped, salt.astype(float), image / 255)


def loop_gaussian_blur(image: Levels, severity: int) -> Floats:
    deviation = gaussian_blur.DEVIATION[severity - 1]
    blurred: Floats = gaussian_filter(image / 255, (deviation, deviation, 0), mode="nearest")
    return blurred


def loop_contrast(image: Levels, severity: int) -> Floats:
    pixels = image / 255
    centre = pixels.mean((0, 1), keepdims=True)
    return (pixels - centre) * contrast.FACTOR[severity - 1] + centre


def loop_brightness(image: Levels, severity: int) -> Floats:
    """Convert whole images to HSV and back, as the published code does with scikit-image."""
    pixels = image / 255
    value, low = pixels.max(2), pixels.min(2)
    spread = value - low
    with np.errstate(divide="ignore", invalid="ignore"):
        saturation = np.where(value > 0, spread / value, 0)
        red, green, blue = np.moveaxis(pixels, 2, 0)
        hue = np.select(
            [red == value, green == value],
            [(green - blue) / spread, 2 + (blue - red) / spread],
            4 + (red - green) / spread,
        )
    hue = np.where(spread > 0, hue, 0)[..., None]
    raised = np.minimum(value + brightness.ADDEND[severity - 1], 1)[..., None]
    turn = (np.array([5, 3, 1]) + hue) % 6
    wave = np.clip(np.minimum(turn, 4 - turn), 0, 1)
    return raised - raised * saturation[..., None] * wave


def loop_pixelate(image: Levels, severity: int) -> Floats:
    side = int(len(image) * pixelate.SCALE[severity - 1])
    small = Image.fromarray(image).resize((side, side), Image.Resampling.BOX)
    return np.array(small.resize(image.shape[:2], Image.Resampling.BOX)) / 255


def loop_jpeg(image: Levels, severity: int) -> Floats:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=jpeg.QUALITY[severity - 1])
    return np.array(Image.open(buffer)) / 255


LOOPS = {
    name.removeprefix("loop_"): loop for name, loop in globals().items() if name.startswith("loop_")
}


def photos() -> Levels:
    rough = DRAW.uniform(0, 255, (IMAGES, 32, 32, 3))
    smooth = gaussian_filter(rough, (0, 2, 2, 0)) * 4 - 384
    return np.clip(smooth + 0.2 * rough, 0, 255).astype(np.uint8)


def per_image(images: Levels, name: str, severity: int) -> Levels:
    loop = LOOPS[name]
    return np.stack([np.uint8(np.clip(loop(image, severity), 0, 1) * 255) for image in images])


def vectorised(images: Levels, name: str, severity: int) -> Levels:
    task = TASKS.create(Component(name, {"severity": severity}))
    blocks = range(-(-len(images) // BLOCK))
    return np.concatenate([corrupt_block(images, task, name, block) for block in blocks])


def check_loops(images: Levels) -> None:
    """Refuse to time a loop that computes something else."""
    for pixel in images[0].reshape(-1, 3)[::50]:
        hue, saturation, value = colorsys.rgb_to_hsv(*(pixel / 255))
        expected = colorsys.hsv_to_rgb(hue, saturation, min(value + brightness.ADDEND[2], 1))
        np.testing.assert_allclose(loop_brightness(pixel[None, None], 3)[0, 0], expected, atol=1e-9)
    for name in LOOPS:
        ours, theirs = (f(images[:200], name, 3).astype(int) for f in (vectorised, per_image))
        if name.endswith("noise"):
            changes = [np.abs(made - images[:200].astype(int)).mean() for made in (ours, theirs)]
            np.testing.assert_allclose(changes[0], changes[1], rtol=0.05)
        else:
            assert np.abs(ours - theirs).max() <= 1, name


def seconds(corrupt: Callable[[Levels, str, int], Levels], images: Levels, name: str) -> float:
    def one(severity: int) -> float:
        start = time.process_time()
        corrupt(images, name, severity)
        return time.process_time() - start

    return mean(one(severity) for severity in SEVERITIES)


def main() -> None:
    torch.set_num_threads(1)
    images = photos()
    check_loops(images)
    rounds = [
        {(f, name): seconds(f, images, name) for name in LOOPS for f in (vectorised, per_image)}
        for _ in range(ROUNDS)
    ]
    print(f"{'corruption':16}{'vectorised':>12}{'per image':>12}{'ratio':>8}")
    totals = [0.0, 0.0]
    for name in LOOPS:
        ours, theirs = (median(r[f, name] for r in rounds) for f in (vectorised, per_image))
        totals = [totals[0] + ours, totals[1] + theirs]
        print(f"{name:16}{ours:12.4f}{theirs:12.4f}{theirs / ours:8.1f}")
    print(f"{'sum':16}{totals[0]:12.4f}{totals[1]:12.4f}{totals[1] / totals[0]:8.1f}")


if __name__ == "__main__":
    main()
