"""What all pictures share: a network, colours, fonts, and an SVG that is the same every time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib as mpl
from matplotlib.figure import Figure

import snnc
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.output.plots.figure import FONTS

ROOT = Path(__file__).parents[3]
CHECKPOINTS = ROOT / "examples" / "glyphs" / "checkpoints"
BACKGROUND = "white"
"""The site is dark for some readers; axes and letters are black."""


def network(checkpoint: str, **options: object) -> SpikingNetwork:
    """A network of examples/glyphs, as the compiler makes it."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "network.h5"
        return snnc.compile(CHECKPOINTS / f"{checkpoint}.onnx", file, **options).network  # type: ignore[arg-type]


@contextmanager
def svg(path: Path, width: float, height: float) -> Iterator[Figure]:
    """A figure that is written when it is drawn.

    Args:
        path: a .svg.
        width: in inches.
        height: in inches.
    """
    with mpl.rc_context(FONTS):
        drawing = Figure(figsize=(width, height), layout="constrained", facecolor=BACKGROUND)
        yield drawing
        drawing.savefig(path, metadata={"Date": None})
    # a line of white space at the end of each path is no part of the picture
    lines = (line.rstrip() for line in path.read_text(encoding="utf-8").splitlines())
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def short(name: str) -> str:
    """A layer as pictures call it: without the slash in front."""
    return name.removeprefix("/")
