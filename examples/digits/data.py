"""The 1,797 handwritten digits that scikit-learn brings along: nothing to download."""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HIGHEST_PIXEL = 16
TEST_IMAGES = 450


class Images(NamedTuple):
    """Images with their classes."""

    x: npt.NDArray[np.float32]
    """(N, 1, 8, 8), whole numbers from 0 to 16."""
    y: npt.NDArray[np.int64]
    """(N,), digits from 0 to 9."""


def load_digits_split() -> tuple[Images, Images]:
    """The training and the test images, always the same, every digit in fair share."""
    pixels, digits = load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(
        pixels.reshape(-1, 1, 8, 8).astype(np.float32),
        digits.astype(np.int64),
        test_size=TEST_IMAGES,
        stratify=digits,
        random_state=0,
    )
    return Images(train_x, train_y), Images(test_x, test_y)


def write_npz(images: Images, path: str | os.PathLike[str]) -> None:
    """Write images as a DATA.npz for the command line, its pixels raw."""
    np.savez_compressed(path, x=images.x, y=images.y)
