from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.onnx_models import Graph, random_graph
from support.spiking_networks import random_network

import snnc
from snnc import api
from snnc.compiler.codes import CODES, SweepGrid, SweepPoint
from snnc.compiler.codes.bit_serial import BitSerialCode
from snnc.compiler.codes.one_spike import OneSpikeCode
from snnc.compiler.laws import Copies, Integers, OffsetSpike
from snnc.compiler.network import Builder, Network
from snnc.compiler.operators import Source, Staircase
from snnc.compiler.spiking import Dense, Population, Projection, SpikingNetwork
from snnc.runtime.data import encode
from snnc.runtime.engines.golden import Golden, batch_size
from snnc.runtime.output.plots import figure
from snnc.runtime.studies import compare
from snnc.runtime.studies.sweep import points_of, problems_of_grid, staircases_of
from snnc.runtime.studies.synaptic_operations import Meter, fan_outs, firing_neurons


def model_of(folder: Path, seed: int = 0, levels: int = 7) -> Path:
    graph = Graph("batch", 1, 6, 6, seed=seed)
    graph.conv(3, 1, 3, 3, pads=[1, 0, 1, 1], strides=[1, 2])
    graph.qcfs(levels)
    graph.node("Flatten")
    graph.dense(8, 54)
    graph.qcfs(levels)
    graph.dense(4, 8)
    return graph.save(folder, f"model{seed}.onnx")


def images(count: int = 24, *shape: int) -> snnc.Data:
    x = np.random.default_rng(1).uniform(size=(count, *(shape or (1, 6, 6)))).astype(np.float32)
    return snnc.Data(x, np.arange(count) % 4)


def synapses(projection: Projection, source: tuple[int, ...], target: Population) -> Integers:
    """How many synapses leave each neuron of a source: one tap after the other."""
    counts = np.zeros(source, np.int64)
    connection = projection.connection
    if isinstance(connection, Dense):
        return counts + len(connection.weights)
    inputs = connection.weights.shape[1]
    for out, row, column in np.ndindex(target.shape):
        group = out // (len(connection.weights) // connection.groups)
        for channel, y, x in np.ndindex(connection.weights.shape[1:]):
            at = (
                group * inputs + channel,
                row * connection.strides[0] + y * connection.dilations[0] - connection.pads[0],
                column * connection.strides[1] + x * connection.dilations[1] - connection.pads[1],
            )
            if all(0 <= place < size for place, size in zip(at, source, strict=True)):
                counts[at] += 1
    return counts


@pytest.mark.parametrize("seed", range(8))
def test_fan_outs_are_those_of_a_count_tap_by_tap(seed: int) -> None:
    network = random_network(seed)
    expected = {name: np.zeros(node.shape, np.int64) for name, node in network.nodes.items()}
    for population in network:
        for each in population.projections:
            shape = network.nodes[each.source].shape
            expected[each.source] += synapses(each, shape, population)
    found = fan_outs(network)
    for name, fans in expected.items():
        np.testing.assert_array_equal(found[name], fans, name)


@pytest.mark.parametrize("code", [*CODES, "light"])
@pytest.mark.parametrize("seed", [3, 5])
def test_a_meter_counts_what_lava_would_be_held_against(
    tmp_path: Path, code: str, seed: int
) -> None:
    """The spikes of a population are those of its planes; each of them meets its own synapses."""
    network = compiled(random_graph(seed).save(tmp_path), code)
    data = images(5, 2, 8, 8)
    levels = encode(data.x, network.input)
    result = Golden(network, every_population=True).run(levels)
    meter = Meter(network)
    meter.add(result.pixels[:2], sliced(result.sent, network, slice(0, 2)))
    meter.add(result.pixels[2:], sliced(result.sent, network, slice(2, 5)))
    spikes = operations = 0
    fans = brute_fans(network)
    for population in network.populations[:-1]:
        law = network.firing[population.name]
        planes = law.bit_planes(result.sent[population.name])
        spikes += law.spikes_in(planes)
        bits = np.unpackbits(planes, axis=2, count=population.size)
        if code in ("graded", "delta"):
            bits = bits.max(axis=1, keepdims=True)
        sent = bits.reshape(-1, population.size).sum(0, dtype=np.int64)
        operations += int(sent @ fans[population.name].reshape(-1))
        if isinstance(law, OffsetSpike) and not law.light:
            assert law.iterations == 2
    assert meter.traffic.hidden_spikes == pytest.approx(spikes / 5)
    assert meter.traffic.hidden_operations == pytest.approx(operations / 5)
    times = network.input.turn if network.input.is_constant else 1
    pixels = np.count_nonzero(result.pixels, axis=0) * times
    assert meter.traffic.input_spikes == pytest.approx(pixels.sum() / 5)
    of_input = int(np.sum(pixels * fans[network.input.name]))
    assert meter.traffic.input_operations == pytest.approx(of_input / 5)


def compiled(model: Path, code: str) -> SpikingNetwork:
    steps = {"rate": 5, "offset-spike": 3, "light": 3}.get(code)
    offset = {"offset-spike": {"iterations": 2, "rho": 2}, "light": {"light": True, "rho": 2}}
    name = "offset-spike" if code == "light" else code
    options = offset.get(code, {})
    path = model.with_suffix(f".{code}.h5")
    api.compile(model, path, code=name, timesteps=steps, **options)  # type: ignore[arg-type]
    return snnc.load(path)


def sliced(sent, network: SpikingNetwork, part: slice):
    """Some of the images."""
    whole = {each.name: each for each in network}
    trains = ("Rate", "OffsetSpike")
    return {
        name: each[:, part] if type(whole[name].neuron).__name__ in trains else each[part]
        for name, each in sent.items()
    }


def brute_fans(network: SpikingNetwork) -> dict[str, Integers]:
    fans = {name: np.zeros(node.shape, np.int64) for name, node in network.nodes.items()}
    for population in network:
        copies = population.neuron.levels if isinstance(population.neuron, Copies) else 1
        for each in population.projections:
            shape = network.nodes[each.source].shape
            fans[each.source] += copies * synapses(each, shape, population)
    return fans


def test_a_sweep_is_what_run_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snnc.runtime.engines.golden.MOST_BATCH", 7)
    model, data = model_of(tmp_path), images()
    grid = SweepGrid(tuple(CODES), timesteps=(1, 2, 8), iterations=(1, 2), light=True)
    result = api.sweep(model, data, grid)
    assert result.models[0].accuracy == result.source_accuracy
    assert [each.setting.code.series for each in result.points] == [
        *["bit-serial"] * 3,
        *["rate"] * 3,
        *["offset-spike"] * 3,
        *["offset-spike, 2 iterations"] * 3,
        *["offset-spike, light"] * 3,
        "one-spike",
        "graded",
        "delta",
    ]
    for point in result.points:
        code = point.setting.code
        network = api.compile(model, tmp_path / "n.h5", code=code.name, **vars(code))
        run = api.run(network.path, data, engine="golden")
        assert point.accuracy == run.result.accuracy(data.y)
        assert point.losses == (100 * (result.source_accuracy - point.accuracy),)


def of_levels(*levels: int) -> Network:
    builder = Builder()
    last = builder.add("x", Source((2,)))
    for each in levels:
        last = builder.add("levels", Staircase(each), last)
    return Network(builder.nodes(last))


def test_points_of_bit_serial_end_at_its_bits() -> None:
    grid = SweepGrid(codes=("bit-serial", "one-spike"), timesteps=(8, 1, 4, 1))
    bits = [SweepPoint(BitSerialCode(1), 1, False), SweepPoint(BitSerialCode(), 4, True)]
    found = points_of(grid, staircases_of(of_levels(7, 8)))
    assert found == (*bits, SweepPoint(OneSpikeCode(), 1, False))
    assert points_of(grid, staircases_of(of_levels(15, 15)))[-1].error_free


def test_the_spread_is_between_models_where_there_are_some(tmp_path: Path) -> None:
    models, data = [model_of(tmp_path, seed) for seed in range(3)], images()
    grid = SweepGrid(codes=("rate",), timesteps=(2,))
    alone = [api.sweep(each, data, grid).points[0] for each in models]
    (point,) = api.sweep(models[0], data, grid, also=models[1:]).points
    shares = [each.accuracy for each in alone]
    assert [each.accuracy for each in point.measurements] == shares
    assert point.accuracy == pytest.approx(np.mean(shares))
    assert point.spread == pytest.approx(np.std(shares, ddof=1))
    assert point.spread_of == "standard deviation between models"
    assert alone[0].spread_of == "binomial standard error over images"
    assert alone[0].spread == pytest.approx(np.sqrt(shares[0] * (1 - shares[0]) / 24))


def test_a_code_that_does_not_fit_leaves_its_reason(tmp_path: Path) -> None:
    model, data = model_of(tmp_path), images()
    grid = SweepGrid(codes=("graded", "one-spike"))
    result = api.sweep(model, data, grid, target="loihi1")
    graded, one_spike = result.points
    assert (graded.accuracy, graded.measurements) == (None, ())
    assert "'graded' on loihi1" in str(graded.problems[0])
    assert one_spike.measurements
    assert result.worked
    assert not api.sweep(model, data, SweepGrid(codes=("graded",)), target="loihi1").worked


def test_wrong_grids_are_refused_with_all_reasons(tmp_path: Path) -> None:
    grid = SweepGrid(("morse", "rate"), (0, 4), rho=0, iterations=())
    options = [each.where for each in problems_of_grid(grid)]
    assert options == ["`codes`", "`timesteps`", "`rho`", "`iterations`"]
    assert [each.where for each in problems_of_grid(SweepGrid(("rate",), light=True))] == [
        "`light`"
    ]
    with pytest.raises(snnc.SnncError) as error:
        api.sweep(tmp_path / "none.onnx", images(), grid, plot=tmp_path / "picture.doc")
    assert ", ".join(each.where for each in error.value.problems) == ", ".join([*options, "`plot`"])


def test_labels_are_needed(tmp_path: Path) -> None:
    with pytest.raises(snnc.SnncError, match="no labels y"):
        api.sweep(model_of(tmp_path), snnc.Data(images().x))


def test_a_decision_for_each_place_is_refused(tmp_path: Path) -> None:
    graph = Graph("batch", 1, 6, 6)
    graph.conv(3, 1, 3, 3)
    with pytest.raises(snnc.SnncError, match="decides in 16 places"):
        api.sweep(graph.save(tmp_path), images())


def test_batches_shrink_with_the_trains(tmp_path: Path) -> None:
    graph = Graph("batch", 1, 32, 32)
    graph.conv(16, 1, 3, 3, pads=[1] * 4)
    graph.qcfs(7)
    graph.node("Flatten")
    graph.dense(4, 16 * 1024)
    model = graph.save(tmp_path)
    sizes = []
    for steps in (1, 32, 256):
        network = api.compile(model, tmp_path / "n.h5", code="rate", timesteps=steps).network
        sizes.append(batch_size(network))
    assert sizes[0] == 64
    assert sizes[1] > sizes[2] >= 1
    assert sizes[1] * 32 * 16384 * 4 * 4 < 1 << 30


def test_neurons_are_counted_with_their_copies(tmp_path: Path) -> None:
    model = model_of(tmp_path)
    counts = [firing_neurons(compiled(model, code)) for code in ("bit-serial", "one-spike")]
    assert counts == [54 + 8, 7 * (54 + 8)]


def test_a_figure_is_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    picture = tmp_path / "picture.png"
    api.sweep(model_of(tmp_path), images(4), SweepGrid(("rate", "graded"), (1, 2)), plot=picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert [each.name for each in tmp_path.glob(".*")] == []


def test_without_matplotlib_nothing_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figure, "find_spec", lambda name: None)
    with pytest.raises(snnc.SnncError, match=r"pip install 'snnc\[plot\]'"):
        api.sweep(tmp_path / "none.onnx", images(), plot=tmp_path / "picture.png")


@pytest.mark.lava
def test_lava_is_held_against_golden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("lava.magma")
    model, grid = model_of(tmp_path), SweepGrid(("bit-serial", "rate"), (2,))
    result = api.sweep(model, images(3), grid, engine="lava")
    assert [each.mismatches for each in result.points] == [0, 0, 0]
    assert result.is_exact
    monkeypatch.setattr(compare, "count_differences", lambda first, second: 1)
    assert not api.sweep(model, images(3), SweepGrid(("graded",)), engine="lava").is_exact
