"""The characters as matplotlib's fonts draw them: one page of ink, the same on every call."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import matplotlib
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont

CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FAMILIES = {
    "DejaVuSans": ("", "-Bold", "-BoldOblique"),
    "DejaVuSansMono": ("", "-Bold", "-Oblique", "-BoldOblique"),
    "DejaVuSerif": ("", "-Bold", "-Italic", "-BoldItalic"),
    "STIXGeneral": ("", "Italic", "BolIta"),
    "cm": ("r10", "b10", "ss10", "mi10"),
}
TRAINING_FONTS = tuple(family + style for family, styles in FAMILIES.items() for style in styles)
UNSEEN_FONTS = ("DejaVuSans-Oblique", "STIXGeneralBol", "cmtt10")
"""Fonts that no training image shows. All others of matplotlib lack letters or draw symbols."""
FONTS = TRAINING_FONTS + UNSEEN_FONTS

CELL = 64
"""Side of a cell in dots; a dot is half a pixel of an image at scale 1."""
CAPITAL = 34
"""Height of a capital H in dots, whatever its font."""
BASELINE = (CELL + CAPITAL) // 2
WEIGHTS = 4
"""Thin, as drawn, and two that are bolder, by one and by two dots on each side of a stroke."""


@dataclass(frozen=True, eq=False)
class Page:
    """Every character of every font in every weight, upright and on one baseline."""

    ink: npt.NDArray[np.uint8]
    """(fonts · characters · weights, CELL, CELL), the outermost dots of a cell without ink."""
    widths: npt.NDArray[np.float32]
    """(fonts, characters) of the inked columns, in dots."""

    @property
    def characters(self) -> int:
        """How many characters a font has."""
        return int(self.widths.shape[1])


@lru_cache(maxsize=1)
def page() -> Page:
    """Draw all of them, a second's work that is done once."""
    cells = [cell for font in FONTS for cell in _drawn(font)]
    ink = np.stack([np.asarray(each, np.uint8) for cell in cells for each in _weights(cell)])
    ink[:, [0, -1]] = 0
    ink[:, :, [0, -1]] = 0
    boxes = np.array([cell.getbbox() for cell in cells], np.float32)
    widths = (boxes[:, 2] - boxes[:, 0]).reshape(len(FONTS), len(CHARACTERS))
    return Page(ink, widths)


def _drawn(name: str) -> list[Image.Image]:
    """The characters of a font, its capitals CAPITAL dots high."""
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"
    _, top, _, bottom = _font(path, 1000).getbbox("H")
    font = _font(path, 1000 * CAPITAL / (bottom - top))
    return [_cell(character, font) for character in CHARACTERS]


def _font(path: Path, size: float) -> ImageFont.FreeTypeFont:
    """The basic layout is a part of Pillow; the other is whatever a machine has installed."""
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


def _cell(character: str, font: ImageFont.FreeTypeFont) -> Image.Image:
    """Small letters stay smaller than capitals: size and place tell o from O."""
    cell = Image.new("L", (CELL, CELL))
    draw = ImageDraw.Draw(cell)
    left, _, right, _ = draw.textbbox((0, BASELINE), character, font, anchor="ls")
    draw.text(((CELL - left - right) / 2, BASELINE), character, 255, font, anchor="ls")
    return cell


def _weights(cell: Image.Image) -> list[Image.Image]:
    """Eroded half-way, because a hairline of the Computer Modern fonts would be gone otherwise."""
    thin = Image.blend(cell, cell.filter(ImageFilter.MinFilter(3)), 0.5)
    return [thin, cell, *(cell.filter(ImageFilter.MaxFilter(size)) for size in (3, 5))]
