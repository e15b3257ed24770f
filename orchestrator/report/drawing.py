"""Saving figures: files for papers, and SVG that takes the colours of the page it stands in."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from markupsafe import Markup
from matplotlib.figure import Figure

from orchestrator.report.series import INK, PALETTE

T = TypeVar("T")
FILES: dict[str, dict[str, Any]] = {
    "png": {"dpi": 200, "metadata": {"Software": None}},
    "pdf": {"metadata": {"CreationDate": None, "Creator": None}},
}
"""The files of a figure, and what makes them the same bytes each time."""


@dataclass(frozen=True)
class Drawing:
    """A saved figure: the stem of its files, and its SVG for inside a page."""

    name: str
    svg: Markup


def save(figure: Figure, folder: Path, name: str) -> Drawing:
    """Write ``name``.png (200 dpi) and ``name``.pdf in ``folder``; same figure, same bytes."""
    for suffix, options in FILES.items():
        figure.savefig(folder / f"{name}.{suffix}", facecolor="white", **options)
    text = io.StringIO()
    figure.savefig(text, format="svg", facecolor="none", metadata={"Date": None})
    return Drawing(name, inline_svg(text.getvalue(), name))


def inline_svg(svg: str, name: str) -> Markup:
    """Make matplotlib's SVG fit to stand inside a page.

    Ids are prefixed with ``name`` so that figures do not clash, ink becomes ``currentColor``,
    series colours become CSS variables, and nothing that looks like an address remains.
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\s(xmlns(:\w+)?)="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'href="#', f'href="#{name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg)
    svg = re.sub(r'\s(width|height)="[\d.]+pt"', "", svg, count=2)
    for place, color in enumerate(PALETTE):
        svg = svg.replace(color, "currentColor" if color == INK else f"var(--series-{place})")
    return Markup(svg)


def pages(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Split into pages of nearly equal length, none longer than ``size``."""
    number = -(-len(items) // size)
    return [items[i * len(items) // number : (i + 1) * len(items) // number] for i in range(number)]


def page_name(stem: str, page: int) -> str:
    """Name the files of a page; the first has the bare stem."""
    return stem if page == 0 else f"{stem}-{page + 1}"
