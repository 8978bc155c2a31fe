"""Streams of frames: the levels of graded, of which only the changes are sent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.lava_check import assert_lava_is_golden
from support.onnx_models import Graph, random_graph
from support.spiking_networks import stream

import snnc
from snnc.compiler.errors import SnncError
from snnc.compiler.laws import Bounds, Integers
from snnc.compiler.laws.delta import changes_of
from snnc.compiler.rules.bounds import sum_bounds
from snnc.compiler.rules.legality import require_legal
from snnc.compiler.spiking import Dense, Projection, SpikingNetwork
from snnc.runtime.data import Data
from snnc.runtime.engines.golden import Golden, GoldenResult
from snnc.runtime.studies.sweep import measure


def compiled(graph: Graph, folder: Path, **options: object) -> SpikingNetwork:
    model = graph.save(folder)
    return snnc.load(snnc.compile(model, folder / "net.h5", **options).path)


def golden(network: SpikingNetwork, *batches: Integers) -> list[GoldenResult]:
    engine = Golden(network, every_population=True, threads=1)
    return [engine.run(each) for each in batches]


def frames(network: SpikingNetwork, count: int, seed: int = 0) -> Integers:
    """A few pixels change from frame to frame."""
    rng = np.random.default_rng(seed)
    shape, levels = network.input.shape, network.input.levels
    found = np.repeat(rng.integers(0, levels + 1, (1, *shape)), count, axis=0)
    for frame in range(1, count):
        changed = rng.random(shape) < 0.1
        found[frame:, changed] = rng.integers(0, levels + 1, int(changed.sum()))
    return found


@pytest.mark.parametrize("schedule", ["pipelined", "sequential"])
@pytest.mark.parametrize("seed", range(4))
def test_the_levels_of_every_frame_are_those_of_graded(
    tmp_path: Path, seed: int, schedule: str
) -> None:
    delta, graded = (
        compiled(random_graph(seed), tmp_path, code=code, schedule=schedule)
        for code in ("delta", "graded")
    )
    images = frames(delta, 6)
    (changing,), (plain,) = golden(delta, images), golden(graded, images)
    np.testing.assert_array_equal(changing.potential, plain.potential)
    for name, changes in changing.sent.items():
        np.testing.assert_array_equal(np.cumsum(changes, axis=0), plain.sent[name], err_msg=name)


@pytest.mark.parametrize("bits", [2, 16])
def test_weights_leave_room_for_changes(tmp_path: Path, bits: int) -> None:
    network = compiled(random_graph(0), tmp_path, code="delta", weight_bits=bits)
    for each in network:
        bounds = each.neuron.current(sum_bounds(each, network.nodes))
        assert (bounds.high - bounds.low).max() < 1 << 24


def test_a_stream_goes_on_from_batch_to_batch(tmp_path: Path) -> None:
    network = compiled(random_graph(1), tmp_path, code="delta")
    images = frames(network, 7)
    (whole,), parts = golden(network, images), golden(network, images[:3], images[3:4], images[4:])
    for name, changes in whole.sent.items():
        found = np.concatenate([each.sent[name] for each in parts])
        np.testing.assert_array_equal(found, changes, err_msg=name)
    pixels = np.concatenate([each.pixels for each in parts])
    np.testing.assert_array_equal(pixels, whole.pixels)


def test_nothing_is_sent_where_nothing_changes(tmp_path: Path) -> None:
    network = compiled(random_graph(2), tmp_path, code="delta")
    (result,) = golden(network, np.repeat(frames(network, 1), 5, axis=0))
    assert any(changes[0].any() for changes in result.sent.values())
    assert not any(changes[1:].any() for changes in result.sent.values())
    assert not result.pixels[1:].any()


def test_fewer_spikes_than_graded_are_counted(tmp_path: Path) -> None:
    networks = {
        code: compiled(random_graph(3), tmp_path, code=code) for code in ("delta", "graded")
    }
    images = frames(networks["delta"], 200)
    source = networks["delta"].input
    data = Data((images * source.step + source.low).astype(np.float32), np.zeros(200, np.int64))
    found = {code: measure(network, data) for code, network in networks.items()}
    assert found["delta"].accuracy == found["graded"].accuracy
    fewer, more = (found[code].traffic for code in ("delta", "graded"))
    assert fewer.operations < 0.7 * more.operations
    changes = np.diff(images, axis=0, prepend=0 * images[:1])
    assert fewer.input_spikes == np.count_nonzero(changes) / 200


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_partial_sums_of_changes_stay_within_their_bounds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights, levels = rng.integers(-9, 10, 12), 7
    low, high = (levels * np.minimum(weights, 0).sum(), levels * np.maximum(weights, 0).sum())
    bounds = changes_of(Bounds(np.array([low]), np.array([high])))
    first, second = rng.integers(0, levels + 1, (2, 12))
    order = rng.permutation(12)
    sums = np.cumsum((weights * (second - first))[order])
    assert bounds.low[0] <= sums.min()
    assert sums.max() <= bounds.high[0]
    extreme = weights @ np.where(weights > 0, levels, -levels)
    assert bounds.high[0] == extreme


def test_a_state_holds_the_change_of_a_whole_frame() -> None:
    network = stream()
    weights = np.repeat([127, -127], 130)[None]
    wide = replace(network.input, shape=(260,))
    fc, out = network.populations
    projections = (Projection("x", Dense(weights)),)
    network = replace(network, input=wide).replaced((replace(fc, projections=projections), out))
    with pytest.raises(SnncError) as caught:
        require_legal(network)
    (problem,) = caught.value.problems
    assert problem.what.startswith("its sum without the bias spans -8420100..8420100; allowed")


@pytest.mark.lava
def test_a_stream_on_lava_is_golden(tmp_path: Path) -> None:
    network = compiled(random_graph(4), tmp_path, code="delta")
    assert_lava_is_golden(network, frames(network, 5))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "loihi1"}, "`code`: 'delta' on loihi1, which has no programmable neurons"),
        ({"input_code": "bits"}, "`input_code`: 'bits' with the code 'delta', whose input is"),
        ({"timesteps": 2}, "`timesteps`: 2 with the code 'delta', which takes one time step"),
        ({"rho": 2}, "`rho`: calibrates offset spikes, and the code is 'delta'"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, options: dict[str, object], message: str
) -> None:
    with pytest.raises(SnncError) as caught:
        compiled(random_graph(0), tmp_path, code="delta", **options)
    (problem,) = caught.value.problems
    assert str(problem).startswith(message)


def test_a_stream_has_a_frame(tmp_path: Path) -> None:
    network = compiled(random_graph(0), tmp_path, code="delta")
    none = Data(np.zeros((0, *network.input.pixel_shape), np.float32))
    with pytest.raises(SnncError, match="x holds 0 images; at least 1 is needed"):
        snnc.run(tmp_path / "net.h5", none, engine="golden")
