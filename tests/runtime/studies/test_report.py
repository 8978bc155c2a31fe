"""What a report counts is what the engines count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.reports import written
from support.spiking_networks import CODES, random_network
from support.step_by_step import run_steps

from snnc.compiler.rules.timing import timing_of
from snnc.runtime.data import Data, encode
from snnc.runtime.engines import installing
from snnc.runtime.engines.golden import Golden
from snnc.runtime.engines.result import EngineResult
from snnc.runtime.studies.report import activity_of, decisions_in


@pytest.fixture
def no_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulations take their time, and are no part of what a report adds."""
    monkeypatch.setattr(installing, "find_spec", lambda name: None)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_spikes_by_step_are_those_of_the_simulator(code: str, seed: int) -> None:
    network = random_network(seed, code)
    source = network.input
    levels = np.random.default_rng(1).integers(0, source.pixel_levels + 1, (5, *source.pixel_shape))
    data = Data(source.low + source.step * levels)
    sent = encode(data.x, source)
    activity = activity_of(network, data)
    golden = Golden(network, every_population=True, threads=1).run(sent)
    _, planes = run_steps(network, np.asarray(sent, np.int64))
    for layer in activity.layers:
        law = network.firing[layer.name]
        assert layer.fire == timing_of(network).slots[layer.name].fire
        assert len(layer.spikes) == law.turn
        assert 5 * layer.total == pytest.approx(law.spikes_in(planes[layer.name]))
        by_neuron = law.spikes_by_neuron(golden.sent[layer.name]).sum()
        assert 5 * layer.total == pytest.approx(by_neuron)
        if law.planes == law.turn and code in ("bit-serial", "rate"):
            bits = np.unpackbits(planes[layer.name], axis=2).sum(axis=(0, 2))
            np.testing.assert_allclose(5 * layer.spikes, bits)


def test_a_raster_shows_every_node_in_its_own_turn() -> None:
    network = random_network(3, "bit-serial")
    timing = timing_of(network)
    x = np.full((1, *network.input.pixel_shape), network.input.high)
    rasters = {each.name: each for each in activity_of(network, Data(x)).rasters}
    assert [*rasters] == [*network.nodes]
    for name, each in rasters.items():
        assert each.strength.shape == (timing.slots[name].turn, each.chosen)
        assert 0 <= each.strength.min() <= each.strength.max() <= 1


def test_decisions_are_counted_by_class() -> None:
    first = EngineResult("a", np.array([[3.0, 1, 0], [0, 2, 1], [1, 0, 5], [4, 0, 0]]), 1.0)
    second = EngineResult("b", np.array([[3.0, 1, 0], [0, 1, 2], [1, 0, 5], [0, 9, 0]]), 1.0)
    found = decisions_in(first, second, np.array([0, 2, 2, 1]), ("kat",))
    assert found is not None
    assert found.names == ("kat", "1", "2")
    assert [(c.image, c.label, c.source, c.golden, c.margin) for c in found.changes] == [
        (1, 2, 1, 2, 1.0),
        (3, 1, 0, 1, 4.0),
    ]
    assert found.source is not None
    assert found.golden is not None
    assert found.source.counts.tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 1]]
    assert found.golden.counts.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 2]]
    assert (found.golden.images.tolist(), found.golden.right.tolist()) == ([1, 1, 2], [1, 1, 2])


def test_one_logit_and_no_labels_are_decisions_too() -> None:
    first, second = (EngineResult("a", np.array([[x], [1.0]]), 1.0) for x in (0.5, -0.5))
    found = decisions_in(first, second, None, ())
    assert found is not None
    assert (found.source, found.golden) == (None, None)
    (change,) = found.changes
    assert (change.image, change.label, change.margin) == (0, None, 0.5)


@pytest.mark.usefixtures("no_engines")
def test_levels_are_held_against_the_source_where_they_can_be(tmp_path: Path) -> None:
    report, _ = written(tmp_path)
    assert report.changes is not None
    moved = {name: each.share for name, each in report.changes.items()}
    assert 0 < max(moved.values()) < 1
    assert report.decisions is not None
    share = len(report.decisions.changes) / report.comparison.source.images
    readout = report.inspection.network.readout.name
    assert moved[readout] == pytest.approx(share)
    assert 0 < share < 1


@pytest.mark.usefixtures("no_engines")
def test_levels_of_a_rate_network_are_not(tmp_path: Path) -> None:
    report, _ = written(tmp_path, code="rate", weight_bits=8)
    assert report.changes is None
