"""Trains of spikes in the golden model: `Scan` takes rate neurons from time step to time step.

All numbers are whole and below 2^24, so float32 holds them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto, helper

from snnc.backends.onnx.builder import Builder
from snnc.compiler.neurons import OffsetSpike, Rate
from snnc.compiler.spiking import Population, per_neuron

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    name, shape = population.name, population.shape
    step = graph.floats(f"{name}:step", per_neuron(neuron.step, shape))
    initial = graph.floats(f"{name}:initial", per_neuron(neuron.initial, shape))
    zero = graph.constant(f"{name}:0", np.array(0))
    first = graph.node("Gather", currents, zero, output=f"{name}:first", axis=0)
    rest = graph.node("Sub", first, first, output=f"{name}:rest")
    start = graph.node("Add", rest, initial, output=f"{name}:start")
    if isinstance(neuron, OffsetSpike):
        heard = _first_steps(graph, currents, neuron.rho, f"{name}:heard")
        for k in range(neuron.iterations):
            calibrate = _light if neuron.light else _calibrated
            start = calibrate(graph, f"{name}:calibration {k}", heard, start, initial, step)
    _scan(graph, name, currents, step, (start,), (f"{name}:end",), spikes=name)


def _calibrated(graph: Builder, name: str, heard: str, start: str, initial: str, step: str) -> str:
    """Move the initial potential of each neuron by one spike, where its residual asks for it."""
    never = graph.floats(f"{name}:never", np.array(NEVER))
    always = graph.floats(f"{name}:always", np.array(-NEVER))
    rest = graph.node("Sub", start, start, output=f"{name}:rest")
    least = graph.node("Add", rest, never, output=f"{name}:least")
    most = graph.node("Add", rest, always, output=f"{name}:most")
    ends = (f"{name}:end", f"{name}:least fired", f"{name}:most silent")
    end, fired, silent = _scan(graph, name, heard, step, (start, least, most), ends)
    moved = graph.node("Sub", start, initial, output=f"{name}:moved")
    residual = graph.node("Sub", end, moved, output=f"{name}:residual")
    zero, one = (graph.floats(f"{name}:{n}", np.array(n)) for n in (0, 1))
    has_fired = graph.node("Less", fired, never, output=f"{name}:has fired")
    below = graph.node("Less", residual, zero, output=f"{name}:below")
    too_often = graph.node("And", below, has_fired, output=f"{name}:too often")
    was_silent = graph.node("Greater", silent, always, output=f"{name}:was silent")
    above = graph.node("GreaterOrEqual", residual, step, output=f"{name}:above")
    too_seldom = graph.node("And", above, was_silent, output=f"{name}:too seldom")
    removed = graph.node("Add", fired, one, output=f"{name}:removed")
    down = graph.node(
        "Neg", graph.node("Max", step, removed, output=f"{name}:fall"), output=f"{name}:down"
    )
    missing = graph.node("Sub", step, silent, output=f"{name}:missing")
    up = graph.node("Max", step, missing, output=f"{name}:up")
    raised = graph.node("Where", too_seldom, up, zero, output=f"{name}:raised")
    shift = graph.node("Where", too_often, down, raised, output=f"{name}:shift")
    return graph.node("Add", start, shift, output=f"{name}:start")


def _light(graph: Builder, name: str, heard: str, start: str, initial: str, step: str) -> str:
    """The residual potential is the new initial potential."""
    return _scan(graph, name, heard, step, (start,), (f"{name}:end",))[0]


def _first_steps(graph: Builder, currents: str, steps: int, name: str) -> str:
    bounds = (("first", 0), ("last", steps), ("axis", 0))
    parts = (graph.constant(f"{name}:{key}", np.array([n])) for key, n in bounds)
    return graph.node("Slice", currents, *parts, output=name)


def _scan(
    graph: Builder,
    name: str,
    currents: str,
    step: str,
    states: Sequence[str],
    ends: Sequence[str],
    *,
    spikes: str | None = None,
) -> Sequence[str]:
    """One time step after the other; the states are v, and perhaps the extremes of v after it.

    With extremes: the least v after a spike, and the greatest v of a step without one.
    """
    v, current = "v", "current"
    total, fires = "total", "fires"
    nodes = [
        helper.make_node("Add", [v, current], [total]),
        helper.make_node("GreaterOrEqual", [total, step], [fires]),
        helper.make_node("Sub", [total, step], ["fallen"]),
        helper.make_node("Where", [fires, "fallen", total], ["v after"]),
    ]
    outputs = ["v after"]
    inputs = [v]
    if len(states) > 1:
        inputs += ["least", "most"]
        outputs += ["least after", "most after"]
        nodes += [
            helper.make_node("Min", ["least", "v after"], ["lower"]),
            helper.make_node("Where", [fires, "lower", "least"], ["least after"]),
            helper.make_node("Max", ["most", "v after"], ["higher"]),
            helper.make_node("Where", [fires, "most", "higher"], ["most after"]),
        ]
    given = [*inputs, current]
    values = [helper.make_tensor_value_info(each, TensorProto.FLOAT, None) for each in given]
    results = [helper.make_tensor_value_info(each, TensorProto.FLOAT, None) for each in outputs]
    produced = list(ends)
    if spikes is not None:
        nodes.append(helper.make_node("Cast", [fires], ["spikes"], to=TensorProto.UINT8))
        results.append(helper.make_tensor_value_info("spikes", TensorProto.UINT8, None))
        produced.append(spikes)
    body = helper.make_graph(nodes, f"{name}:step", values, results)
    graph.nodes.append(
        helper.make_node("Scan", [*states, currents], produced, body=body, num_scan_inputs=1)
    )
    return produced
