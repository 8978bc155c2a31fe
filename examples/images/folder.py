"""A folder for each class, as ImageNet has it: `python -m examples.images.folder FOLDER OUT.npz`.

Pixels are those of torchvision's Resize and CenterCrop: the shorter side is scaled to 256, and the
middle 224×224 are kept. Labels are the places of the folders among their sorted names.
"""

from __future__ import annotations

import argparse
import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from examples.images.archive import Images, telling, write_npz
from snnc.compiler.errors import refusal

Interpolation: TypeAlias = Literal["bilinear", "bicubic"]

FORMATS = ("JPEG", "PNG")
SUFFIXES = (".jpg", ".jpeg", ".png")
FILTERS: dict[Interpolation, Image.Resampling] = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}
LONGEST = 100
"""Sides of an image as 1 to this; scaled, a longer one would fill the memory."""
SHOWN = 3
"""Damaged files that a message names."""
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)
"""What Pillow raises over a file that is damaged, or is something else."""
LAYOUT = "put the images of each class into a folder of its own: FOLDER/cat/1.jpg, FOLDER/dog/1.jpg"


@dataclass(frozen=True)
class Crop:
    """The square that is kept of an image."""

    size: int = 224
    """Side of the square."""
    resize: int = 256
    """Length of the image's shorter side when the square is cut out of its middle."""
    interpolation: Interpolation = "bilinear"

    def of(self, image: Image.Image) -> Image.Image:
        """What torchvision cuts out, rounded as there."""
        shorter, longer = sorted(image.size)
        if longer > LONGEST * shorter:
            raise ValueError(f"{image.width}×{image.height} pixels, over {LONGEST} to 1")
        width, height = (int(self.resize * side / shorter) for side in image.size)
        scaled = image.resize((width, height), FILTERS[self.interpolation])
        left, top = round((width - self.size) / 2), round((height - self.size) / 2)
        return scaled.crop((left, top, left + self.size, top + self.size))


def load_folder(folder: Path, crop: Crop | None = None, limit: int | None = None) -> Images:
    """Read the images of every class.

    Args:
        folder: holds a folder for each class, and in it JPEG and PNG files at any depth.
        crop: 224×224 of 256 without.
        limit: how many, taken at equal distances over all classes; all of them without.

    Raises:
        SnncError: for a folder without classes, a class without images, and damaged files.
    """
    if limit is not None and limit < 1:
        raise refusal("--limit", f"{limit} images; allowed: at least 1", "leave it out for all")
    classes = _classes(folder)
    files = [(path, label) for label, each in enumerate(classes) for path in _files(each)]
    count = min(limit or len(files), len(files))
    paths, y = zip(*(files[i * len(files) // count] for i in range(count)), strict=True)
    return Images(
        _pixels(folder, paths, crop or Crop()),
        np.array(y, np.int64),
        tuple(each.name for each in classes),
    )


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="A folder for each class to a DATA.npz.")
    parser.add_argument("folder", type=Path, help="holds a folder of images for each class")
    parser.add_argument("output", type=Path, help="OUT.npz")
    parser.add_argument("--size", type=int, default=224, help="side of the images (%(default)s)")
    parser.add_argument("--resize", type=int, help="shorter side before the crop (size · 8/7)")
    parser.add_argument("--interpolation", choices=get_args(Interpolation), default="bilinear")
    parser.add_argument("--limit", type=int, help="so many images, spread over the classes")
    wanted = parser.parse_args()
    resize = round(wanted.size * 8 / 7) if wanted.resize is None else wanted.resize
    if not 1 <= wanted.size <= resize:
        parser.error(f"--size {wanted.size} is not within 1 and --resize {resize}")
    crop = Crop(wanted.size, resize, wanted.interpolation)
    with telling(wanted.output):
        write_npz(load_folder(wanted.folder, crop, wanted.limit), wanted.output)


def _classes(folder: Path) -> list[Path]:
    try:
        found = sorted(each for each in folder.iterdir() if each.is_dir() and _is_shown(each))
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise refusal(str(folder), what, "name a folder that holds one for each class") from error
    if not found:
        raise refusal(str(folder), "it holds no folders, one for each class", LAYOUT)
    return found


def _files(folder: Path) -> list[Path]:
    found = [each for each in folder.rglob("*") if each.suffix.lower() in SUFFIXES]
    shown = sorted(each for each in found if _is_shown(each) and each.is_file())
    if not shown:
        what = f"a class without images; looked for {', '.join(SUFFIXES)}"
        raise refusal(str(folder), what, "add images, or take this folder away")
    return shown


def _is_shown(path: Path) -> bool:
    """Desktops leave hidden files such as ._cat.jpg that are no images."""
    return not path.name.startswith(".")


def _pixels(folder: Path, paths: tuple[Path, ...], crop: Crop) -> npt.NDArray[np.uint8]:
    """All images, read by several threads; the damaged ones are told together."""
    x = _room(folder, (len(paths), 3, crop.size, crop.size))

    def fault(place: int, path: Path) -> str:
        try:
            with Image.open(path, formats=FORMATS) as image:
                x[place] = np.asarray(crop.of(image.convert("RGB"))).transpose(2, 0, 1)
        except DAMAGED as error:
            return f"{path.relative_to(folder)} ({_reason(error)})"
        return ""

    with ThreadPoolExecutor() as pool:
        faults = [each for each in pool.map(fault, range(len(paths)), paths) if each]
    if faults:
        shown = ", ".join(faults[:SHOWN]) + (", …" if len(faults) > SHOWN else "")
        what = f"{len(faults)} of {len(paths)} images cannot be read: {shown}"
        raise refusal(str(folder), what, "replace these files, or take them away")
    return x


def _room(folder: Path, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    try:
        return np.empty(shape, np.uint8)
    except MemoryError as error:
        what = f"its {shape[0]} images need {prod(shape) / 1e9:.0f} GB of memory"
        raise refusal(str(folder), what, "use --limit") from error


def _reason(error: BaseException) -> str:
    """Pillow repeats the path of a file that it does not know."""
    return "no JPEG or PNG" if isinstance(error, UnidentifiedImageError) else str(error)


if __name__ == "__main__":
    main()
