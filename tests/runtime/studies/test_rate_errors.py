from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from support.onnx_models import Graph, random_graph

import snnc
from snnc import api
from snnc.compiler.laws import OffsetSpike
from snnc.compiler.passes.spike_at_once import spike_at_once
from snnc.compiler.spiking import SpikingNetwork
from snnc.compiler.target import STOCK
from snnc.runtime.data import encode
from snnc.runtime.engines.golden import Golden
from snnc.runtime.studies.rate_errors import (
    OFFSETS,
    Question,
    RateLayer,
    analyse,
    errors_of,
    problems_of_question,
    variants_of,
    without_relays,
)


def images(count: int = 12, *shape: int) -> snnc.Data:
    x = np.random.default_rng(1).uniform(size=(count, *(shape or (2, 8, 8)))).astype(np.float32)
    return snnc.Data(x)


@cache
def compiled(seed: int, steps: int, **options: int) -> SpikingNetwork:
    code = "offset-spike" if options else "rate"
    with TemporaryDirectory() as folder:
        model, path = random_graph(seed).save(Path(folder)), Path(folder) / "n.h5"
        api.compile(model, path, code=code, timesteps=steps, **options)  # type: ignore[arg-type]
        return snnc.load(path)


def counts_of(network: SpikingNetwork, data: snnc.Data, steps: int):
    levels = encode(data.x, network.input)
    sent = Golden(network, every_population=True).run(levels).sent
    fired = {name: each[:steps].sum(axis=0, dtype=np.int64) for name, each in sent.items()}
    return {network.input.name: steps * levels, **fired}


def layers_of(network: SpikingNetwork) -> list[RateLayer]:
    return [RateLayer(each, network) for each in network.populations[:-1]]


@pytest.mark.parametrize("steps", [1, 3, 8])
def test_the_three_errors_sum_up(steps: int) -> None:
    rng = np.random.default_rng(steps)
    mean = rng.uniform(-1, 2, 1000)
    desired = np.clip(np.floor(steps * mean + 0.5), 0, steps).astype(int)
    fired = rng.integers(0, steps + 1, 1000)
    parts = errors_of(mean, desired, fired, steps)
    np.testing.assert_allclose(sum(parts), fired / steps - np.maximum(mean, 0), atol=1e-12)
    clipping, quantisation, _ = parts
    assert np.all(clipping[mean <= 1] == 0)
    assert np.abs(quantisation).max() <= 0.5 / steps + 1e-12


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_currents_are_those_of_every_step(seed: int) -> None:
    """Soft reset keeps what it does not fire: v(T) = v(0) + S − c·θ, and Scan knows v(T) alone."""
    network = without_relays(compiled(seed, 3))
    data = images()
    fired = counts_of(network, data, 3)
    for layer in layers_of(network):
        population = network.nodes[layer.name]
        left = layer.initial + layer.total(fired) - fired[layer.name] * layer.threshold
        np.testing.assert_array_equal(left, end_potentials(network, layer.name, data))
        assert population.size == layer.neurons


def end_potentials(network: SpikingNetwork, name: str, data: snnc.Data):
    """v after T steps, as the scan of the golden model leaves it."""
    import onnxruntime
    from onnx import TensorProto, helper

    from snnc.backends.onnx.golden.model import golden_model

    model = golden_model(network, every_population=True)
    value = f"{name}:v after"
    model.graph.output.append(helper.make_tensor_value_info(value, TensorProto.FLOAT, None))
    (scan,) = (n for n in model.graph.node if n.op_type == "Scan" and name in n.output)
    scan.output[0] = value
    session = onnxruntime.InferenceSession(model.SerializeToString())
    kind = np.uint8 if "uint8" in session.get_inputs()[0].type else np.float32
    levels = encode(data.x, network.input).astype(kind)
    return session.run([value], {network.input.name: levels})[0]


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_even_counts_are_those_of_one_spike(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given thresholds of more bits than a stock neuron has."""
    wide = replace(STOCK, threshold_max=1 << 23)
    monkeypatch.setattr("snnc.compiler.passes.spike_at_once.STOCK", wide)
    network = without_relays(compiled(seed, 3))
    levels = encode(images().x, network.input)
    expected = Golden(spike_at_once(network), every_population=True).run(levels).sent
    even = {network.input.name: 3 * levels}
    for layer in layers_of(network):
        even[layer.name] = layer.desired(layer.total(even))
        np.testing.assert_array_equal(even[layer.name], expected[layer.name])


@pytest.mark.parametrize("seed", [2, 4])
def test_offsets_are_counted_against_both_networks(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One layer after the other, all images at once; an analysis in batches is the same."""
    monkeypatch.setattr("snnc.runtime.engines.golden.MOST_BATCH", 5)
    wide = replace(STOCK, threshold_max=1 << 23)
    monkeypatch.setattr("snnc.compiler.passes.spike_at_once.STOCK", wide)
    network = without_relays(compiled(seed, 3))
    fired = counts_of(network, images(), 3)
    levels = encode(images().x, network.input)
    even = Golden(spike_at_once(network), every_population=True).run(levels).sent
    layers = {each.name: each for each in layers_of(network)}
    for found in analyse(network, images()).layers:
        layer, spikes = layers[found.name], fired[found.name]
        own, far = layer.desired(layer.total(fired)) - spikes, even[found.name] - spikes
        for shares, offsets in ((found.own, own), (found.accumulated, far)):
            expected = [np.mean(offsets == k) for k in range(-2, 3)]
            expected = [np.mean(offsets <= -3), *expected, np.mean(offsets >= 3)]
            assert shares == pytest.approx(expected)
        assert found.accumulated_unevenness == pytest.approx(np.mean((far / 3) ** 2))
        assert found.errors.unevenness == pytest.approx(np.mean((own / 3) ** 2))


def test_a_layer_that_hears_the_input_alone_is_even() -> None:
    found = analyse(compiled(2, 3), images())
    first = found.layers[0]
    assert first.errors.unevenness == 0
    assert first.own[OFFSETS.index("0")] == first.accumulated[OFFSETS.index("0")] == 1
    assert found.overall.errors.unevenness > 0
    assert first.errors.quantisation > 0


def test_shares_and_means_add_up() -> None:
    found = analyse(compiled(2, 3), images())
    for each in (*found.layers, found.overall):
        assert sum(share or 0 for share in each.errors.shares.values()) == pytest.approx(1)
        assert sum(each.own) == pytest.approx(1)
        assert sum(each.accumulated) == pytest.approx(1)
    neurons = sum(each.neurons for each in found.layers)
    for key in ("errors.clipping", "errors.unevenness", "accumulated_unevenness"):
        pooled = sum(each.neurons * value(each, key) for each in found.layers) / neurons
        assert value(found.overall, key) == pytest.approx(pooled)


def value(layer, path: str) -> float:
    for name in path.split("."):
        layer = getattr(layer, name)
    return layer


def test_more_steps_quantise_finer() -> None:
    errors = [analyse(compiled(2, t), images()).overall.errors for t in (2, 8, 32)]
    first, second, third = (each.quantisation for each in errors)
    assert third < second / 3 < first / 9


def test_relays_change_nothing() -> None:
    network = compiled(1, 3)
    plain = without_relays(network)
    relays = [each for each in network if each.is_relay]
    assert relays
    assert len(plain.populations) == len(network.populations) - len(relays)
    data = images()
    for name, counts in counts_of(plain, data, 3).items():
        np.testing.assert_array_equal(counts, counts_of(network, data, 3)[name])


def test_calibrations_leave_fewer_offsets() -> None:
    network = compiled(2, 6, rho=6, iterations=3)
    variants = list(variants_of(network, light=True))
    found = [analyse(each, images()) for each in variants]
    assert [(each.iterations, each.light) for each in found] == [
        *[(k, False) for k in range(4)],
        (1, True),
    ]
    none = OFFSETS.index("0")
    own = [each.overall.own[none] for each in found]
    assert own[0] < own[1] <= own[2] <= own[3]
    assert own[0] < 1


def test_the_last_variant_is_the_network_itself() -> None:
    network = compiled(2, 4, rho=3, iterations=2)
    *_, last = variants_of(network, light=False)
    assert isinstance(last.populations[0].neuron, OffsetSpike)
    assert str(last) == str(without_relays(network))
    assert analyse(last, images()) == analyse(network, images())


def test_a_constant_current_needs_no_calibration(tmp_path: Path) -> None:
    graph = Graph("batch", 2, 8, 8)
    graph.node("Flatten")
    graph.dense(20, 128)
    graph.qcfs(7)
    graph.dense(3, 20)
    model, out = graph.save(tmp_path), tmp_path / "n.h5"
    api.compile(model, out, code="offset-spike", timesteps=8, rho=8)
    network = snnc.load(out)
    before, after = (analyse(each, images()) for each in variants_of(network, light=False))
    assert before.layers == after.layers
    (layer,) = layers_of(network)
    counts = counts_of(network, images(), 8)
    np.testing.assert_array_equal(counts[layer.name], layer.desired(layer.total(counts)))


def test_wrong_options_are_refused_together(tmp_path: Path) -> None:
    wrong = [
        each.where for each in problems_of_question(Question("graded", (0,), rho=0, iterations=0))
    ]
    assert wrong == ["`code`", "`timesteps`", "`iterations`", "`rho`"]
    foreign = Question("rate", (2,), rho=4, light=True)
    assert [each.where for each in problems_of_question(foreign)] == ["`rho`, `light`"]
    with pytest.raises(snnc.SnncError) as error:
        api.errors(tmp_path / "none.onnx", images(), code="graded", plot=tmp_path / "a.b")
    assert [each.where for each in error.value.problems] == ["`code`", "`plot`"]


def test_a_figure_is_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    model, picture = random_graph(2).save(tmp_path), tmp_path / "picture.svg"
    report = api.errors(model, images(3), timesteps=(2, 3), plot=picture)
    assert picture.read_text().startswith("<?xml")
    assert [each.time_steps for each in report.analyses] == [2, 3]


def test_unevenness_is_what_breaks_when_a_spike_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    network = compiled(2, 3)
    expected = analyse(network, images()).layers[0]

    def run(self, levels):
        result = whole(self, levels)
        return replace(result, sent={k: 0 * v if v.ndim > 4 else v for k, v in result.sent.items()})

    whole = Golden.run
    monkeypatch.setattr(Golden, "run", run)
    found = analyse(network, images()).layers[0]
    assert found.errors.unevenness > expected.errors.unevenness == 0
    assert found.errors.quantisation == expected.errors.quantisation
