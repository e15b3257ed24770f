"""Weather of one image after the other, as it is defined; see ``per_image_corruptions``.

Frost decodes and resizes its picture for every image, as the published code does. Spatter needs
OpenCV, whose edges and distances define it.
"""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from per_image_corruptions import DRAW, Floats, Levels, enlarge, smear
from PIL import Image
from scipy.ndimage import gaussian_filter

from workers.corruptions.frost_textures import frost_textures
from workers.tasks import fog, frost, snow, spatter

GREY = np.array([0.299, 0.587, 0.114])


def loop_snow(image: Levels, severity: int) -> Floats:
    mean, deviation, zoom, threshold, radius, sigma, weight = snow.SNOWFALL["cifar"][severity - 1]
    pixels = image / 255
    flakes = enlarge(DRAW.normal(mean, deviation, (*image.shape[:2], 1)), zoom)
    flakes = np.floor(np.clip(np.where(flakes < threshold, 0, flakes), 0, 1) * 255)
    streaks = np.floor(smear(flakes, radius, sigma, DRAW.uniform(-135, -45))) / 255
    whitened = np.maximum(pixels, (pixels @ GREY)[..., None] * 1.5 + 0.5)
    return weight * pixels + (1 - weight) * whitened + streaks + np.rot90(streaks, 2)


@cache
def pictures() -> list[bytes]:
    files = [io.BytesIO() for _ in frost_textures()]
    for file, texture in zip(files, frost_textures(), strict=True):
        Image.fromarray(texture).save(file, "JPEG", quality=95)
    return [file.getvalue() for file in files]


def loop_frost(image: Levels, severity: int) -> Floats:
    image_weight, ice_weight = frost.WEIGHTS["cifar"][severity - 1]
    picture = Image.open(io.BytesIO(pictures()[DRAW.integers(5)]))
    side = picture.width // frost.STRIDE["cifar"]
    small = np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR))
    row, column = DRAW.integers(side - len(image), size=2)
    ice = small[row : row + len(image), column : column + len(image)]
    mixed: Floats = (image_weight * image + ice_weight * ice) / 255
    return mixed


def loop_fog(image: Levels, severity: int) -> Floats:
    strength, decay = fog.STRENGTH_AND_DECAY["cifar"][severity - 1]
    pixels, size = image / 255, len(image)
    clouds = plasma(1 << (size - 1).bit_length(), decay)[:size, :size, None]
    largest = pixels.max()
    mixed: Floats = (pixels + strength * clouds) * largest / (largest + strength)
    return mixed


def plasma(size: int, decay: float) -> Floats:
    heights, wibble, step = np.zeros((size, size)), 100.0, size
    while step >= 2:
        half = step // 2
        corners, centres = heights[::step, ::step], heights[half::step, half::step]
        pairs = corners + np.roll(corners, -1, 0)
        noise = DRAW.uniform(-(wibble**2), wibble**2, (3, *corners.shape))
        centres[:] = (pairs + np.roll(pairs, -1, 1)) / 4 + noise[0]
        beside = corners + np.roll(corners, -1, 1) + centres + np.roll(centres, 1, 0)
        upright = corners + np.roll(corners, -1, 0) + centres + np.roll(centres, 1, 1)
        heights[::step, half::step] = beside / 4 + noise[1]
        heights[half::step, ::step] = upright / 4 + noise[2]
        wibble, step = wibble / decay, half
    heights -= heights.min()
    scaled: Floats = heights / heights.max()
    return scaled


def loop_spatter(image: Levels, severity: int) -> Floats:
    mean, deviation, blur, threshold, intensity, kind = spatter.LIQUIDS["cifar"][severity - 1]
    pixels, colour = image / 255, np.array(spatter.COLOURS[kind]) / 255
    liquid = gaussian_filter(DRAW.normal(mean, deviation, image.shape[:2]), blur, mode="nearest")
    if kind == "water":
        lit = drops(np.where(liquid < threshold, 0, liquid))
        return pixels + lit[..., None] * (intensity / max(lit.max(), 1)) * colour
    mask = gaussian_filter((liquid > threshold) * 1.0, intensity, mode="nearest")
    mask = np.where(mask < spatter.OPAQUE, 0, mask)[..., None]
    return pixels * (1 - mask) + mask * colour


def drops(liquid: Floats) -> Floats:
    import cv2

    levels = (liquid * 255).astype(np.uint8)
    distance = cv2.distanceTransform(255 - cv2.Canny(levels, 50, 150), cv2.DIST_L2, 5)
    depth = cv2.equalizeHist(cv2.blur(np.minimum(distance, 20), (3, 3)).astype(np.uint8))
    emboss = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]])
    relief = cv2.blur(cv2.filter2D(depth, cv2.CV_8U, emboss), (3, 3))
    lit: Floats = levels * relief.astype(np.float64)
    return lit
