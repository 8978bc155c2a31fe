from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from support.onnx_models import Graph, random_chain, random_graph

from snnc.calibration.staircases import Calibration, relative_error
from snnc.calibration.staircases import calibrate as calibrate_prepared
from snnc.calibration.thresholds import candidates, shifted
from snnc.calibration.walk import LayerWalk
from snnc.compiler.analysis.plain_activations import Qcfs, insert_activations, isolate_activations
from snnc.compiler.analysis.segments import sources_before, sums_after
from snnc.compiler.errors import SnncError
from snnc.compiler.network import Network, evaluate
from snnc.compiler.operators import Clip, Staircase
from snnc.compiler.options import CompileOptions
from snnc.compiler.passes.fold_batch_norms import fold_batch_norms
from snnc.compiler.passes.recognize_staircases import recognize_staircases
from snnc.compiler.passes.sink_reshapes import sink_reshapes
from snnc.compiler.pipeline import lower
from snnc.compiler.rules.legality import require_legal
from snnc.frontends.onnx.loading import Model
from snnc.frontends.onnx.reader import read_model, read_onnx
from snnc.runtime.engines.float_network import FloatNetwork

DATA = Path(__file__).parents[1] / "data"
QCFS = Graph.qcfs


def prepared(network: Network) -> Network:
    """The network as the stages before leave it."""
    return sink_reshapes(fold_batch_norms(network))


def calibrate(network: Network, *rest: object) -> Calibration:
    """The stage behind those that come before it."""
    return calibrate_prepared(prepared(network), *rest)


def read(graph: Graph) -> Network:
    return read_model(Model(graph.model(), "", ()))


def relu_network(make: Callable[[int], Graph], seed: int, every: int = 1) -> Network:
    """A random network in which every so many-th staircase is a ReLU."""
    count = iter(range(1000))

    def activation(self: Graph, *numbers: float, name: str = "") -> str:
        if next(count) % every:
            return QCFS(self, *numbers, name=name)
        return self.node("Relu", name=name)

    with patch.object(Graph, "qcfs", activation):
        return read(make(seed))


def images(network: Network, count: int = 40) -> np.ndarray:
    x = np.random.default_rng(7).uniform(size=(count, *network.input.shape))
    return (np.cumsum(x, axis=-1) / np.arange(1, x.shape[-1] + 1)).astype(np.float32)


def small(*activation: tuple) -> Network:
    """One convolution, what is asked for as its activation, and a matrix."""
    graph = Graph("batch", 2, 6, 6, seed=4)
    graph.conv(5, 2, 3, 3)
    for kind, *constants in activation:
        graph.with_constants(kind, *constants, name=f"{kind.lower()}{len(graph.nodes)}")
    graph.node("Flatten")
    graph.dense(6, 80)
    return read(graph)


def levels_of(network: Network) -> list[int]:
    found = recognize_staircases(network)
    return [n.operator.levels for n in found if isinstance(n.operator, Staircase)]


@pytest.mark.parametrize("make", [random_chain, random_graph])
@pytest.mark.parametrize("seed", range(3))
def test_a_relu_network_becomes_one_that_compiles(make: Callable, seed: int) -> None:
    network = relu_network(make, seed)
    result = calibrate(network, images(network), 7)
    assert result.layers
    assert set(levels_of(result.network)) == {7}
    require_legal(lower(result.network, CompileOptions()))


@pytest.mark.parametrize(("found", "wanted", "error"), [(0, 0, 0), (1, 0, inf), (3, 2, 0.25)])
def test_a_relative_error_of_nothing_is_none_or_infinite(
    found: float, wanted: float, error: float
) -> None:
    assert relative_error(np.full((2, 3), found), np.full((2, 3), wanted)) == error


@pytest.mark.parametrize("seed", range(4))
def test_a_step_never_makes_a_layer_worse(seed: int) -> None:
    network = relu_network(random_graph, seed)
    for layer in calibrate(network, images(network), 3).layers:
        errors = layer.errors
        assert 0 < errors.corrected <= errors.calibrated <= errors.uncalibrated


@pytest.mark.parametrize("seed", range(3))
def test_every_layer_sees_the_network_as_it_will_be(seed: int) -> None:
    network, activations = isolate_activations(relu_network(random_graph, seed))
    x = images(network)
    walk, staircases = LayerWalk(network, activations, x, 7), dict[str, Qcfs]()
    for node in activations:
        staircases[node.name] = walk.layer(node).fits.corrected
        wanted, found = walk.values[node.name]
        np.testing.assert_allclose(wanted, evaluate(network, x)[node.name], atol=1e-4)
        network_so_far = insert_activations(network, staircases)
        expected = evaluate(network_so_far, x)[f"{node.name}.value"]
        assert np.mean(abs(found - expected) > 1e-4) < 0.01


def test_errors_are_in_units_of_the_sums() -> None:
    network = small(("Relu",))
    (layer,) = calibrate(network, images(network), 7).layers
    output = network.output
    larger = replace(output, operator=replace(output.operator, weights=output.operator.weights * 9))
    scaled = network.replaced((*network.nodes[:-1], larger))
    (again,) = calibrate(scaled, images(network), 7).layers
    assert again.errors.corrected == pytest.approx(layer.errors.corrected, rel=1e-4)


def test_the_searches_offer_what_is_frequent_and_what_fits_best() -> None:
    values = np.random.default_rng(3).exponential(size=(40, 1000))
    offers = {each.search: each.threshold for each in candidates(values, 7, 1.0)}
    assert offers["percentile 90"] == pytest.approx(np.quantile(values, 0.9))
    assert offers["percentile 100"] == values.max()
    error = [np.square(Qcfs(7, t).apply(values) - values).mean() for t in offers.values()]
    assert min(error) == error[list(offers).index("mse")]


def test_a_step_makes_networks_better_as_a_whole() -> None:
    networks = [relu_network(random_graph, seed) for seed in range(6)]
    losses = [calibrate(each, images(each), 3).loss for each in networks]
    stages = [(e.uncalibrated.snr, e.calibrated.snr, e.corrected.snr) for e in losses]
    greatest, calibrated, corrected = np.mean(stages, axis=0)
    assert greatest + 2 < calibrated < corrected


def test_more_levels_lose_less() -> None:
    network = relu_network(random_graph, 1)
    results = [calibrate(network, images(network), levels) for levels in (1, 3, 7, 15, 63)]
    snr = [each.loss.corrected.snr for each in results]
    assert np.all(np.diff(snr) > 2)
    errors = [each.layers[0].errors.corrected for each in results]
    assert np.all(np.diff(errors) < 0)


@pytest.mark.parametrize("make", [random_chain, random_graph])
def test_255_levels_decide_as_the_float_network_does(make: Callable) -> None:
    network = relu_network(make, 3)
    result = calibrate(network, images(network, 100), 255)
    fresh = images(network, 200)[100:]
    found, expected = (FloatNetwork(each).run(fresh) for each in (result.network, network))
    expected = expected[network.output.name]
    (logits,) = found.values()
    assert np.mean(logits.argmax(1) == expected.argmax(1)) >= 0.98
    assert np.std(logits - expected) < 0.02 * np.std(expected)


@pytest.mark.parametrize("make", [random_chain, random_graph])
def test_a_quantised_network_is_left_the_same_object(make: Callable) -> None:
    network = prepared(read(make(2)))
    result = calibrate(network, images(network), 7)
    assert result.network is network
    assert result.layers == ()
    assert (result.loss.corrected.agreement, result.loss.corrected.snr) == (1, inf)


@pytest.mark.parametrize("seed", range(3))
def test_of_a_mixed_network_only_the_relus_change(seed: int) -> None:
    network = relu_network(random_graph, seed, every=2)
    result = calibrate(network, images(network), 21)
    relus = {n.name for n in network if str(n.operator) == "clip 0 inf"}
    assert {layer.name for layer in result.layers} == relus
    found = levels_of(result.network)
    assert found.count(21) == len(relus) < len(found)
    kept = {id(node.operator) for node in result.network}
    others = (n for n in fold_batch_norms(network) if n.name not in relus)
    assert all(id(node.operator) in kept for node in others if "affine" not in str(node.operator))


def test_the_loss_is_that_of_the_network_that_comes_back() -> None:
    network = relu_network(random_graph, 0)
    x = images(network)
    result = calibrate(network, x, 7)
    expected = evaluate(network, x.astype(float))[network.output.name]
    logits = evaluate(result.network, x.astype(float))[result.network.output.name]
    error = np.square(logits - expected).sum() / np.square(expected).sum()
    assert result.loss.corrected.snr == pytest.approx(-10 * np.log10(error), abs=0.2)


EXPORTS = ("dynamo_2_13", "published_qcfs", "ste_detach", "torchscript_2_13")


@pytest.mark.parametrize("name", EXPORTS)
def test_exported_staircases_are_left_alone(name: str) -> None:
    network, _ = read_onnx(DATA / f"{name}.onnx")
    network = prepared(network)
    assert calibrate(network, images(network, 2), 7).network is network


def test_a_staircase_across_a_reshape_is_left_alone() -> None:
    graph = Graph("batch", 2, 6, 6)
    graph.conv(5, 2, 3, 3)
    graph.with_constants("Clip", 0.0, 1.0)
    graph.node("Flatten")
    graph.with_constants("Mul", 7.0)
    graph.node("Round")
    graph.dense(6, 80)
    network = read(graph)
    network = prepared(network)
    assert calibrate(network, images(network), 3).network is network


def test_a_relu6_of_two_clips_is_one_activation() -> None:
    network = small(("Relu",), ("Mul", 40.0), ("Clip", -1.0, 6.0))
    (layer,) = calibrate(network, images(network), 7).layers
    assert layer.name == "clip3"
    assert layer.fits.uncalibrated.threshold == 6
    assert layer.fits.corrected.threshold <= 6
    isolated, (clip,) = isolate_activations(network)
    assert isinstance(clip.operator, Clip)
    assert (clip.operator.low, clip.operator.high) == (0, 6)
    x = images(network).astype(float)
    found, expected = (evaluate(each, x)[each.output.name] for each in (isolated, network))
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_clip_may_start_below_0() -> None:
    network = small(("Clip", -0.5, 0.7))
    result = calibrate(network, images(network), 15)
    (layer,) = result.layers
    assert layer.fits.corrected.low == -0.5
    assert 0 < layer.fits.corrected.threshold <= 1.2
    assert result.loss.corrected.snr > 20
    lower(result.network, CompileOptions())


def test_a_clip_without_a_lower_bound_is_no_activation() -> None:
    network = small(("Min", 6.0))
    network = prepared(network)
    assert calibrate(network, images(network), 7).network is network


def test_a_silent_layer_gets_a_threshold_above_0() -> None:
    network = small(("Sub", 100.0), ("Relu",))
    result = calibrate(network, images(network), 7)
    (layer,) = result.layers
    assert layer.search == "silent"
    assert layer.fits.corrected.threshold > 0
    assert result.loss.corrected.agreement == 1
    lower(result.network, CompileOptions())


def test_an_activation_may_give_the_logits() -> None:
    graph = Graph("batch", 7, seed=1)
    graph.dense(9, 7)
    graph.node("Relu", name="logits")
    network = read(graph)
    result = calibrate(network, images(network), 255)
    assert [layer.name for layer in result.layers] == ["logits"]
    assert result.loss.corrected.snr > 40


def test_equal_activations_share_one_staircase_or_have_their_own() -> None:
    graph = Graph("batch", 7, seed=1)
    sums = graph.dense(9, 7)
    first, second = (graph.node("Relu", sums) for _ in range(2))
    graph.node("Add", first, second)
    graph.dense(4, 9)
    network = read(graph)
    result = calibrate(network, images(network), 15)
    assert len(result.layers) == 2
    assert set(levels_of(result.network)) == {15}


def test_images_are_looked_at_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snnc.calibration.staircases.MOST_IMAGES", 8)
    network = small(("Relu",))
    x = images(network, 40)
    x[20:] *= 10
    result = calibrate(network, x, 7)
    assert result.images == 8
    assert (
        result.layers[0].fits.uncalibrated.threshold
        > 5 * calibrate(network, x[:20], 7).layers[0].fits.uncalibrated.threshold
    )


def test_one_image_is_enough_and_progress_is_told() -> None:
    network = relu_network(random_graph, 0)
    told: list[tuple[str, int, int]] = []
    result = calibrate(network, images(network, 1), 7, lambda *each: told.append(each))
    assert told == [("calibration", 1, len(result.layers))] * len(result.layers)
    assert str(len(result.layers)) in result.network.remarks[-1]


@pytest.mark.parametrize(
    ("shape", "levels", "message"),
    [
        ((4, 2, 6, 6), 0, "`levels`: 0 levels; allowed: 1 to 255"),
        ((4, 2, 6, 6), 256, "`levels`: 256 levels; allowed: 1 to 255"),
        (
            (0, 2, 6, 6),
            7,
            "`calibration`: the images have shape (0, 2, 6, 6); allowed: (1 or more, 2, 6, 6)",
        ),
        (
            (4, 72),
            7,
            "`calibration`: the images have shape (4, 72); allowed: (1 or more, 2, 6, 6)",
        ),
    ],
)
def test_what_is_unsound_is_refused(shape: tuple[int, ...], levels: int, message: str) -> None:
    with pytest.raises(SnncError) as caught:
        calibrate(small(("Relu",)), np.zeros(shape, np.float32), levels)
    assert str(caught.value).splitlines()[0] == message


def test_images_must_be_finite() -> None:
    x = np.full((1, 2, 6, 6), np.nan, np.float32)
    with pytest.raises(SnncError, match="NaN or infinite"):
        calibrate(small(("Relu",)), x, 7)


def test_a_staircase_in_numpy_is_the_one_in_the_network() -> None:
    network = small(("Relu",))
    _, (clip,) = isolate_activations(network)
    staircase = Qcfs(7, 0.8, -0.1, np.linspace(-0.2, 0.3, 5).reshape(5, 1, 1))
    found = insert_activations(network, {clip.name: staircase})
    values = evaluate(found, images(network).astype(float))
    value = next(n.sources[0] for n in found if str(n.operator).startswith("reshape"))
    np.testing.assert_allclose(values[value], staircase.apply(values[clip.sources[0]]))
    assert set(np.unique(np.round((values[value] + 0.1) / 0.8 * 7, 9))) <= set(range(8))


def test_a_shift_brings_the_mean_back_even_where_no_neuron_fired() -> None:
    rng = np.random.default_rng(0)
    sums = rng.normal(size=(200, 3, 4, 4)) * np.reshape([1.0, 0.2, 0.1], (3, 1, 1))
    wanted = np.maximum(sums, 0)
    before = Qcfs(3, 3.0)
    after = shifted(before, sums, wanted)
    missing = [abs((wanted - e.apply(sums)).mean((0, 2, 3))) for e in (before, after)]
    assert after.shift.shape == (3, 1, 1)
    assert np.all(missing[1] <= missing[0])
    assert missing[1][0] < 0.2 * missing[0][0] + 1e-3


def test_a_layer_is_computed_from_the_nearest_known_nodes() -> None:
    network, activations = isolate_activations(relu_network(random_graph, 4))
    values = evaluate(network, images(network, 2).astype(float))
    known = {network.input.name, *(node.name for node in activations)}
    for node in activations[1:]:
        (end,) = node.sources
        reads = sources_before(network, end, known)
        assert network.input.name not in reads
        found = FloatNetwork(network, (end,), inputs=reads, dtype=np.float64)
        cut = found.run(*(values[each] for each in reads))
        np.testing.assert_allclose(cut[end], values[end], atol=1e-9)


def test_sums_change_as_the_part_that_reads_the_activation_says() -> None:
    network, activations = isolate_activations(relu_network(random_graph, 4))
    known = evaluate(network, images(network, 3).astype(float))
    for node in activations:
        part, ends = sums_after(network, node.name)
        changed = known[node.name] * 1.1 + 0.1
        here, there = (evaluate(part, each) for each in (known[node.name], changed))
        inputs = (node.name, *(n.name for n in activations if n is not node))
        engine = FloatNetwork(network, ends, inputs=(*inputs, "x"), dtype=np.float64)
        others = [known[each] for each in (*inputs[1:], "x")]
        whole = engine.run(changed, *others)
        assert ends
        for end in ends:
            moved = whole[end] - known[end]
            np.testing.assert_allclose(there[end] - here[end], moved, atol=1e-9, err_msg=end)
