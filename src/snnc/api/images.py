"""The images that a verb is given, as a file or in memory, once they are known to suit."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from snnc.api.given import GivenImages, in_memory
from snnc.compiler.errors import refusal

if TYPE_CHECKING:
    from snnc.compiler.inputs import Input
    from snnc.compiler.spiking import SpikingNetwork
    from snnc.runtime.data import Data


def accepted_images(
    given: GivenImages,
    source: Input,
    classes: int | None = None,
    limit: int | None = None,
    *,
    clip: bool = False,
) -> Data:
    """The first limit of the images, which suit an input; labels, if there are any, its classes.

    Raises:
        SnncError: with every problem found.
    """
    from snnc.runtime.data import accepted, load_data

    is_file = isinstance(given, str | Path)
    data = load_data(Path(str(given)), limit) if is_file else in_memory(given, limit)
    name = name_of(given)
    return accepted(data, source, name=name, classes=classes, limit=limit, clip=clip)


def images_for(
    network: SpikingNetwork, given: GivenImages, limit: int | None, *, clip: bool
) -> Data:
    """Images that suit a compiled network.

    Raises:
        SnncError: with every problem found.
    """
    from snnc.runtime.engines.result import classes_of

    classes = classes_of(network.readout.shape)
    return accepted_images(given, network.input, classes, limit, clip=clip)


def labelled_images(
    given: GivenImages, source: Input, classes: int, limit: int | None, *, clip: bool
) -> Data:
    """Images that suit an input, and their labels, without which there is no accuracy.

    Raises:
        SnncError: with every problem found.
    """
    images = accepted_images(given, source, classes, limit, clip=clip)
    if images.y is None:
        raise refusal(name_of(given), "it holds no labels y, and accuracy needs them", "add y")
    return images


def files_among(models: Iterable[str | Path], *others: object) -> list[Path]:
    """What is given as a file, the data files of models too: inputs that no output may replace."""
    from snnc.frontends.onnx.loading import data_files

    files = [Path(each) for each in (*models, *others) if isinstance(each, str | Path)]
    return [*files, *(each for model in models for each in data_files(Path(model)))]


def name_of(given: GivenImages) -> str:
    """What messages call the images."""
    return str(given) if isinstance(given, str | Path) else "data"
