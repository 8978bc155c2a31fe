from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from support.onnx_models import Graph, chains, random_chain

from snnc import api
from snnc.compiler.errors import SnncError
from snnc.compiler.laws import Firing
from snnc.compiler.laws.base import per_neuron
from snnc.compiler.network import Network, evaluate
from snnc.compiler.operators import Floats, Staircase
from snnc.compiler.options import CompileOptions
from snnc.compiler.passes.coarsen_staircases import coarsen_staircases
from snnc.compiler.pipeline import PASSES, PIPELINE, FloatPass, job_of, lower, recognize
from snnc.compiler.rules.legality import require_legal
from snnc.compiler.spiking import SpikingNetwork
from snnc.frontends.onnx.loading import Model
from snnc.frontends.onnx.reader import read_model
from snnc.runtime.engines.golden import Golden

NORMALISED = CompileOptions(mean=(0.4, 0.5), std=(0.25, 0.3))


def read(graph: Graph) -> Network:
    return read_model(Model(graph.model(), "", ()))


def stages(graph: Graph, options: CompileOptions) -> dict[str, Network | SpikingNetwork]:
    found: dict[str, Network | SpikingNetwork] = {}
    lower(read(graph), options, found.__setitem__)
    return found


def logits(network: Network | SpikingNetwork, x: Floats) -> Floats:
    assert isinstance(network, Network)
    return evaluate(network, x)[network.output.name]


@given(chains())
@settings(max_examples=40, deadline=None)
def test_no_float_pass_changes_the_meaning(graph: Graph) -> None:
    found = stages(graph, NORMALISED)
    n = graph.rng.integers(0, 256, (3, 2, 9, 8))
    mean, std = (np.reshape(each, (2, 1, 1)) for each in (NORMALISED.mean, NORMALISED.std))
    x = (n / 255 - mean) / std
    expected = logits(found["read"], x)
    for name in ("fold_batch_norms", "recognize_staircases", "shift_biases"):
        np.testing.assert_allclose(logits(found[name], x), expected, atol=1e-9, err_msg=name)
    for name in ("encode_input", "compose_chains"):
        np.testing.assert_allclose(logits(found[name], n), expected, atol=1e-9, err_msg=name)


BY_NAME = {each.name: each.run for each in PIPELINE if isinstance(each.run, FloatPass)}


def run_pass(name: str, network: Network) -> Network:
    return BY_NAME[name].run(network, job_of(network, CompileOptions(), None))


@pytest.mark.parametrize("name", sorted(BY_NAME.keys() - {"encode_input"}))
def test_a_pass_twice_is_the_pass_once(name: str) -> None:
    once = stages(random_chain(3), CompileOptions())[name]
    assert isinstance(once, Network)
    assert run_pass(name, once) is once


@given(chains())
@settings(max_examples=30, deadline=None)
def test_quantised_weights_are_the_floats_within_half_a_unit(graph: Graph) -> None:
    found = stages(graph, CompileOptions())
    composed, spiking = found["compose_chains"], found["quantize_weights"]
    assert isinstance(composed, Network)
    assert isinstance(spiking, SpikingNetwork)
    require_legal(spiking)
    for population in spiking:
        (projection,) = population.projections
        floats = composed.by_name[population.name].operator.weights
        neuron = population.neuron
        scale = neuron.step if hasattr(neuron, "step") else 1 / neuron.unit
        units = floats.reshape(len(scale), -1) * scale[:, None] / 2**projection.exponent
        weights = projection.connection.weights.reshape(len(scale), -1)
        on_grid = projection.error == 0
        assert on_grid or np.abs(weights - units).max() <= 0.5 + 1e-9


def dequantised(composed: Network, spiking: SpikingNetwork) -> Network:
    """The float network with the weights and biases that the integers stand for.

    Half a unit on top of the bias keeps every sum clear of the thresholds, which no rounding of a
    float64 then crosses.
    """
    nodes = dict(composed.by_name)
    for population in spiking:
        (projection,), neuron = population.projections, population.neuron
        node, fires = nodes[population.name], isinstance(neuron, Firing)
        unit = 1 / neuron.step if fires else neuron.unit
        rows = len(node.operator.weights) // len(unit)
        scale = np.repeat(unit, rows) * 2.0**projection.exponent
        weights = projection.connection.weights.reshape(node.operator.weights.shape)
        bias = (population.bias + 0.5 * fires) * per_neuron(unit, population.bias.shape)
        operator = replace(
            node.operator,
            weights=weights * per_neuron(scale, weights.shape),
            bias=bias.reshape(node.operator.bias.shape),
        )
        nodes[population.name] = replace(node, operator=operator)
    return composed.replaced(tuple(nodes.values()))


@given(chains())
@settings(max_examples=40, deadline=None)
def test_golden_is_the_float64_network_with_quantised_weights(graph: Graph) -> None:
    found = stages(graph, NORMALISED)
    composed, spiking = found["compose_chains"], found["quantize_weights"]
    n = graph.rng.integers(0, 256, (8, 2, 9, 8))
    golden = Golden(spiking, threads=1).run(n).potential
    expected = evaluate(dequantised(composed, spiking), n)[composed.output.name]
    np.testing.assert_allclose(golden * spiking.readout.neuron.unit, expected, atol=1e-9)


def test_steps_are_odd_and_fill_the_weights() -> None:
    spiking = lower(read(random_chain(5)), CompileOptions())
    for population in spiking.populations[:-1]:
        assert np.all(population.neuron.step % 2 == 1)
        assert np.abs(population.projections[0].connection.weights).max() > 95


def test_a_channel_that_is_always_on_does_not_cost_the_others_precision() -> None:
    graph = Graph(1, 2, 4, 4)
    graph.conv(3, 2, 3, 3)
    graph.with_constants("Add", np.reshape([0.0, 1e6, -1e6], (3, 1, 1)))
    graph.qcfs(7)
    graph.node("Flatten")
    graph.dense(2, 12)
    first = lower(read(graph), CompileOptions()).populations[0]
    step = first.neuron.step
    assert step.min() > 100
    assert np.abs(first.bias).max() < 40 * step.max()


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_weights_take_no_more_bits_than_allowed(bits: int) -> None:
    spiking = lower(read(random_chain(7)), CompileOptions(weight_bits=bits))
    for population in spiking:
        assert np.abs(population.projections[0].connection.weights).max() <= 2**bits - 1


def test_large_weights_get_an_exponent_that_keeps_the_step_fine() -> None:
    graph = Graph(1, 4)
    graph.with_constants("Gemm", graph.rng.uniform(100, 400, (4, 4)), transB=1)
    graph.qcfs(15, threshold=1.0)
    graph.dense(2, 4)
    first = lower(read(graph), CompileOptions()).populations[0]
    assert first.projections[0].exponent > 0
    assert first.neuron.step.min() >= 33


def test_coarser_staircases_keep_their_range() -> None:
    network = read(random_chain(11))
    for name in ("fold_batch_norms", "recognize_staircases"):
        network = run_pass(name, network)
    coarse = coarsen_staircases(network, 1)
    assert {n.operator.levels for n in coarse if isinstance(n.operator, Staircase)} == {1}
    assert "no longer error-free" in coarse.remarks[0]
    levels = max(n.operator.levels for n in network if isinstance(n.operator, Staircase))
    assert coarsen_staircases(network, levels.bit_length()) is network


@pytest.mark.parametrize("steps", [4, 9, 4096])
def test_more_time_steps_than_bits_are_refused(steps: int) -> None:
    """They would all be silent; `bits` of the finest activation alone count."""
    graph = Graph(1, 4)
    for levels in (1, 7):
        graph.dense(4, 4)
        graph.qcfs(levels)
    graph.dense(2, 4)
    with pytest.raises(SnncError) as caught:
        lower(read(graph), CompileOptions(timesteps=steps))
    assert str(caught.value) == (
        f"`timesteps`: {steps} with the code 'bit-serial', and no activation has more than 3 bits; "
        "allowed: 1 to 3\n  help: leave it out to keep every level"
    )
    kept = lower(read(graph), CompileOptions(timesteps=3))
    assert [each.neuron.turn for each in kept][:-1] == [1, 3]


def test_without_activations_no_number_of_time_steps_has_a_meaning() -> None:
    graph = Graph(1, 4)
    graph.dense(2, 4)
    with pytest.raises(SnncError, match="and there is no activation"):
        lower(read(graph), CompileOptions(timesteps=1))


def test_relus_without_levels_are_told_all_at_once() -> None:
    graph = Graph(1, 2, 6, 6)
    graph.conv(2, 2, 3, 3)
    graph.node("Relu", name="relu1")
    graph.conv(2, 2, 3, 3)
    graph.node("Relu", name="relu2")
    with pytest.raises(SnncError) as caught:
        lower(read(graph), CompileOptions())
    assert str(caught.value) == (
        "relu1, relu2: is clipped but never rounded: a plain ReLU has no levels that spikes could "
        "carry\n  help: with `calibration='images.npz'` and `levels=7`, ramps are fitted to it; or "
        "replace it by snnc.frontends.torch.quantize_activations(model, levels=7, samples=images), "
        "fine-tune and export again"
    )


def test_images_are_not_asked_for_where_they_are_given() -> None:
    graph = Graph(1, 2, 6, 6)
    graph.conv(2, 2, 3, 3)
    graph.node("Relu", name="relu")
    with pytest.raises(SnncError, match="help: with `levels=7` too, ramps are fitted to it"):
        lower(read(graph), CompileOptions(calibration="images.npz"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (CompileOptions(timesteps=0), "`timesteps`: 0 time steps; allowed: 1 to 4096"),
        (
            CompileOptions(weight_bits=9),
            "`weight_bits`: 9 bits; allowed: 2 to 8, 16 as two synapses, or 'auto'",
        ),
        (CompileOptions(input_bits=0), "`input_bits`: 0 bits; allowed: 1 to 16"),
        (CompileOptions(mean=(1.0,) * 3), "`mean`: 3 values for 2 channels; allowed: 1 or 2"),
        (CompileOptions(std=(0.0,)), "`std`: 0; allowed: 1e-12 to 1e+12"),
        (
            CompileOptions(input_range=(1.0, 1.0)),
            "`input_range`: the range 1 to 1 is empty or not finite",
        ),
    ],
)
def test_options_out_of_range_are_refused(options: CompileOptions, message: str) -> None:
    with pytest.raises(SnncError) as caught:
        lower(read(random_chain(1)), options)
    assert str(caught.value).splitlines()[0] == message


def flattened_before_its_clip() -> Graph:
    """QCFS whose parts stand on both sides of a Flatten."""
    graph = Graph("batch", 1, 6, 6)
    graph.conv(2, 1, 3, 3)
    graph.with_constants("Mul", 3.5)
    graph.node("Floor")
    graph.node("Flatten")
    graph.with_constants("Clip", 0.0, 7.0)
    graph.dense(3, 32)
    return graph


def test_what_compiles_is_recognized(tmp_path: Path) -> None:
    graph = flattened_before_its_clip()
    spiking = lower(read(graph), CompileOptions())
    for found in (recognize(read(graph)), api.recognize(graph.save(tmp_path))):
        levels = [n.operator.levels for n in found if isinstance(n.operator, Staircase)]
        assert levels == [law.levels for law in spiking.firing.values()] == [7]


def test_the_watcher_sees_every_pass() -> None:
    assert tuple(stages(random_chain(1), CompileOptions())) == PASSES


def test_every_pass_as_text(expected) -> None:
    graph = Graph("batch", 1, 6, 6)
    graph.conv(2, 1, 3, 3, name="conv", pads=[1, 1, 1, 1])
    graph.batch_norm(2)
    graph.qcfs(7, name="qcfs")
    graph.node("GlobalAveragePool", name="pool")
    graph.node("Flatten", name="flatten")
    graph.dense(3, 2, name="fc")
    found = stages(graph, CompileOptions(timesteps=2, mean=(0.5,), std=(0.2,)))
    expected("\n".join(f"== {name}\n{network}" for name, network in found.items()) + "\n")
