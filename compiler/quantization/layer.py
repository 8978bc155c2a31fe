"""One population before its weights are integers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from snnc.compiler.network import Node
from snnc.compiler.operators import Add, Conv, Floats, MatMul, Staircase, per_channel
from snnc.compiler.quantization.feedback import Statistics
from snnc.compiler.quantization.observer import Observer, RoundedLayer
from snnc.compiler.target import Target


@dataclass(frozen=True)
class Precision:
    """What weights may be made of."""

    target: Target
    weight_bits: int
    """2 … 8 for one synapse, or twice the target's bits for two."""

    @property
    def doubled(self) -> bool:
        """Whether every weight is shared between two synapses."""
        return self.weight_bits > self.target.weight_bits

    @property
    def synapse_bits(self) -> int:
        """Bits of one synapse."""
        return min(self.weight_bits, self.target.weight_bits)

    @property
    def shift(self) -> int:
        """How much more the upper of two synapses counts than the lower: 2^shift."""
        return self.synapse_bits - 1

    def weight_range(self, weights: Floats, *, wide: bool) -> tuple[int, int]:
        """The least and the greatest weight: two's complement where signs mix."""
        top = self.weight_max(weights, wide=wide)
        low, high = bool(np.any(weights < 0)), bool(np.any(weights > 0))
        # the parts of a wide weight have its sign, and as many numbers below 0 as above
        return -top * low - (low and high and not wide), top * high

    def weight_max(self, weights: Floats, *, wide: bool) -> int:
        """The largest weight: unsigned where no sign mixes, two's complement without its least.

        Wide, the lower of two synapses has one bit less than an unsigned one.
        """
        low = (1 << self.shift) - 1
        mixed = bool(np.any(weights < 0) and np.any(weights > 0))
        top = low if mixed else 2 * low + 1
        return (top << self.shift) + low if wide else top


@dataclass(frozen=True, eq=False)
class Layer:
    """Float rows over the levels of the sources: levels of the result for one of the source."""

    node: Node
    """The staircase, or the output."""
    projections: tuple[Node, ...]
    """Convolutions and matrices."""
    rows: tuple[Floats, ...]
    """For each projection (channels, neurons that differ, fan-in). A convolution's neurons are all
    alike, a matrix' all different."""
    levels: tuple[int, ...]
    """The highest level of each source."""
    bias: Floats
    """(channels,), or one value for each neuron: the shape of the result."""
    statistics: tuple[Statistics, ...] = ()
    """For each projection what its source sends on calibration images; () without any."""
    clips: tuple[Floats, ...] = ()
    """For each projection (channels,) the share of the largest weight that is kept; () for all."""
    time_steps: int = 1
    """Time steps in each of which the bias is added; `levels` count all of them."""
    margin: float = 0.0
    """What the potential may hold beyond the sums, in levels."""
    swings: bool = False
    """Whether it may start as far below 0 as the sums reach above it, and the other way round."""
    repeated: bool = False
    """Whether the bias is added in many time steps, and its rounding as often."""
    keeps: bool = False
    """Whether it may start where the sums left it before."""
    worth: tuple[float, ...] = ()
    """For each projection the levels, of the result for one of the source, that 1 in its rows is
    worth; () where rows are in levels."""
    bias_worth: float = 1.0
    """The levels that 1 in the bias is worth."""
    magnification: Floats | None = None
    """(channels,) how much larger than these rows and bias were made; None for not at all."""

    @property
    def gain(self) -> Floats:
        """(channels,) the same, 1 where nothing was made larger."""
        return np.ones(len(self.bias)) if self.magnification is None else self.magnification

    def rounded(self, lost: tuple[Floats, ...], bias: Floats) -> RoundedLayer:
        """What rounding did, in levels.

        Args:
            lost: of the rows.
            bias: as it became.
        """
        gained = (bias - self.bias) * self.bias_worth / per_channel(self.gain, self.bias.ndim)
        return RoundedLayer(self.in_levels(lost), gained)

    def in_levels(self, rows: tuple[Floats, ...]) -> tuple[Floats, ...]:
        """Rows, or parts of rows, for levels of the sources."""
        worth, gain = self.worth or (1.0,) * len(rows), per_channel(self.gain, 3)
        return tuple(each * levels / gain for each, levels in zip(rows, worth, strict=True))

    @property
    def highest(self) -> int | None:
        """The levels of its staircase; None of the output."""
        operator = self.node.operator
        return operator.levels if isinstance(operator, Staircase) else None

    @property
    def thresholds(self) -> Floats | None:
        """Where the levels of its staircase begin, (levels, channels or 1); None for even ones."""
        operator = self.node.operator
        if not isinstance(operator, Staircase) or operator.thresholds is None:
            return None
        return operator.thresholds.reshape(len(operator.thresholds), -1)

    def peak(self, index: int) -> Floats:
        """The largest weight of a projection in each channel, clipped: (channels,)."""
        peak = np.abs(self.rows[index]).max((1, 2))
        return np.asarray(peak * self.clips[index] if self.clips else peak)

    @cached_property
    def reach(self) -> tuple[Floats, Floats]:
        """The least and the greatest sum of each channel, in levels, without the bias."""
        pairs = list(zip(self.rows, self.levels, strict=True))
        low = sum(np.minimum(rows, 0).sum(2).min(1) * n for rows, n in pairs)
        high = sum(np.maximum(rows, 0).sum(2).max(1) * n for rows, n in pairs)
        return np.asarray(low), np.asarray(high)

    @cached_property
    def span(self) -> Floats:
        """The farthest that each channel's potential gets from 0, in levels."""
        low, high = self.reach
        # (channels, neurons that differ)
        flat = self.bias.reshape(len(self.bias), -1) * self.time_steps
        least, most = low + np.minimum(flat.min(1), 0), high + np.maximum(flat.max(1), 0)
        farthest = np.maximum(most, -least)
        if self.swings:
            farthest = 2 * farthest if self.keeps else most - least
        return np.asarray(farthest + self.margin)

    @property
    def joined(self) -> Floats:
        """All weights that end in a channel, of whatever projection: (channels, …)."""
        return np.concatenate([rows.reshape(len(rows), -1) for rows in self.rows], axis=1)

    def is_narrow(self, index: int) -> bool:
        """Whether a projection meets others, and has one synapse a neuron: a shortcut.

        Its few weights are worth two synapses each, for nothing averages their rounding out.
        """
        single = np.count_nonzero(self.rows[index], axis=2).max() <= 1
        return len(self.rows) > 1 and bool(single)


def layer_of(
    end: Node,
    nodes: Mapping[str, Node],
    levels: Mapping[str, int],
    observer: Observer | None = None,
) -> Layer:
    """Take apart what ends in a staircase, or in the output of a composed network."""
    projections = projections_of(end, nodes)
    rows = tuple(_rows(node, end.shape[0]) for node in projections)
    reached = tuple(levels[node.sources[0]] for node in projections)
    known = observer.statistics(end) if observer is not None else ()
    return Layer(end, projections, rows, reached, _bias(projections), known)


def projections_of(end: Node, nodes: Mapping[str, Node]) -> tuple[Node, ...]:
    """The convolutions and matrices whose sums a staircase receives, or the output shows."""
    sums = nodes[end.sources[0]] if isinstance(end.operator, Staircase) else end
    ends = sums.sources if isinstance(sums.operator, Add) else (sums.name,)
    return tuple(nodes[each] for each in ends)


def _rows(node: Node, channels: int) -> Floats:
    assert isinstance(node.operator, Conv | MatMul)
    alike = isinstance(node.operator, Conv)
    fan_in = node.operator.weights[0].size
    # a matrix has its neurons in C, H, W order: those of a channel are next to each other
    return node.operator.weights.reshape(channels, 1 if alike else -1, fan_in)


def _bias(projections: tuple[Node, ...]) -> Floats:
    """The sum of all biases: a map, where one of them is."""
    found = [n.operator.bias for n in projections if isinstance(n.operator, Conv | MatMul)]
    rank = max(each.ndim for each in found)
    return np.asarray(sum(per_channel(each, rank) for each in found))


def saturated(layer: Layer, levels: int) -> Layer:
    """Pull in a bias beyond which the neuron gives 0, or N, whatever arrives: the same result."""
    low, high = (per_channel(each, layer.bias.ndim) for each in layer.reach)
    return replace(layer, bias=np.clip(layer.bias, -high - 1.0, levels + 1.0 - low))
