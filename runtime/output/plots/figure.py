"""What all figures share; the only code that knows matplotlib, an optional extra, is in this room.

Colours are those of Okabe and Ito, which colour-blind readers tell apart, and every curve has a
marker of its own besides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snnc.backends.files import target_of, write_bytes
from snnc.compiler.errors import Problem, SnncError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".png", ".pdf", ".svg")
WIDTH, HEIGHT = 7.0, 3.0
"""Inches: both columns of a page."""
BLACK, ORANGE, SKY, GREEN, BLUE, VERMILION, PURPLE = (
    *("#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7"),
)
GREY = "#777777"
BROWN = "#8C510A"
FONTS: Any = {
    "font.size": 8,
    "axes.labelsize": 9,
    "legend.fontsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.5,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "snnc",
    "savefig.dpi": 300,
}


def problems_of_figure(path: Path, inputs: Sequence[Path] = ()) -> Iterator[Problem]:
    """Why a figure could not be drawn, or not without the loss of an input.

    It is known before anything is measured.
    """
    if path.suffix.lower() not in FORMATS:
        what = f"{path.name!r} is no picture that can be written; allowed: {', '.join(FORMATS)}"
        yield Problem("`plot`", what, f"use {path.stem or 'plot'}.png")
    else:
        try:
            target_of(path, option="plot", inputs=inputs)
        except SnncError as error:
            yield from error.problems
    if find_spec("matplotlib") is None:
        yield Problem("`plot`", "matplotlib is not installed", "pip install 'snnc[plot]'")


@contextmanager
def figure(path: Path, height: float, inputs: Sequence[Path] = ()) -> Iterator[Figure]:
    """A figure that is written when all is drawn, whole or not at all.

    Args:
        path: a .png, .pdf or .svg.
        height: in inches.
        inputs: files that must stay as they are.

    Raises:
        SnncError: for a path that cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # dates would make two runs differ
    unset: Mapping[str, Any] = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
    with mpl.rc_context(FONTS):
        drawing = Figure(figsize=(WIDTH, height), layout="constrained")
        yield drawing
        picture = BytesIO()
        kind = path.suffix.lower()
        drawing.savefig(picture, format=kind.removeprefix("."), metadata=unset.get(kind))
    write_bytes(path, picture.getvalue(), option="plot", inputs=inputs)


def plain(name: str) -> str:
    """A name as a figure shows it: no formula, and no legend leaves it out for an underscore."""
    return (" " if name.startswith("_") else "") + name.replace("$", r"\$")
