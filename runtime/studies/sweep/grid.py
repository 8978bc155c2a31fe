"""What a sweep is asked for, and the points that come of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from snnc.compiler.codes import CODES, SweepGrid, SweepPoint, unknown_code
from snnc.compiler.codes.base import Staircases
from snnc.compiler.codes.offset_spike import OffsetSpikeCode
from snnc.compiler.errors import Problem
from snnc.compiler.laws import bits_for
from snnc.compiler.network import Network
from snnc.compiler.operators import Staircase
from snnc.compiler.options import counts_in_range


def problems_of_grid(grid: SweepGrid) -> Iterator[Problem]:
    """Whatever is wrong with what is asked for."""
    for code in grid.codes:
        if code not in CODES:
            yield unknown_code("codes", code, "leave it out for all")
    if grid.light and not any(CODES.get(each) is OffsetSpikeCode for each in grid.codes):
        what = "calibrates offset spikes, and none of the codes does"
        yield Problem("`light`", what, "add offset-spike to `codes`, or leave it out")
    counts = {
        "timesteps": tuple(grid.timesteps),
        "rho": (grid.rho,),
        "iterations": tuple(grid.iterations),
    }
    yield from counts_in_range(counts)
    yield from _problems_of_empty({"codes": grid.codes, **counts})


def points_of(grid: SweepGrid, network: Staircases) -> tuple[SweepPoint, ...]:
    """The points of a grid for a network of such activations."""
    codes = [CODES[each] for each in dict.fromkeys(grid.codes)]
    return tuple(point for code in codes for point in code.points(grid, network))


def staircases_of(network: Network) -> Staircases:
    """What a sweep has to know of a network whose staircases are recognised."""
    levels = {n.operator.levels for n in network if isinstance(n.operator, Staircase)}
    return Staircases(max(map(bits_for, levels), default=1), one_size=len(levels) <= 1)


def notes_of(grid: SweepGrid, network: Staircases) -> Iterator[str]:
    """Which of the time steps that were asked for a code does not take, and so has no point for."""
    alike: dict[tuple[str, str], list[str]] = {}
    for name in dict.fromkeys(grid.codes):
        taken = sorted({each.time_steps for each in CODES[name].points(grid, network)})
        left = [each for each in dict.fromkeys(grid.timesteps) if each not in taken]
        if left:
            alike.setdefault((_listed(left), _listed(taken)), []).append(name)
    for (left_out, known), names in alike.items():
        yield f"no point at {left_out} time steps: {', '.join(names)} (on this network {known})"


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _problems_of_empty(lists: Mapping[str, Sequence[object]]) -> Iterator[Problem]:
    for option, values in lists.items():
        if not values:
            yield Problem(f"`{option}`", "it is empty; at least one is needed", "leave it out")
