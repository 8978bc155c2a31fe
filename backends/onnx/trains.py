"""Trains of spikes in the golden model: `Scan` takes rate neurons from time step to time step.

All numbers are whole and below 2^24, so float32 holds them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper

from snnc.backends.onnx.builder import Builder
from snnc.compiler.neurons import OffsetSpike, Rate
from snnc.compiler.spiking import Population, per_neuron

NEVER = float(1 << 23)
"""Beyond every potential: the least of no values, and with a minus the greatest."""


def add_train(
    graph: Builder, population: Population, neuron: Rate | OffsetSpike, currents: str
) -> None:
    """Add the train (time steps, images, *shape) that a population fires, under its name.

    Args:
        graph: is added to.
        population: gives name and shape.
        neuron: its law.
        currents: the value (time steps, images, *shape) of what arrives, the bias included.
    """
    neurons = _Neurons(graph, population, neuron)
    start = neurons.at_rest(currents)
    if isinstance(neuron, OffsetSpike):
        heard = graph.first_steps(currents, neuron.rho, f"{population.name}:heard")
        for k in range(neuron.iterations):
            start = neurons.calibrated(f"{population.name}:calibration {k}", heard, start)
    neurons.scan(population.name, currents, (start,), spikes=population.name)


class _Neurons:
    """A population and the constants of its law."""

    def __init__(self, graph: Builder, population: Population, neuron: Rate | OffsetSpike) -> None:
        name, shape = population.name, population.shape
        self.graph, self.name = graph, name
        self.light = isinstance(neuron, OffsetSpike) and neuron.light
        self.images: list[str | int | None] = ["images", *shape]
        self.step = graph.floats(f"{name}:step", per_neuron(neuron.step, shape))
        self.initial = graph.floats(f"{name}:initial", per_neuron(neuron.initial, shape))

        lowest, highest = np.array(-NEVER), np.array(NEVER - 1)
        self.ends = graph.floats(f"{name}:lowest", lowest), graph.floats(f"{name}:highest", highest)

    def at_rest(self, currents: str) -> str:
        """v(0) for each image."""
        graph, name = self.graph, self.name
        index = graph.constant(f"{name}:step 0", np.array(0))
        first = graph.node("Gather", currents, index, output=f"{name}:first", axis=0)
        rest = graph.node("Sub", first, first, output=f"{name}:rest")
        return graph.node("Add", rest, self.initial, output=f"{name}:start")

    def calibrated(self, name: str, heard: str, start: str) -> str:
        """Move the initial potential by one spike, where the residual asks for it.

        The residual is counted from the first initial potential, before any calibration. In the
        light variant the residual is the initial potential of those that it concerns.
        """
        graph = self.graph
        never, always, zero, one = (
            graph.floats(f"{name}:{key}", np.array(number))
            for key, number in (("never", NEVER), ("always", -NEVER), ("zero", 0), ("one", 1))
        )
        rest = graph.node("Sub", start, start, output=f"{name}:rest")
        least = graph.node("Add", rest, never, output=f"{name}:least")
        most = graph.node("Add", rest, always, output=f"{name}:most")
        end, fired, silent = self.scan(name, heard, (start, least, most))
        moved = graph.node("Sub", start, self.initial, output=f"{name}:moved")
        residual = graph.node("Sub", end, moved, output=f"{name}:residual")
        below = graph.node("Less", residual, zero, output=f"{name}:below")
        has_fired = graph.node("Less", fired, never, output=f"{name}:has fired")
        too_often = graph.node("And", below, has_fired, output=f"{name}:too often")
        above = graph.node("GreaterOrEqual", residual, self.step, output=f"{name}:above")
        was_silent = graph.node("Greater", silent, always, output=f"{name}:was silent")
        too_seldom = graph.node("And", above, was_silent, output=f"{name}:too seldom")
        if self.light:
            moves = graph.node("Or", too_often, too_seldom, output=f"{name}:moves")
            return graph.node("Where", moves, end, start, output=f"{name}:start")
        removed = graph.node("Add", fired, one, output=f"{name}:removed")
        fall = graph.node("Max", self.step, removed, output=f"{name}:fall")
        missing = graph.node("Sub", self.step, silent, output=f"{name}:missing")
        rise = graph.node("Max", self.step, missing, output=f"{name}:rise")
        raised = graph.node("Where", too_seldom, rise, zero, output=f"{name}:raised")
        fallen = graph.node("Where", too_often, fall, zero, output=f"{name}:fallen")
        shift = graph.node("Sub", raised, fallen, output=f"{name}:shift")
        return graph.node("Add", start, shift, output=f"{name}:start")

    def scan(
        self, name: str, currents: str, states: Sequence[str], *, spikes: str | None = None
    ) -> Sequence[str]:
        """One time step after the other: what the states are at the end, and perhaps the train.

        Args:
            name: of what is added.
            currents: (time steps, images, *shape).
            states: v; perhaps also the least v after a spike and the greatest of a step without.
            spikes: what the train is called, if it is wanted.
        """
        before = ("v", "least", "most")[: len(states)]
        after = ("v after", "least after", "most after")[: len(states)]
        nodes = _integrate_and_fire(self.step, *self.ends) + (
            _extremes() if len(states) > 1 else []
        )
        inputs = [self._value(each) for each in (*before, "current")]
        outputs = [self._value(each) for each in after]
        ends = [f"{name}:{each}" for each in after]
        results = list(ends)
        if spikes is not None:
            nodes.append(helper.make_node("Cast", ["fires"], ["spikes"], to=TensorProto.UINT8))
            outputs.append(helper.make_tensor_value_info("spikes", TensorProto.UINT8, self.images))
            results.append(spikes)
        body = helper.make_graph(nodes, f"{name}:step", inputs, outputs)
        self.graph.nodes.append(
            helper.make_node("Scan", [*states, currents], results, body=body, num_scan_inputs=1)
        )
        return ends

    def _value(self, name: str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, self.images)


def _integrate_and_fire(step: str, lowest: str, highest: str) -> list[onnx.NodeProto]:
    """V saturates at the ends of its 24 bits."""
    return [
        helper.make_node("Add", ["v", "current"], ["sum"]),
        helper.make_node("Clip", ["sum", lowest, highest], ["total"]),
        helper.make_node("GreaterOrEqual", ["total", step], ["fires"]),
        helper.make_node("Sub", ["total", step], ["fallen"]),
        helper.make_node("Where", ["fires", "fallen", "total"], ["v after"]),
    ]


def _extremes() -> list[onnx.NodeProto]:
    return [
        helper.make_node("Min", ["least", "v after"], ["lower"]),
        helper.make_node("Where", ["fires", "lower", "least"], ["least after"]),
        helper.make_node("Max", ["most", "v after"], ["higher"]),
        helper.make_node("Where", ["fires", "most", "higher"], ["most after"]),
    ]
