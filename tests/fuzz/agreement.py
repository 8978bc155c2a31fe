"""The engines against the interpreter of the documents: every number, spike, logit and bound."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np

from snnc.compiler.rules.bounds import is_steady, potential_bounds, sum_bounds
from snnc.compiler.rules.timing import timing_of
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.data import encode
from snnc.runtime.engines.golden import Golden
from snnc.runtime.engines.lava.simulator import LavaModel, simulate
from snnc.runtime.engines.result import logits_of
from tests.fuzz import interpreter
from tests.fuzz.interpreter import Result
from tests.fuzz.neurons import Ends, Whole, per_neuron


def golden_agrees(path: Path, network: SpikingNetwork, levels: Whole) -> Result:
    """Hold what golden makes of a file that was loaded against what the interpreter makes of it.

    Args:
        path: of the file.
        network: what is in it.
        levels: of the pixels, (images, *shape of an image).

    Returns:
        What the interpreter says.
    """
    real = network.input.low + network.input.step * levels
    np.testing.assert_array_equal(interpreter.levels_of(path, real), levels)
    expected = interpreter.run(path, levels)
    golden = Golden(network, every_population=True, threads=1).run(encode(real, network.input))
    assert list(golden.sent) == list(network.firing) == list(expected.sent)[:-1]
    for name, sent in golden.sent.items():
        np.testing.assert_array_equal(sent, expected.sent[name], err_msg=name)
    np.testing.assert_array_equal(golden.potential, expected.sent[network.readout.name])
    np.testing.assert_array_equal(logits_of(golden.potential, network), expected.logits)
    timing = timing_of(network)
    assert (timing.period, timing.latency) == (expected.period, expected.latency)
    _check_bounds(network, expected)
    return expected


def lava_agrees(
    network: SpikingNetwork, levels: Whole, expected: Result, model: LavaModel = "layers"
) -> None:
    """Hold every spike and potential of the simulator against what the interpreter said."""
    pixels = encode(network.input.low + network.input.step * levels, network.input)
    with closing(simulate(network, [pixels], chunk=2, model=model)) as stream:
        chunks = list(stream)
    shown = np.concatenate([each.logits for each in chunks])
    np.testing.assert_array_equal(shown, expected.sent[network.readout.name])
    for name, law in network.firing.items():
        spikes = np.concatenate([each.spikes[name] for each in chunks])
        np.testing.assert_array_equal(spikes, law.bit_planes(expected.sent[name]), err_msg=name)


def _check_bounds(network: SpikingNetwork, found: Result) -> None:
    """Sums are within theirs, and so is v before B joins it; from then on v is within its own.

    Under a constant current v may saturate, which golden does not: their spikes are the same.
    """
    for each in network:
        sums = each.neuron.current(sum_bounds(each, network.nodes))
        potential = potential_bounds(each, network.nodes)
        low, high = (per_neuron(e, each.shape) for e in (sums.low, sums.high))
        _check_within(f"u of {each.name}", (low, high), found.reached_by_u[each.name])
        if is_steady(each, network.nodes):
            continue
        low = np.minimum(low, per_neuron(potential.low, each.shape))
        high = np.maximum(high, per_neuron(potential.high, each.shape))
        _check_within(f"v of {each.name}", (low, high), found.reached_by_v[each.name])


def _check_within(name: str, proved: Ends, reached: Ends) -> None:
    assert (proved[0] <= reached[0]).all(), f"{name} falls to {reached[0].min()}"
    assert (reached[1] <= proved[1]).all(), f"{name} rises to {reached[1].max()}"
