"""Chooses how layers are cut, and where chips end.

A time step ends when the slowest core is done. So the mapper first finds the cut of each layer that
is fastest within a slack over its fewest cores; the slowest layer of these sets the time. Any other
layer then takes, of the cuts that are no slower than that, the one that receives fewest messages:
of a layer that is cut along its channels every core receives every spike. The last layer comes
first, because what a core has to send depends on the cuts of those that listen to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeAlias, TypedDict, get_args

import numpy as np
import numpy.typing as npt

from snnc.compiler.errors import Problem, SnncError
from snnc.compiler.laws import Floats, Integers
from snnc.compiler.limits import MOST_CORES, STATE_WORDS
from snnc.compiler.mapping.chips import cut_into_chips
from snnc.compiler.mapping.constants import EventCosts, costs_of
from snnc.compiler.mapping.demands import (
    Consumer,
    Demands,
    Pieces,
    consumers_among,
    demands_of,
    largest,
    neurons_of,
    output_axons,
    product,
    sources_of,
    totals,
    ways_to_cut,
)
from snnc.compiler.mapping.layers import PROGRAM_WORDS, Layer, layers_of
from snnc.compiler.mapping.mapping import CoreMapping
from snnc.compiler.spiking import Placement, SpikingNetwork
from snnc.compiler.target import CoreModel, Target

Objective: TypeAlias = Literal["time", "cores"]
OBJECTIVES: tuple[Objective, ...] = get_args(Objective)
DEFAULT_SLACK, MOST_SLACK = 0.1, 10.0
ACTIVITY = 0.2
"""Assumed spikes of a neuron in a time step, where nothing has run yet: about what bit-serial
networks send that are trained without a regulariser."""
TIE = 0.1
"""Times that differ by less are taken for equal: the estimate errs by more."""


@dataclass(frozen=True)
class MapOptions:
    """What the user chooses."""

    objective: Objective = "time"
    slack: float = DEFAULT_SLACK
    """For less time, so many more cores than the fewest."""
    chips: int | None = None
    """The most there are."""
    state_words: int = PROGRAM_WORDS
    """Assumed of a neuron with a program of its own, on Loihi 2."""

    def problems(self) -> Iterator[Problem]:
        """What is wrong with them."""
        if self.objective not in OBJECTIVES:
            what = f"{self.objective!r}; allowed: {', '.join(OBJECTIVES)}"
            yield Problem("`objective`", what, "choose one of them")
        if not 0 <= self.slack <= MOST_SLACK:
            what = f"{self.slack}; allowed: 0..{MOST_SLACK}"
            yield Problem("`slack`", what, f"leave it out, for {DEFAULT_SLACK}")
        if self.chips is not None and self.chips < 1:
            yield Problem("`chips`", f"{self.chips}; allowed: 1 or more", "leave it out")
        if not STATE_WORDS.holds(self.state_words):
            what = f"{self.state_words}; allowed: {STATE_WORDS}"
            yield Problem("`state_words`", what, f"leave it out, for {PROGRAM_WORDS}")


class MapKeywords(TypedDict, total=False):
    """The same as keywords."""

    objective: Objective
    slack: float
    chips: int | None
    state_words: int


DEFAULTS = MapOptions()


@dataclass(frozen=True, eq=False)
class Cuts:
    """Every way to cut a layer; all arrays are (ways of channels, of rows, of columns)."""

    layer: Layer
    consumers: Sequence[Consumer]
    core: CoreModel

    @cached_property
    def ways(self) -> tuple[Integers, Integers, Integers]:
        """The numbers of pieces along each axis."""
        return ways_to_cut(self.layer)

    @cached_property
    def cores(self) -> Integers:
        """How many each way takes."""
        return product(self.ways)

    @cached_property
    def demands(self) -> Demands:
        """Of the core that holds most."""
        return demands_of(self.layer, self.consumers, self.core, largest(self.ways))

    @cached_property
    def fits(self) -> npt.NDArray[np.bool_]:
        """Whether no core holds more than it can."""
        found = [asked <= most for asked, most in self.demands.against(self.core).values()]
        return np.asarray(np.logical_and.reduce(found))

    @cached_property
    def messages(self) -> Integers:
        """What all cores receive when each neuron of each source fires once."""
        view = totals(self.ways)
        none = np.zeros_like(self.cores)
        return none + sum(sources_of(each, view) for each in self.layer.merged)

    @cached_property
    def time(self) -> Floats:
        """Nanoseconds of the slowest core in a time step, at the assumed activity."""
        view, costs = largest(self.ways), costs_of(self.core)
        neurons = neurons_of(self.layer, view)
        sent = output_axons(self.layer, self.consumers, view)
        own = neurons * (costs.neuron.time + ACTIVITY * costs.spike.time)
        own = own + ACTIVITY * costs.message_out.time * sent
        received = np.zeros(self.cores.shape)
        for each in self.layer.merged:
            received += sources_of(each, view) * costs.message_in.time
        for each in self.layer.readings:
            received += neurons * each.fan_in * _synapse_time(costs, is_dense=each.is_dense)
        return np.maximum(own, ACTIVITY * received)

    def best(self, options: MapOptions, time: float | None = None) -> tuple[Pieces, float]:
        """A cut, and its time: the fastest; given a time, that with fewest messages in it."""
        fewest = self.cores[self.fits].min()
        allowed = self.fits & (self.cores <= fewest * (1 + options.slack))
        if options.objective == "cores":
            allowed = self.fits & (self.cores == fewest)
        keys: tuple[Floats | Integers, ...] = (self.messages, self.time)
        if options.objective == "time" and time is not None:
            allowed &= self.time <= (1 + TIE) * max(time, self.time[allowed].min())
            keys = (self.time, self.cores, self.messages)
        places = np.nonzero(allowed)
        first = np.lexsort([each[places] for each in keys])[0]
        i, j, k = (int(each[first]) for each in places)
        channels, rows, columns = self.ways
        return (int(channels[i]), int(rows[j]), int(columns[k])), float(self.time[i, j, k])


def map_layers(
    layers: Sequence[Layer], core: CoreModel, options: MapOptions = DEFAULTS
) -> CoreMapping:
    """Cut layers into slices, one for each core.

    Args:
        layers: every source before those that read it.
        core: of the target.
        options: the objective, and what it may cost.

    Raises:
        SnncError: with every layer and every resource that does not fit.
    """
    layers = tuple(layers)
    chosen = _pass(layers, core, options, None)
    if options.objective == "time":
        slowest = max(time for _, time in chosen.values())
        chosen = _pass(layers, core, options, slowest)
    cuts = tuple(chosen[index][0] for index in range(len(layers)))
    mapping = CoreMapping(core, layers, cuts)
    if problems := [*_problems_of_size(mapping, options)]:
        raise SnncError(*problems)
    return cut_into_chips(mapping)


def map_network(
    network: SpikingNetwork, options: MapOptions = DEFAULTS, target: Target | None = None
) -> CoreMapping:
    """Cut a network into slices, one for each core of a target, by default its own.

    Raises:
        SnncError: for wrong options, and with every layer and every resource that does not fit.
    """
    chip = target or network.target
    problems = [*options.problems()]
    if chip.stock_only and not network.is_stock:
        what = f"its neurons are no stock neurons, and {chip.name} has no others"
        problems.append(Problem("`target`", what, "compile with `code='one-spike'`"))
    if problems:
        raise SnncError(*problems)
    return map_layers(layers_of(network, chip.core, options.state_words), chip.core, options)


def placed(network: SpikingNetwork, options: MapOptions = DEFAULTS) -> SpikingNetwork:
    """A network that says onto which cores of its target it goes.

    Raises:
        SnncError: for wrong options, and with every layer and every resource that does not fit.
    """
    mapping = map_network(network, options)
    placement = Placement(mapping.cuts, mapping.chips, options.state_words)
    return replace(network, placement=placement)


def _pass(
    layers: tuple[Layer, ...], core: CoreModel, options: MapOptions, time: float | None
) -> dict[int, tuple[Pieces, float]]:
    """A cut and its time for every layer, by its number; the last layer first."""
    chosen: dict[int, tuple[Pieces, float]] = {}
    problems: list[Problem] = []
    consumers: dict[str, list[Consumer]] = {each.name: [] for each in layers}
    for index in reversed(range(len(layers))):
        cuts = Cuts(layers[index], consumers[layers[index].name], core)
        if not cuts.fits.any():
            problems = [*_problems_of_layer(cuts), *problems]
            continue
        chosen[index] = cuts.best(options, time)
        for source, each in consumers_among(index, layers[index], chosen[index][0]):
            consumers[source].append(each)
    if problems:
        raise SnncError(*problems)
    return chosen


def _problems_of_layer(cuts: Cuts) -> Iterator[Problem]:
    """What is too much however the layer is cut; or else what is, where least is too much."""
    asked = cuts.demands.against(cuts.core)
    least = {name: int(found.min()) for name, (found, _) in asked.items()}
    if all(least[name] <= most for name, (_, most) in asked.items()):
        excess = np.max([found / most for found, most in asked.values()], axis=0)
        place = np.unravel_index(excess.argmin(), excess.shape)
        least = {name: int(found[place]) for name, (found, _) in asked.items()}
    for name, (_, most) in asked.items():
        if least[name] > most:
            what = f"its smallest slice takes {least[name]} {name} of a core; allowed: {most}"
            yield Problem(cuts.layer.name, what, _mend(name, cuts.layer))


def _mend(resource: str, layer: Layer) -> str:
    """What helps: of a slice that can be no smaller, fewer bits do not."""
    if resource == "output axons":
        return "make the layers that read it narrower, or compile for the target loihi2"
    if layer.copies > 1:
        return "compile with fewer `timesteps`, or another `code`"
    return "compile with `average_pool='sum'`, or make the layer before it narrower, or pool more"


def _problems_of_size(mapping: CoreMapping, options: MapOptions) -> Iterator[Problem]:
    """More cores than anybody has."""
    most = MOST_CORES
    if options.chips is not None:
        most = min(most, options.chips * mapping.core.cores)
    if mapping.cores > most:
        what = f"the network takes {mapping.cores} cores; allowed: {most}"
        if options.chips is not None:
            what = f"{what} on {options.chips} chips of {mapping.core.cores}"
        mend = (
            "allow more `chips`, choose the `objective` cores, or compile with fewer `weight_bits`"
        )
        yield Problem(mapping.layers[0].name, what, mend)


def _synapse_time(costs: EventCosts, *, is_dense: bool) -> float:
    return (costs.dense_synapse if is_dense else costs.convolution_synapse).time
