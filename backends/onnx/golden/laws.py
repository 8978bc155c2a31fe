"""What the golden model computes of each law: one row a law."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from snnc.backends.onnx.byte_sums import BYTE
from snnc.backends.onnx.golden.byte_convolution import (
    ByteConvolution,
    byte_convolution,
    quotients_are_exact,
)
from snnc.backends.onnx.golden.sums import FLOAT, UINT8, GoldenGraph, factors_of
from snnc.backends.onnx.golden.trains import add_calibrated_train, add_train
from snnc.compiler.laws import (
    BitSerial,
    Copies,
    Current,
    Delta,
    DeltaReadout,
    Graded,
    Neuron,
    OffsetSpike,
    Rate,
    Readout,
)
from snnc.compiler.laws.base import WholeStaircase
from snnc.compiler.laws.on_staircase import OnStaircase
from snnc.compiler.rules.bounds import is_steady
from snnc.compiler.spiking import Node, Population

Writer: TypeAlias = Callable[[GoldenGraph, Population], None]


def add_levels(graph: GoldenGraph, population: Population) -> None:
    """The numbers of a staircase, as bytes where that is exact; of changes those they add up to."""
    law = population.neuron
    assert isinstance(law, OnStaircase)
    _add_staircase(graph, population, law.staircase(population.bias, population.shape))


def add_copies(graph: GoldenGraph, population: Population) -> None:
    """The number of copies whose threshold the sum exceeds; often a staircase."""
    assert isinstance(population.neuron, Copies)
    staircase = population.neuron.staircase(population.bias, population.shape)
    if staircase is not None:
        _add_staircase(graph, population, staircase)
        return
    total = graph.sum(population)
    fired = [
        graph.add("Cast", graph.add("Greater", total, graph.spread(each, population)), to=FLOAT)
        for each in population.neuron.thresholds
    ]
    graph.add("Sum", *fired, name=population.name)
    graph.types[population.name] = FLOAT


def add_rate(graph: GoldenGraph, population: Population) -> None:
    """One time step after the other, from the currents of all of them."""
    law = population.neuron
    assert isinstance(law, Rate)
    if _repeats(population, law, graph.nodes[population.projections[0].source]):
        _add_identity(graph, population)
        return
    add_train(graph, population, law, _currents(graph, population))


def add_offset_spike(graph: GoldenGraph, population: Population) -> None:
    """The same after its calibrations."""
    assert isinstance(population.neuron, OffsetSpike)
    add_calibrated_train(graph, population, population.neuron, _currents(graph, population))


def add_potential(graph: GoldenGraph, population: Population) -> None:
    """The sum itself."""
    graph.add("Identity", graph.sum(population), name=population.name)
    graph.types[population.name] = FLOAT


LAWS: Mapping[type[Neuron], Writer] = MappingProxyType(
    {
        BitSerial: add_levels,
        Graded: add_levels,
        Current: add_levels,
        Rate: add_rate,
        OffsetSpike: add_offset_spike,
        Copies: add_copies,
        Delta: add_levels,
        Readout: add_potential,
        DeltaReadout: add_potential,
    }
)


def _add_staircase(graph: GoldenGraph, population: Population, staircase: WholeStaircase) -> None:
    """N = clip(⌊z/Δ⌋, 0, N)."""
    source = graph.nodes[population.projections[0].source]
    if _passes_on(population, staircase, source):
        _add_identity(graph, population)
        return
    constants = byte_convolution(population, staircase, source)
    if constants is not None:
        _add_bytes(graph, population, staircase, constants)
        return
    if staircase.levels <= BYTE and quotients_are_exact(staircase):
        _add_rounded(graph, population, staircase)
        return
    total = graph.sum(replace(population, bias=staircase.bias))
    quotient = graph.add("Div", total, graph.spread(staircase.step, population))
    ends = (graph.floats(np.array(each)) for each in (0, staircase.levels))
    graph.add("Clip", graph.add("Floor", quotient), *ends, name=population.name)
    graph.types[population.name] = FLOAT


def _add_rounded(graph: GoldenGraph, population: Population, staircase: WholeStaircase) -> None:
    """The same as round((z − (Δ − 1)/2)/Δ) in bytes: byte_convolution.py says why."""
    middle = ((staircase.step - 1) // 2).reshape(-1, *(1,) * (staircase.bias.ndim - 1))
    total = graph.sum(replace(population, bias=staircase.bias - middle))
    if np.any(staircase.step != 1):
        # a scale for each channel is slow where ONNX Runtime puts the channels last
        total = graph.add("Div", total, graph.spread(staircase.step, population))
    levels = graph.add("QuantizeLinear", total, graph.floats(np.array(1)))
    ends = (graph.constant(each, np.uint8) for each in (0, staircase.levels))
    graph.add("Clip", levels, *ends, name=population.name)
    graph.types[population.name] = UINT8


def _add_identity(graph: GoldenGraph, population: Population) -> None:
    source = population.projections[0].source
    graph.add("Identity", source, name=population.name)
    graph.types[population.name] = graph.types[source]


def _passes_on(population: Population, staircase: WholeStaircase, source: Node) -> bool:
    """Whether it sends the number that it receives, as a relay does."""
    if not _receives_unchanged(population) or source.sends.train == "spikes":
        return False
    unscaled = bool(np.all(staircase.step == 1) and not staircase.bias.any())
    return unscaled and staircase.levels >= source.sends.levels


def _repeats(population: Population, law: Rate, source: Node) -> bool:
    """Whether it sends the train that it receives: of θ = 1 from 0 on every spike is one again."""
    train = source.sends.train == "spikes" and not source.sends.is_constant
    same = train and source.sends.levels == law.time_steps and not population.bias.any()
    at_once = bool(np.all(law.threshold == 1) and not law.initial.any())
    return same and at_once and _receives_unchanged(population)


def _receives_unchanged(population: Population) -> bool:
    """Whether its sums are the numbers of its only source."""
    projection, *others = population.projections
    factors = factors_of(projection, population.shape[0])
    return not others and factors is not None and bool(np.all(factors == 1))


def _add_bytes(
    graph: GoldenGraph,
    population: Population,
    staircase: WholeStaircase,
    constants: ByteConvolution,
) -> None:
    """One operator on bytes, and the ceiling N."""
    (projection,) = population.projections
    *sums, convolution = constants.stages
    one, zero = graph.constant(1, np.float32), graph.constant(0, np.uint8)
    points = np.repeat(constants.weights.zero_point, len(constants.bias))
    weights = map(graph.constant, (constants.weights.values, constants.scale, points))
    pixels = graph.cast(projection.source, UINT8)
    if constants.shift:
        shift = graph.constant(constants.shift, np.uint8)
        pixels = graph.add("BitShift", pixels, shift, direction="LEFT")
    for each in sums:
        pixels = graph.sums_of_bytes(each, pixels)
    bias = graph.constant(constants.bias)
    inputs = (pixels, one, zero, *weights, one, zero, bias)
    levels = graph.convolution("QLinearConv", convolution, *inputs)
    highest = graph.constant(staircase.levels, np.uint8)
    graph.add("Clip", levels, zero, highest, name=population.name)
    graph.types[population.name] = UINT8


def _currents(graph: GoldenGraph, population: Population) -> str:
    """What arrives in each time step, the bias included: (time steps, images, *shape)."""
    steps = population.neuron.levels
    terms = [graph.currents(each, population, steps) for each in population.projections]
    total = graph.add("Sum", *terms, graph.spread(population.bias, population))
    graph.types[population.name] = UINT8
    if not is_steady(population, graph.nodes):
        return total
    length = np.array((steps, *(1,) * (1 + len(population.shape))))
    return graph.add("Expand", total, graph.whole(length))
