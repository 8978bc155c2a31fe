"""Compiled networks on cores: where they fit, and what they cost there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from snnc.api.running import load
from snnc.compiler.errors import SnncError
from snnc.compiler.mapping.mapper import MapKeywords, MapOptions, map_network
from snnc.compiler.target import find_target

if TYPE_CHECKING:
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

    figure = None if plot is None else Path(plot)
    if figure is not None and (problems := [*plots.problems_of_figure(figure, [Path(network)])]):
        raise SnncError(*problems)
    loaded, chosen = load(network), MapOptions(**options)
    chip = loaded.target if target is None else find_target(target)
    report = PlacementReport(chip.name, chosen, map_network(loaded, chosen, chip))
    if figure is not None:
        plots.draw_placement(figure, report, inputs=[Path(network)])
    return report
