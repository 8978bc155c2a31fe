"""A compiled network, its source and its images as one page."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from snnc.api.compiling import open_model
from snnc.api.given import GivenImages
from snnc.api.images import files_among, images_for
from snnc.api.keywords import SpreadKeywords
from snnc.api.running import compare, load
from snnc.compiler import pipeline
from snnc.compiler.errors import Problem, SnncError
from snnc.compiler.files import sha256_of
from snnc.compiler.laws import bits_for
from snnc.compiler.mapping.mapper import MapOptions, map_network
from snnc.compiler.mapping.mapping import mapping_of
from snnc.compiler.network import Network
from snnc.compiler.options import CompileOptions
from snnc.compiler.spiking import SpikingNetwork

if TYPE_CHECKING:
    from snnc.runtime.data import Data
    from snnc.runtime.progress import Progress
    from snnc.runtime.studies.cost import CostReport
    from snnc.runtime.studies.placement import PlacementReport
    from snnc.runtime.studies.report import FileFacts, LevelChange, Report

PACKAGES = ("snnc", "onnx", "onnxruntime", "numpy", "lava-nc", "lava-dl")
"""Whose versions a report names, where they are installed."""
COST_IMAGES = 64
"""Images whose events are counted: enough for a mean."""


def report(
    model: str | Path,
    network: str | Path,
    data: GivenImages,
    output: str | Path | None = None,
    *,
    input_shape: Sequence[int] = (),
    lava_model: str = "layers",
    limit: int | None = None,
    clip_input: bool = False,
    progress: Progress | None = None,
    **spread: Unpack[SpreadKeywords],
) -> Report:
    """Compare source and network on all engines, look into the network, and write it all as a page.

    Args:
        model: the ONNX file.
        network: the netx file that it was compiled to.
        data: a DATA.npz, or images.
        output: the .html to write; None for none.
        input_shape: sizes that the model leaves open.
        lava_model: what a process of Lava is, see `run`.
        limit: use the first images only.
        clip_input: clip values outside the range.
        progress: called as images are done.
        spread: workers, scheduler, chunk and checkpoint, see `run`.

    Raises:
        SnncError: if a file or the data are unsound, an engine is not installed, or the page cannot
            be written.
    """
    from snnc.backends.files import target_of
    from snnc.runtime.output.report_page import write_page
    from snnc.runtime.studies.inspection import inspect_network
    from snnc.runtime.studies.report import Report, activity_of, decisions_in

    inputs = files_among([model], network, data)
    if output is not None:
        target_of(Path(output), inputs=inputs)
    compared = compare(
        model,
        network,
        data,
        input_shape=input_shape,
        lava_model=lava_model,
        limit=limit,
        clip_input=clip_input,
        progress=progress,
        **spread,
    )
    loaded = load(network)
    images = images_for(loaded, data, limit, clip=clip_input)
    placement, unplaced = _placed(loaded)
    labels = loaded.provenance.labels
    found = Report(
        compared,
        inspect_network(loaded),
        images,
        decisions_in(compared.source, compared.golden, compared.labels, labels),
        activity_of(loaded, images),
        _level_changes(Path(model), loaded, images),
        placement,
        unplaced,
        _cost(loaded, placement, images),
        tuple(_files(model, network, data)),
        _versions(),
        datetime.now(timezone.utc),
    )
    if output is not None:
        write_page(Path(output), found, inputs=inputs)
    return found


def _placed(network: SpikingNetwork) -> tuple[PlacementReport | None, tuple[Problem, ...]]:
    """The network on the cores of its chip, or why it does not fit."""
    from snnc.runtime.studies.placement import PlacementReport

    options = MapOptions()
    try:
        if network.placement is None:
            mapping = map_network(network, options)
        else:
            mapping = mapping_of(network, network.placement)
            options = MapOptions(state_words=network.placement.state_words)
    except SnncError as error:
        return None, error.problems
    return PlacementReport(network.target.name, options, mapping), ()


def _cost(
    network: SpikingNetwork, placement: PlacementReport | None, images: Data
) -> CostReport | None:
    """What the first images take on the cores, if it fits them."""
    from snnc.runtime.studies.cost import measure_cost

    if placement is None:
        return None
    some = replace(images, x=images.x[:COST_IMAGES], y=None, remarks=())
    return measure_cost(network, placement.mapping, some)


def _level_changes(
    path: Path, network: SpikingNetwork, images: Data
) -> Mapping[str, LevelChange] | None:
    """What rounding the weights did to the levels of each layer.

    The model is taken up to whole numbers once more, with the options that the file tells. Others
    change it: then levels cannot be compared.
    """
    from snnc.calibration.rounding_loss import IMAGES, comparable, rounding_losses
    from snnc.runtime.data import encode
    from snnc.runtime.studies.report import LevelChange

    composed = _composed(path, network)
    if composed is None or not comparable(composed, network):
        return None
    losses = rounding_losses(composed, network, encode(images.x[:IMAGES], network.input))
    known = {each.layer: each for each in losses if each.changed is not None}
    return {name: LevelChange(e.changed or 0.0, e.farthest) for name, e in known.items()}


def _composed(path: Path, network: SpikingNetwork) -> Network | None:
    """The model just before its weights were rounded; open sizes are those of the network."""
    known = _known_options(network)
    for shape in ((), network.input.image_shape):
        options = replace(known, input_shape=shape)
        with suppress(SnncError):
            return pipeline.composed(open_model(path, options).network, options)
    return None


def _known_options(network: SpikingNetwork) -> CompileOptions:
    """The options of a compilation, as far as a file tells them."""
    source = network.input
    return CompileOptions(
        target=network.target.name,
        code=network.code,
        schedule=network.schedule,
        input_bits=bits_for(source.pixel_levels),
        input_range=(source.low, source.high),
        mean=tuple(source.mean),
        std=tuple(source.std),
    )


def _files(model: str | Path, network: str | Path, data: GivenImages) -> Iterator[FileFacts]:
    from snnc.runtime.studies.report import FileFacts

    for role, each in (("model", model), ("network", network), ("images", data)):
        if isinstance(each, str | Path):
            yield FileFacts(role, Path(each).name, sha256_of(Path(each)))
        else:
            yield FileFacts(role, "in memory", "")


def _versions() -> Mapping[str, str]:
    found = {"Python": platform.python_version()}
    for each in PACKAGES:
        with suppress(PackageNotFoundError):
            found[each] = version(each)
    return found
