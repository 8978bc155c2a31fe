"""One bit-serial neuron of a compiled network: what arrives, its potential, its threshold.

The neuron is computed here from the equations of docs/arithmetic.md, with the weights of the file
and what its source sends; a test holds its spikes against the golden model.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from examples.glyphs.data import load_glyphs
from matplotlib.axes import Axes

from docs.site.figures.paper import network, short, svg
from snnc.compiler.laws.bit_serial import BitSerial
from snnc.compiler.rules.timing import timing_of
from snnc.compiler.spiking import Convolution, Population, SpikingNetwork
from snnc.runtime.engines.golden import Golden
from snnc.runtime.output.plots.figure import BLUE, GREY, VERMILION

CHECKPOINT, LAYER = "vgg_L7", 1
LEVEL = 5
"""What the golden model says of the neuron that is shown: its bits are 1, 0, 1."""


@dataclass(frozen=True)
class Trace:
    """A neuron from its first arrival to its last spike."""

    name: str
    arrivals: tuple[int, ...]
    """a of each time step in which the source sends a bit."""
    currents: tuple[int, ...]
    """u after each of them."""
    potentials: tuple[tuple[int, int], ...]
    """v before and after the comparison of each fire step."""
    thresholds: tuple[int, ...]
    """Θ of each fire step."""
    start: int
    """The time step of the first arrival."""

    @property
    def level(self) -> int:
        """What its spikes say, as bits."""
        return sum(spike << k for k, spike in enumerate(reversed(self.spikes)))

    @property
    def spikes(self) -> tuple[int, ...]:
        """One where v met the threshold."""
        return tuple(int(before != after) for before, after in self.potentials)


def trace() -> Trace:
    """A neuron with a level that has ones and a zero, in the middle of the first glyph."""
    compiled = network(CHECKPOINT)
    population = compiled.populations[LAYER]
    levels = load_glyphs("test", 1).x
    sent = Golden(compiled, every_population=True).run(levels).numbers
    mine = sent[population.name][0]
    place = _nearest_to_the_middle(np.argwhere(mine == LEVEL), mine.shape)
    source = sent[population.projections[0].source][0]
    return _traced(compiled, population, source.astype(np.int64), place)


def _nearest_to_the_middle(places: np.ndarray, shape: tuple[int, ...]) -> tuple[int, int, int]:
    middle = np.array(shape[1:]) / 2
    distances = np.abs(places[:, 1:] - middle).sum(1)
    channel, row, column = map(int, places[distances.argmin()])
    return channel, row, column


def _traced(
    compiled: SpikingNetwork, population: Population, source: np.ndarray, place: tuple[int, ...]
) -> Trace:
    law, sender = population.neuron, compiled.nodes[population.projections[0].source]
    assert isinstance(law, BitSerial)
    assert isinstance(sender, Population)
    bits = [source >> k & 1 for k in reversed(range(sender.neuron.turn))]
    arrivals = [_arrival(population, plane, place) for plane in bits]
    currents = [0]
    for each in arrivals:
        currents.append(2 * currents[-1] + each)
    step = int(law.step[place[0]])
    highest = (law.levels + 1) * step - 1
    v = min(currents[-1] + int(population.bias[place[0]]), highest)
    thresholds = [step << k for k in reversed(range(law.turn))]
    potentials = []
    for each in thresholds:
        after = v - each if v >= each else v
        potentials.append((v, after))
        v = after
    slot = timing_of(compiled).slots[population.name]
    return Trace(
        population.name,
        tuple(arrivals),
        tuple(currents[1:]),
        tuple(potentials),
        tuple(thresholds),
        slot.windows[0].start,
    )


def _arrival(population: Population, spikes: np.ndarray, place: tuple[int, ...]) -> int:
    """The sum of the weights whose synapses meet a spike."""
    projection = population.projections[0]
    convolution = projection.connection
    assert isinstance(convolution, Convolution)
    assert convolution.groups == 1
    channel, row, column = place
    top, left, bottom, right = convolution.pads
    kernel = convolution.weights[channel].astype(np.int64)
    padded = np.pad(spikes, ((0, 0), (top, bottom), (left, right)))
    y, x = row * convolution.strides[0], column * convolution.strides[1]
    met = padded[:, y : y + kernel.shape[1], x : x + kernel.shape[2]]
    return int((met * kernel).sum()) << projection.exponent


def draw(path: Path) -> None:
    """The neuron's time steps from the left to the right."""
    found = trace()
    with svg(path, 7.0, 3.4) as drawing:
        upper, lower = drawing.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        first = found.start + len(found.arrivals) - 1
        _draw_states(upper, found, first)
        _draw_spikes(lower, found, first)


def _draw_states(axes: Axes, found: Trace, first: int) -> None:
    listening = [found.start + k for k in range(len(found.arrivals))]
    axes.bar(listening, found.arrivals, 0.5, color="#cccccc", label="arrives: a")
    axes.plot(listening, found.currents, "s--", color=GREY, label="current u ← 2u + a")
    for k, ((before, after), threshold) in enumerate(
        zip(found.potentials, found.thresholds, strict=True)
    ):
        now = first + k
        axes.plot([now - 0.3, now + 0.35], [threshold] * 2, color=VERMILION, linewidth=1.8)
        axes.plot([now, now], [before, after], color=BLUE, linewidth=1.0)
        axes.plot([now, now + 1], [after] * 2, color=BLUE)
        axes.plot([now], [before], "o", color=BLUE)
        name = f"{before:,} {'≥' if before >= threshold else '<'} {threshold:,}"
        axes.annotate(
            name, (now + 0.06, max(before, threshold)), xytext=(0, 5), textcoords="offset points"
        )
    axes.plot([], [], "o-", color=BLUE, label="potential v, from u + B on")
    axes.plot([], [], color=VERMILION, linewidth=1.8, label="threshold θ, halved in each step")
    axes.axhline(0, color="black", linewidth=0.6)
    axes.margins(y=0.2)
    axes.legend(frameon=False, loc="upper left", ncols=2)
    axes.set_ylabel("membrane units")


def _draw_spikes(axes: Axes, found: Trace, first: int) -> None:
    for k, spike in enumerate(found.spikes):
        axes.plot([first + k] * 2, [0, spike], color=BLUE, linewidth=2.5, solid_capstyle="butt")
        axes.annotate(str(spike), (first + k + 0.06, 0.45))
    axes.set_ylim(0, 1.1)
    axes.set_yticks([])
    axes.set_ylabel("spikes")
    axes.set_xlim(found.start - 0.6, first + len(found.spikes) - 0.2)
    axes.set_xticks(range(found.start, first + len(found.spikes)))
    axes.set_xlabel(
        f"time step of the image; a neuron of {short(found.name)} sends level {found.level}"
    )
