"""From an ONNX file to spikes: golden, Lava and plain NumPy give the same numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.integer_law import evaluate
from support.lava_check import assert_lava_is_golden
from support.onnx_models import Graph, chains, graphs, random_chain, random_graph, run_onnx

import snnc
from snnc.compiler.inputs import Input
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.data import Data, as_source, encode
from snnc.runtime.engines.golden import Golden
from snnc.runtime.engines.lava.simulator import simulate
from snnc.runtime.engines.result import logits_of

NORMALISED = {"mean": (0.4, 0.5), "std": (0.25, 0.3)}
ON_TMP_PATH = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def compiled(graph: Graph, folder: Path, **options: object) -> SpikingNetwork:
    path = graph.save(folder)
    return snnc.load(snnc.compile(path, **options).path)


def images(network: SpikingNetwork, count: int) -> np.ndarray:
    shape = (count, *network.input.shape)
    return np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)


@given(st.one_of(chains(), graphs()))
@ON_TMP_PATH
def test_golden_is_the_integer_law(tmp_path: Path, graph: Graph) -> None:
    network = compiled(graph, tmp_path, **NORMALISED)
    levels = encode(images(network, 4), network.input)
    found = Golden(network, every_population=True, threads=1).run(levels)
    expected = evaluate(network, levels.astype(np.int64))
    for name, values in found.sent.items():
        np.testing.assert_array_equal(values, expected[name])
    np.testing.assert_array_equal(found.potential, expected[network.readout.name])


@pytest.mark.parametrize("seed", range(12))
def test_golden_is_the_source_but_for_its_weights(tmp_path: Path, seed: int) -> None:
    graph = random_chain(seed)
    network = compiled(graph, tmp_path, **NORMALISED)
    x = images(network, 32)
    expected = run_onnx(graph.model(), as_source(x, network.input))
    found = logits_of(Golden(network).run(encode(x, network.input)).potential, network)
    correlation = np.corrcoef(found.ravel(), expected.ravel())[0, 1]
    assert correlation > 0.9


@pytest.mark.lava
@pytest.mark.parametrize("schedule", ["pipelined", "sequential"])
@pytest.mark.parametrize("code", ["graded", "bits"])
@pytest.mark.parametrize("seed", range(6))
def test_lava_is_golden(tmp_path: Path, seed: int, code: str, schedule: str) -> None:
    graph = random_chain(seed)
    check_lava(compiled(graph, tmp_path, schedule=schedule, input_code=code, **NORMALISED))


@pytest.mark.lava
@pytest.mark.parametrize("schedule", ["pipelined", "sequential"])
@pytest.mark.parametrize("seed", range(8))
def test_lava_is_golden_where_branches_meet(tmp_path: Path, seed: int, schedule: str) -> None:
    check_lava(compiled(random_graph(seed), tmp_path, schedule=schedule, **NORMALISED))


def check_lava(network: SpikingNetwork) -> None:
    assert_lava_is_golden(network, encode(images(network, 5), network.input))


@pytest.mark.lava
def test_compare_counts_what_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("lava.magma")
    from snnc.runtime.engines.lava import simulator

    path = random_chain(1).save(tmp_path)
    network = snnc.compile(path).path
    x = images(snnc.load(network), 6)
    data = Data(x, np.zeros(6, np.int64))
    exact = snnc.compare(path, network, data)
    assert exact.is_exact
    assert exact.conversion_loss == 0
    assert exact.spikes.compared > 0

    def shifted(x: np.ndarray, source: Input) -> np.ndarray:
        return np.minimum(encode(x, source) + 9, source.levels)

    levels = [shifted(x, snnc.load(network).input)]
    monkeypatch.setattr(simulator, "simulate", lambda net, _, **told: simulate(net, levels))
    wrong = snnc.compare(path, network, data)
    assert not wrong.is_exact
    assert wrong.spikes.mismatches == sum(wrong.spikes.by_population.values()) > 0


@pytest.mark.lava
def test_one_process_of_lava_is_compared_as_many_are(tmp_path: Path) -> None:
    pytest.importorskip("lava.magma")
    path = random_chain(3).save(tmp_path)
    network = snnc.compile(path).path
    data = Data(images(snnc.load(network), 6))
    one, many = (snnc.compare(path, network, data, lava_model=m) for m in ("network", "layers"))
    assert one.is_exact
    assert one.engines["lava"].spikes == many.engines["lava"].spikes
    titles = [each.engines["lava"].title for each in (one, many)]
    assert titles == ["Lava, one process (spikes)", "Lava (spikes)"]
    with pytest.raises(snnc.SnncError, match=r"`lava_model`: 'all'; allowed: layers, network\n"):
        snnc.run(network, data, lava_model="all")


def test_fewer_time_steps_are_still_exact_integers(tmp_path: Path) -> None:
    network = compiled(random_chain(2), tmp_path, timesteps=2)
    assert max(law.turn for law in network.firing.values()) == 2
    assert "no longer error-free" in network.provenance.remarks[0]


def test_schedules_differ_in_time_alone(tmp_path: Path) -> None:
    graph = random_chain(4)
    pipelined = compiled(graph, tmp_path, average_pool="compose")
    sequential = compiled(graph, tmp_path, average_pool="compose", schedule="sequential")
    assert str(replace(sequential, schedule="pipelined")) == str(pipelined)
    assert (pipelined.schedule, sequential.schedule) == ("pipelined", "sequential")
