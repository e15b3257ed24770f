"""All 19 corruptions at all severities of both tables, on one PNG to look at.

python benchmarks/contact_sheet.py sheet.png                       # two photographs, 224 px
python benchmarks/contact_sheet.py sheet.png --images digits --take 0
python benchmarks/contact_sheet.py sheet.png --images test.parquet --take 3 12 --show 64
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from workers.contracts import Component, Corruption
from workers.data.digits import Digits
from workers.data.parquet import Parquet
from workers.evaluation.inputs import corrupt_block
from workers.registry import TASKS

Pixels = NDArray[np.uint8]
SEVERITIES = range(1, 6)
TABLES = {"cifar": "severities of CIFAR-10-C", "imagenet": "severities of ImageNet-C"}
LABELS, HEADER, MARGIN, GAP, WIDE_GAP = 150, 56, 16, 3, 18
INK, FAINT = "#222222", "#767676"


def photographs(side: int = 224) -> Pixels:
    """Cut a square out of either photograph that comes with scikit-learn."""
    from sklearn.datasets import load_sample_images

    squares = [
        Image.fromarray(image).crop((100, 0, 100 + len(image), len(image)))
        for image in load_sample_images().images
    ]
    return np.stack([np.asarray(square.resize((side, side))) for square in squares])


def read_images(source: str, take: list[int]) -> Pixels:
    """Return the images of those indices, (n, height, width, channels)."""
    if source == "photographs":
        return photographs()[take]
    path = str(Path(source).resolve())
    data = Digits() if source == "digits" else Parquet(train=path, test=path)
    return data.load("test", Path()).pixels[take]


def corruptions() -> list[str]:
    """Name the tasks that come in severities."""
    return [name for name in TASKS.names() if issubclass(TASKS.get(name), Corruption)]


def variants(images: Pixels, name: str) -> list[list[Pixels]]:
    """Return for each column group (clean, then a table each) its columns of images."""
    made = [
        [
            corrupt_block(images, TASKS.create(Component(name, options)), f"sheet/{name}", 0)
            for options in ({"severity": s, "severities": table} for s in SEVERITIES)
        ]
        for table in TABLES
    ]
    return [[images], *made]


def shown(image: Pixels, side: int) -> Image.Image:
    """Scale to the displayed size: pixels stay squares where that enlarges."""
    picture = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
    enlarges = side > max(picture.size)
    filter_ = Image.Resampling.NEAREST if enlarges else Image.Resampling.LANCZOS
    return picture.convert("RGB").resize((side, side), filter_)


def column_places(side: int) -> list[list[int]]:
    """Say where the columns of each group begin."""
    places, x = [], MARGIN + LABELS
    for columns in (1, *(len(SEVERITIES) for _ in TABLES)):
        places.append([x + column * (side + GAP) for column in range(columns)])
        x = places[-1][-1] + side + WIDE_GAP
    return places


def sheet(images: Pixels, side: int) -> Image.Image:
    """Draw one row for each corruption, in it one under the other the images."""
    places, names = column_places(side), corruptions()
    row = len(images) * (side + GAP) + WIDE_GAP - GAP
    size = (places[-1][-1] + side + MARGIN, HEADER + len(names) * row + MARGIN - WIDE_GAP)
    paper = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(paper)
    _draw_header(draw, places, side)
    for index, name in enumerate(names):
        top = HEADER + index * row
        label = name.replace("_", " ")
        draw.text((MARGIN, top + (row - WIDE_GAP) // 2), label, INK, _font(16), anchor="lm")
        for columns, group in zip(places, variants(images, name), strict=True):
            for x, made in zip(columns, group, strict=True):
                for number, image in enumerate(made):
                    paper.paste(shown(image, side), (x, top + number * (side + GAP)))
    return paper


def _draw_header(draw: ImageDraw.ImageDraw, places: list[list[int]], side: int) -> None:
    for columns, title in zip(places, ("clean", *TABLES.values()), strict=True):
        draw.text((columns[0], 14), title, INK, _font(16))
        for severity, x in zip(SEVERITIES, columns if len(columns) > 1 else [], strict=False):
            draw.text((x + side // 2, 44), str(severity), FAINT, _font(14), anchor="mm")


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path, help="PNG to write")
    parser.add_argument(
        "--images", default="photographs", help="photographs, digits or a Parquet file"
    )
    parser.add_argument("--take", type=int, nargs="+", default=[0, 1], help="which of them")
    parser.add_argument("--show", type=int, default=96, help="side on the sheet, pixels")
    options = parser.parse_args()
    torch.set_num_threads(1)
    sheet(read_images(options.images, options.take), options.show).save(options.output)


if __name__ == "__main__":
    main()
