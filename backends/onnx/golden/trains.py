"""Trains of spikes in the golden model: `Scan` takes rate neurons from time step to time step.

All numbers are whole and below 2^24, so float32 holds them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper

from snnc.backends.onnx.golden.sums import GoldenGraph
from snnc.compiler.laws import OffsetSpike, Rate
from snnc.compiler.laws.integrate_and_fire import IntegrateAndFire
from snnc.compiler.spiking import Population
from snnc.compiler.target import LOIHI

NEVER = float(LOIHI.state_max + 1)
"""Beyond every potential: the least of no values, and with a minus the greatest."""
INNER = (
    *("v", "least", "most", "current", "sum", "total", "fires", "fallen", "spikes"),
    *("lower", "higher", "v after", "least after", "most after"),
)
"""The values of one time step."""
LOOP = ("calibrations", "start", "goes on")
"""What every calibration begins with."""


def add_train(graph: GoldenGraph, population: Population, law: Rate, currents: str) -> None:
    """Add the train (time steps, images, *shape) that a population fires, under its name.

    Args:
        graph: is added to.
        population: gives name and shape.
        law: of its neurons.
        currents: the value (time steps, images, *shape) of what arrives, the bias included.
    """
    neurons = _Neurons(graph, population, law)
    neurons.scan(currents, (neurons.at_rest(currents),), spikes=population.name)


def add_calibrated_train(
    graph: GoldenGraph, population: Population, law: OffsetSpike, currents: str
) -> None:
    """The same of neurons that calibrate first, on the beginning of the currents."""
    neurons = _Neurons(graph, population, law)
    beginning = graph.first_steps(currents, law.rho)
    start = neurons.calibrated(beginning, neurons.at_rest(currents), law)
    neurons.scan(currents, (start,), spikes=population.name)


class _Neurons:
    """A population and the constants of its law."""

    def __init__(self, graph: GoldenGraph, population: Population, law: IntegrateAndFire) -> None:
        self.graph, self.add = graph, graph.add
        self.images: list[str | int | None] = ["images", *population.shape]
        # the values of a time step see those of the graph, so no name may stand for both
        self.inner = {each: graph.unique(each) for each in INNER}
        self.threshold = graph.spread(law.threshold, population)
        self.initial = graph.spread(law.initial, population)
        lowest, highest, never, zero, one = (
            graph.floats(np.array(each)) for each in (-NEVER, NEVER - 1, NEVER, 0, 1)
        )
        self.ends = lowest, highest
        self.never, self.always, self.zero, self.one = never, lowest, zero, one

    def at_rest(self, currents: str) -> str:
        """v(0) for each image."""
        first = self.add("Gather", currents, self.graph.whole(0), axis=0)
        return self.add("Add", self.add("Sub", first, first), self.initial)

    def calibrated(self, currents: str, start: str, law: OffsetSpike) -> str:
        """Calibrate as often as the law says; the graph does not grow with it."""
        graph, never_ends = self.graph, self.graph.constant(True, np.bool_)
        count, before, going = (graph.unique(f"{currents}:{each}") for each in LOOP)
        with graph.body() as nodes:
            after = self._moved(currents, before, light=law.light)
            goes_on = graph.add("Identity", never_ends)
        scalars = ((count, TensorProto.INT64), (going, TensorProto.BOOL))
        inputs = [helper.make_tensor_value_info(name, kind, []) for name, kind in scalars]
        ends = helper.make_tensor_value_info(goes_on, TensorProto.BOOL, [])
        results = [ends, self._value(after)]
        body = helper.make_graph(nodes, "calibration", [*inputs, self._value(before)], results)
        rounds, result = graph.whole(law.iterations), graph.unique(f"{currents}:calibrated")
        graph.add_node("Loop", [rounds, "", start], [result], body=body)
        return result

    def _moved(self, currents: str, start: str, *, light: bool) -> str:
        """Move the initial potential by one spike, where the residual asks for it.

        The residual is counted from the first initial potential, before any calibration. In the
        light variant the residual is the initial potential of those that it concerns.
        """
        add = self.add
        rest = add("Sub", start, start)
        states = (start, add("Add", rest, self.never), add("Add", rest, self.always))
        end, fired, silent = self.scan(currents, states)
        residual = add("Sub", end, add("Sub", start, self.initial))
        below, has_fired = add("Less", residual, self.zero), add("Less", fired, self.never)
        too_often = add("And", below, has_fired)
        above = add("GreaterOrEqual", residual, self.threshold)
        too_seldom = add("And", above, add("Greater", silent, self.always))
        if light:
            return add("Where", add("Or", too_often, too_seldom), end, start)
        fall = add("Max", self.threshold, add("Add", fired, self.one))
        rise = add("Max", self.threshold, add("Sub", self.threshold, silent))
        raised = add("Where", too_seldom, rise, self.zero)
        fallen = add("Where", too_often, fall, self.zero)
        return add("Add", start, add("Sub", raised, fallen))

    def scan(
        self, currents: str, states: Sequence[str], *, spikes: str | None = None
    ) -> Sequence[str]:
        """One time step after the other: what the states are at the end, and perhaps the train.

        Args:
            currents: (time steps, images, *shape).
            states: v; perhaps also the least v after a spike and the greatest of a step without.
            spikes: what the train is called, if it is wanted.
        """
        names = self.inner
        count = len(states)
        before = [names[each] for each in ("v", "least", "most")[:count]]
        after = [names[f"{each} after"] for each in ("v", "least", "most")[:count]]
        nodes = _integrate_and_fire(names, self.threshold, *self.ends)
        nodes += _extremes(names) if count > 1 else []
        inputs = [self._value(each) for each in (*before, names["current"])]
        outputs = [self._value(each) for each in after]
        ends = [self.graph.unique(f"{currents}:{each}") for each in after]
        results = list(ends)
        if spikes is not None:
            fired = names["spikes"]
            nodes.append(helper.make_node("Cast", [names["fires"]], [fired], to=TensorProto.UINT8))
            outputs.append(helper.make_tensor_value_info(fired, TensorProto.UINT8, self.images))
            results.append(spikes)
        body = helper.make_graph(nodes, "step", inputs, outputs)
        self.graph.add_node("Scan", [*states, currents], results, body=body, num_scan_inputs=1)
        return ends

    def _value(self, name: str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, self.images)


def _integrate_and_fire(
    names: Mapping[str, str], threshold: str, lowest: str, highest: str
) -> list[onnx.NodeProto]:
    """V saturates at the ends of its 24 bits."""
    return [
        _node(names, "Add", ("v", "current"), "sum"),
        helper.make_node("Clip", [names["sum"], lowest, highest], [names["total"]]),
        helper.make_node("GreaterOrEqual", [names["total"], threshold], [names["fires"]]),
        helper.make_node("Sub", [names["total"], threshold], [names["fallen"]]),
        _node(names, "Where", ("fires", "fallen", "total"), "v after"),
    ]


def _extremes(names: Mapping[str, str]) -> list[onnx.NodeProto]:
    return [
        _node(names, "Min", ("least", "v after"), "lower"),
        _node(names, "Where", ("fires", "lower", "least"), "least after"),
        _node(names, "Max", ("most", "v after"), "higher"),
        _node(names, "Where", ("fires", "most", "higher"), "most after"),
    ]


def _node(
    names: Mapping[str, str], kind: str, inputs: Sequence[str], output: str
) -> onnx.NodeProto:
    return helper.make_node(kind, [names[each] for each in inputs], [names[output]])
