"""JPEG compression to the bit, all images at once, without writing the bits in between.

Coding the quantised coefficients loses nothing, so that only the arithmetic around it is done: that
of the Independent JPEG Group's library (its default, "slow integer" transform), which Pillow uses.
"""

from __future__ import annotations

from io import BytesIO
from math import gcd

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn.functional import pad

Steps = tuple[tuple[int, ...], ...]

LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
CHROMINANCE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)
"""Quantisation steps at quality 50, of ITU-T T.81, annex K."""
TRANSFORM = (
    (8192, 8192, 8192, 8192, 8192, 8192, 8192, 8192),
    (11363, 9633, 6437, 2260, -2260, -6437, -9633, -11363),
    (10703, 4433, -4433, -10703, -10703, -4433, 4433, 10703),
    (9633, -2259, -11362, -6436, 6436, 11362, 2259, -9633),
    (8192, -8192, -8192, 8192, 8192, -8192, -8192, 8192),
    (6437, -11362, 2261, 9633, -9633, -2261, 11362, -6437),
    (4433, -10704, 10704, -4433, -4433, 10704, -10704, 4433),
    (2260, -6436, 9633, -11363, 11363, -9633, 6436, -2260),
)
"""The library's cosine transform, its steps multiplied out: √8 · 2¹³ times the orthogonal one."""
SCALE_BITS, PASS_BITS = 13, 2
"""Fraction bits of the transform, and of what its first pass hands to the second."""
SIDE = 8
COLOUR_BITS = 16


def recode(levels: Tensor, quality: int) -> Tensor:
    """Compress and decompress images, the colours of which lie at half resolution (4:2:0).

    Args:
        levels: ``uint8`` (n, 1 or 3, height, width).
        quality: 1 to 100.

    Returns:
        The shape, type and device of ``levels``.

    """
    height, width = levels.shape[2:]
    if levels.shape[1] == 1:
        return _coded(levels[:, 0].int(), LUMINANCE, quality)[:, None].byte()
    luma, blue, red = _to_luma_and_colour(*levels.int().unbind(1))
    luma = _coded(luma, LUMINANCE, quality)
    colour = _coded(_halved(torch.cat([blue, red])), CHROMINANCE, quality)
    blue, red = _doubled(colour[:, :, : (width + 1) // 2])[:, :height, :width].chunk(2)
    return torch.stack(_to_rgb(luma, blue, red), 1).clamp_(0, 255).byte()


def recode_by_pillow(levels: Tensor, quality: int) -> Tensor:
    """Do the same through files in memory, image by image.

    Args:
        levels: ``uint8`` (n, 1 or 3, height, width), on the CPU.
        quality: 1 to 100.

    Returns:
        The shape and type of ``levels``.

    """
    # Stacking copies whole planes, which is faster than a permutation of all axes.
    images = torch.stack(levels.unbind(1), -1).numpy()
    recoded = np.stack([_through_file(image, quality) for image in images])
    return torch.from_numpy(recoded.reshape(images.shape)).permute(0, 3, 1, 2)


def _through_file(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    file = BytesIO()
    grey = image.shape[2] == 1
    Image.fromarray(image[..., 0] if grey else image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file, formats=["JPEG"]))


def _coded(plane: Tensor, steps: Steps, quality: int) -> Tensor:
    """Transform (n, height, width) in blocks, quantise, and transform back, cut to 8 bits.

    All numbers are whole and below 2⁵³, so that float64 is exact.
    """
    height, width = plane.shape[1:]
    plane = _repeated(plane, -height % SIDE, -width % SIDE).double() - 128
    matrix = torch.tensor(TRANSFORM, dtype=torch.float64, device=plane.device)
    step = _scaled(steps, quality).to(plane.device).T
    rows = _shifted(_times(plane, matrix.T), SCALE_BITS - PASS_BITS)
    # Transposed from here on. A coefficient is still 8 times too large, in units of its step.
    waves = _shifted(_times(rows.mT, matrix.T), SCALE_BITS + PASS_BITS)
    step = step.repeat(plane.shape[2] // SIDE, plane.shape[1] // SIDE)
    number = waves.abs().add_(4 * step).div_(8 * step).floor_().copysign_(waves)
    waves = number.mul_(step)
    columns = _shifted(_times(waves, matrix), SCALE_BITS - PASS_BITS)
    decoded = _shifted(_times(columns.mT, matrix), SCALE_BITS + PASS_BITS + 3)
    return decoded[:, :height, :width].add(128).clamp_(0, 255).int()


def _times(lines: Tensor, matrix: Tensor) -> Tensor:
    """Multiply every 8 numbers of the last axis by ``matrix``, up to four runs in one product."""
    runs = gcd(lines.shape[-1] // SIDE, 4)
    wide = torch.kron(torch.eye(runs).to(matrix), matrix.contiguous())
    product: Tensor = lines.reshape(-1, runs * SIDE) @ wide
    return product.view(lines.shape)


def _shifted(numbers: Tensor, bits: int) -> Tensor:
    """Divide by a power of two, and round halves up."""
    return numbers.mul_(2.0**-bits).add_(0.5).floor_()


def _scaled(steps: Steps, quality: int) -> Tensor:
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    scaled = (torch.tensor(steps) * percent + 50) // 100
    return scaled.clamp(1, 255).double()


def _to_luma_and_colour(red: Tensor, green: Tensor, blue: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    half = 1 << (COLOUR_BITS - 1)
    luma = 19595 * red + 38470 * green + 7471 * blue + half
    # A half less one, so that no colour is rounded up to 256.
    centre = (128 << COLOUR_BITS) + half - 1
    to_blue = (blue << 15) - 11059 * red - 21709 * green + centre
    to_red = (red << 15) - 27439 * green - 5329 * blue + centre
    return luma >> COLOUR_BITS, to_blue >> COLOUR_BITS, to_red >> COLOUR_BITS


def _to_rgb(luma: Tensor, blue: Tensor, red: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    half, blue, red = 1 << (COLOUR_BITS - 1), blue - 128, red - 128
    return (
        luma + ((91881 * red + half) >> COLOUR_BITS),
        luma + ((half - 22554 * blue - 46802 * red) >> COLOUR_BITS),
        luma + ((116130 * blue + half) >> COLOUR_BITS),
    )


def _halved(plane: Tensor) -> Tensor:
    """Average 2 × 2 pixels; halves are rounded down and up in turn along a row."""
    height, width = plane.shape[1:]
    # Columns repeat up to a whole block here, rows only after the halving.
    plane = _repeated(plane, height % 2, -width % (2 * SIDE))
    lines = plane[:, ::2] + plane[:, 1::2]
    pairs = lines[:, :, ::2] + lines[:, :, 1::2]
    pairs[:, :, ::2] += 1
    pairs[:, :, 1::2] += 2
    return pairs >> 2


def _doubled(plane: Tensor) -> Tensor:
    """Interpolate to twice the size, 3 to 1 between neighbours; the edges repeat.

    Of two columns or fewer the library repeats every pixel instead.
    """
    if plane.shape[2] <= 2:
        return plane.repeat_interleave(2, 1).repeat_interleave(2, 2)
    near = pad(plane[:, None].float(), (0, 0, 1, 1), mode="replicate")[:, 0].int()
    rows = torch.stack([3 * plane + near[:, :-2], 3 * plane + near[:, 2:]], 2).flatten(1, 2)
    near = pad(rows[:, None].float(), (1, 1, 0, 0), mode="replicate")[:, 0].int()
    left, right = 3 * rows + near[:, :, :-2] + 8, 3 * rows + near[:, :, 2:] + 7
    return torch.stack([left >> 4, right >> 4], 3).flatten(2)


def _repeated(plane: Tensor, down: int, right: int) -> Tensor:
    """Repeat the last row and the last column."""
    if not (down or right):
        return plane
    return pad(plane[:, None].double(), (0, right, 0, down), mode="replicate")[:, 0].to(plane.dtype)
