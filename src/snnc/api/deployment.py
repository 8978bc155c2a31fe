"""Compiled networks on cores: where they fit, and what they cost there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from typing_extensions import Unpack

from snnc.api import notes
from snnc.api.given import GivenImages
from snnc.api.images import files_among, images_for
from snnc.api.running import load
from snnc.compiler.errors import SnncError, refusal
from snnc.compiler.mapping.mapper import (
    DEFAULT_SLACK,
    OBJECTIVES,
    MapKeywords,
    MapOptions,
    Objective,
    map_network,
)
from snnc.compiler.mapping.mapping import CoreMapping, mapping_of
from snnc.compiler.spiking import SpikingNetwork
from snnc.compiler.target import find_target

FILE = "file"
MAPPINGS = (FILE, *OBJECTIVES)
"""Where `cost` takes the cores from."""

if TYPE_CHECKING:
    from snnc.runtime.progress import Progress
    from snnc.runtime.studies.cost import CostReport
    from snnc.runtime.studies.placement import PlacementReport


def map(
    network: str | Path,
    *,
    target: str | None = None,
    plot: str | Path | None = None,
    **options: Unpack[MapKeywords],
) -> PlacementReport:
    """Cut a compiled network into slices, one on each neuron core.

    Args:
        network: the netx file.
        target: the chip; by default the one it was compiled for.
        plot: a .png, .pdf or .svg: the cores of each chip, by layer and by load.
        options: the fields of `snnc.compiler.mapping.mapper.MapOptions`, which describes each.

    Raises:
        SnncError: for wrong options, and with every layer and every resource that does not fit.
    """
    from snnc.runtime.output import plots
    from snnc.runtime.studies.placement import PlacementReport

    figure = _figure(plot, [Path(network)])
    loaded, chosen = load(network), MapOptions(**options)
    chip = loaded.target if target is None else find_target(target)
    report = PlacementReport(chip.name, chosen, map_network(loaded, chosen, chip))
    if figure is not None:
        plots.draw_placement(figure, report, inputs=[Path(network)])
    return report


def cost(
    network: str | Path,
    data: GivenImages,
    *,
    mapping: str | None = None,
    slack: float = DEFAULT_SLACK,
    constants: str | Path | None = None,
    limit: int | None = None,
    clip_input: bool = False,
    plot: str | Path | None = None,
    progress: Progress | None = None,
) -> CostReport:
    """Count the events that images cause on neuron cores, and what they take in time and energy.

    Args:
        network: the netx file.
        data: a DATA.npz, or images; labels are not needed.
        mapping: "file", the cores that the file says; or the objective of a new mapping, "time" or
            "cores". By default that of the file, and else "time".
        slack: for less time, so many more cores of a layer than its fewest; of a new mapping.
        constants: a TOML file with the user's own energy of each event.
        limit: use the first images only.
        clip_input: clip values outside the range.
        plot: a .png, .pdf or .svg: the energy of each layer, and its operations.
        progress: called as images are done.

    Raises:
        SnncError: for wrong options, unsound files or data, and a network that fits no core.
    """
    from snnc.runtime.output import plots
    from snnc.runtime.progress import ignore
    from snnc.runtime.studies.cost import measure_cost, read_energies

    given = [] if constants is None else [Path(constants)]
    inputs = [*files_among([network], data), *given]
    figure = _figure(plot, inputs)
    if mapping is not None and mapping not in MAPPINGS:
        what = f"{mapping!r}; allowed: {', '.join(MAPPINGS)}"
        raise refusal("`mapping`", what, "choose one of them")
    energies = read_energies(Path(constants)) if constants is not None else None
    loaded = load(network)
    cores = _cores_of(loaded, mapping, slack)
    images = images_for(loaded, data, limit, clip=clip_input)
    report = measure_cost(loaded, cores, images, own_energies=energies, progress=progress or ignore)
    if figure is not None:
        plots.draw_cost(figure, report, inputs=inputs)
    notes.tell(report.remarks)
    return report


def _cores_of(network: SpikingNetwork, mapping: str | None, slack: float) -> CoreMapping:
    if network.placement is not None and mapping in (None, FILE):
        return mapping_of(network, network.placement)
    if mapping == FILE:
        mend = "compile with `map=True`, or leave `mapping` out"
        raise refusal("`mapping`", "the file does not say onto which cores it goes", mend)
    return map_network(network, MapOptions(cast(Objective, mapping or OBJECTIVES[0]), slack))


def _figure(plot: str | Path | None, inputs: Sequence[Path]) -> Path | None:
    """Where to draw, if anywhere.

    Raises:
        SnncError: where that cannot be.
    """
    from snnc.runtime.output.plots import problems_of_figure

    if plot is None:
        return None
    if problems := [*problems_of_figure(Path(plot), inputs)]:
        raise SnncError(*problems)
    return Path(plot)
