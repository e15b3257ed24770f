"""From encoded image files to one array of pixels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workers.contracts import DataError

Channels = Literal[1, 3]


def decode(
    content: bytes, *, origin: str, channels: Channels = 3, size: int | None = None
) -> NDArray[np.uint8]:
    """Decode one image to (height, width, channels).

    Args:
        content: the encoded file.
        origin: what an error calls the image.
        channels: 3 for RGB, 1 for grey.
        size: scale and crop the centre to this many pixels square; None keeps the image's own size.

    Raises:
        DataError: the content is no image that Pillow can decode.

    """
    from PIL import Image, ImageOps

    with undecodable(origin), Image.open(BytesIO(content)) as encoded:
        image = encoded.convert("RGB" if channels == 3 else "L")
    if size is not None:
        image = ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.uint8).reshape(image.height, image.width, channels)


@contextmanager
def undecodable(origin: str) -> Iterator[None]:
    """Turn what Pillow raises for a damaged image into a DataError that names ``origin``."""
    from PIL import Image

    try:
        yield
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"cannot decode {origin}: {error}") from error


def decode_all(
    encoded: Iterable[tuple[str, bytes]],
    count: int,
    *,
    channels: Channels = 3,
    size: int | None = None,
) -> NDArray[np.uint8]:
    """Decode ``count`` images, given as (origin, content), to (count, height, width, channels).

    Raises:
        DataError: an image cannot be decoded, or its size differs from the first one's.

    """
    pixels: NDArray[np.uint8] | None = None
    for index, (origin, content) in enumerate(encoded):
        image = decode(content, origin=origin, channels=channels, size=size)
        if pixels is None:
            pixels = np.empty((count, *image.shape), np.uint8)
        if image.shape != pixels.shape[1:]:
            raise DataError(_unequal(origin, image.shape, pixels.shape[1:]))
        pixels[index] = image
    if pixels is None:
        raise DataError("there is no image to decode")
    return pixels


def _unequal(origin: str, found: tuple[int, ...], first: tuple[int, ...]) -> str:
    return (
        f"{origin} has {found[1]}x{found[0]} pixels, the first image {first[1]}x{first[0]}; "
        "give the data set the option 'size' to bring all images to one size"
    )
