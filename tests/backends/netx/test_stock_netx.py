"""One-spike chains in unmodified netx of lava-dl, on its own bit-accurate CUBA neurons."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import h5py
import numpy as np
import numpy.typing as npt
import pytest
from support.onnx_models import Graph
from support.spiking_networks import (
    CODES,
    chain_of,
    copies_of_a_plane,
    onto_planes,
    random_network,
    reads_past,
    with_bias_map,
)

import snnc
from snnc.backends.netx import writer
from snnc.backends.netx.stock import (
    MOST_GEOMETRY,
    message_bits,
    obstacles_to_stock_netx,
    runs_in_stock_netx,
)
from snnc.backends.netx.writer import write
from snnc.compiler.laws import Copies, Integers
from snnc.compiler.spiking import Dense, SpikingNetwork
from snnc.runtime.engines.golden import Golden
from snnc.runtime.engines.lava.lifetime import running

pytest.importorskip("lava.magma")
pytestmark = pytest.mark.lava
Lava: TypeAlias = Any
IMAGES = 4
NORMALISED = {"mean": (0.4, 0.5), "std": (0.25, 0.3)}


def to_stock(images: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(steps, C, H, W) or (steps, neurons) in netx' axes: (W, H, C, steps), (neurons, steps)."""
    return np.ascontiguousarray(images.T if images.ndim == 2 else images.transpose(3, 2, 1, 0))


def run_stock(
    path: Path, images: Integers, *, message_bits: int = 8
) -> tuple[list[Integers], Integers]:
    """Spikes of every layer but the last, and v of the last, for each time step.

    The images enter one a time step from the first on; each layer takes one step more.
    """
    from lava.lib.dl.netx import hdf5
    from lava.proc.io import sink, source

    network = hdf5.Network(str(path), input_message_bits=message_bits)
    steps = len(images) + len(network.layers)
    silence = np.zeros((steps - len(images), *images.shape[1:]), np.int64)
    stream = np.concatenate([images, silence])
    if len(network.inp.shape) == 1:
        stream = stream.reshape(steps, -1)
    sender = source.RingBuffer(data=to_stock(stream).astype(np.int32))
    sender.s_out.connect(network.inp)
    sinks = []
    for layer in network.layers[:-1]:
        sinks.append(sink.RingBuffer(shape=layer.neuron.s_out.shape, buffer=steps))
        layer.neuron.s_out.connect(sinks[-1].a_in)
    shown = []
    with running(sender) as run:
        for _ in range(steps):
            run.advance(1)
            shown.append(np.asarray(network.layers[-1].neuron.v.get(), np.int64))
        return [np.asarray(each.data.get(), np.int64) for each in sinks], np.array(shown)


def assert_stock_is_golden(path: Path, network: SpikingNetwork) -> None:
    """Layer k, from 1 on, holds image i in time step i + k, counted from 0."""
    shape = (IMAGES, *network.input.shape)
    images = np.random.default_rng(0).integers(0, network.input.levels + 1, shape)
    expected = Golden(network, every_population=True, threads=1).run(images)
    spikes, potentials = run_stock(path, images, message_bits=message_bits(network))
    *firing, _ = network
    for depth, (each, found) in enumerate(zip(firing, spikes, strict=True), 1):
        levels = expected.sent[each.name]
        assert len(np.unique(levels)) > 2, f"{each.name} hardly fires: this network tests nothing"
        copies = np.arange(each.neuron.levels).reshape(-1, *(1,) * (levels.ndim - 2))
        fired = levels[:, :, None] > copies
        channels = fired.reshape(IMAGES, -1, *levels.shape[2:])
        np.testing.assert_array_equal(found[..., depth : depth + IMAGES], to_stock(channels))
    found = potentials[len(spikes) + 1 :]
    np.testing.assert_array_equal(np.moveaxis(found, 0, -1), 64 * to_stock(expected.potential))


def dense() -> Graph:
    graph = Graph("batch", 20, seed=3)
    graph.dense(9, 20)
    graph.qcfs(3)
    graph.dense(7, 9)
    graph.qcfs(3)
    graph.dense(4, 7)
    return graph


def convolutions() -> Graph:
    """Stride, uneven kernel, pads, groups, a flatten, and another kind of layer behind it."""
    graph = Graph("batch", 2, 7, 6, seed=7)
    graph.conv(4, 2, 3, 3, pads=[1, 1, 1, 1])
    graph.qcfs(3)
    graph.conv(6, 2, 3, 2, group=2, strides=[2, 1], pads=[1, 0, 1, 0])
    graph.qcfs(5)
    graph.node("Flatten")
    graph.dense(12, 6 * 4 * 5)
    graph.qcfs(3, 1.0)
    graph.dense(5, 12)
    return graph


def strided() -> Graph:
    """Strides over even sizes, where pads of 1 on both sides are more than is read; a pool."""
    graph = Graph("batch", 2, 8, 8, seed=3)
    graph.conv(4, 2, 3, 3, pads=[1, 1, 1, 1], strides=[2, 2])
    graph.batch_norm(4)
    graph.qcfs(3, 1.0)
    graph.node("AveragePool", kernel_shape=[2, 2], strides=[2, 2])
    graph.conv(6, 4, 3, 3, pads=[1, 1, 1, 1], strides=[2, 2])
    graph.qcfs(3, 0.5)
    graph.conv(5, 6, 1, 1)
    return graph


def line() -> Graph:
    graph = Graph("batch", 2, 16, seed=3)
    graph.conv(4, 2, 3, pads=[1, 1], strides=[2])
    graph.qcfs(3)
    graph.conv(4, 4, 3, pads=[2, 2], dilations=[2])
    graph.qcfs(3, 1.0)
    graph.node("Flatten")
    graph.dense(5, 32)
    return graph


def flat_images() -> Graph:
    """The first layer is a matrix: netx takes the pixels flat, in the order C, H, W."""
    graph = Graph("batch", 2, 3, 4, seed=3)
    graph.node("Flatten")
    graph.dense(9, 24)
    graph.qcfs(3)
    graph.dense(4, 9)
    return graph


@pytest.mark.parametrize(
    ("graph", "options"),
    [
        (dense(), {}),
        (strided(), {}),
        (line(), {"input_bits": 10}),
        (flat_images(), {}),
        (convolutions(), {"input_range": (0, 4)}),
        (convolutions(), NORMALISED),
        (convolutions(), {**NORMALISED, "target": "loihi1", "input_code": "bits"}),
    ],
    ids=[
        "dense",
        "strided",
        "line",
        "flat images",
        "convolutions",
        "thresholds for each neuron",
        "bits",
    ],
)
def test_stock_netx_gives_every_spike_and_logit(
    tmp_path: Path, graph: Graph, options: dict[str, Any]
) -> None:
    path = snnc.compile(graph.save(tmp_path), code="one-spike", **options).path
    network = snnc.load(path)
    assert not obstacles_to_stock_netx(network)
    with h5py.File(path) as file:
        first = next(each for each in file["layer"].values() if "neuron" in each)
        rank = first["neuron/vThMant"].ndim
    assert rank == (3 if "mean" in options else 1)
    assert_stock_is_golden(path, network)


def weighing(*weights: int) -> SpikingNetwork:
    """A neuron of two copies for each of two pixels, and a read-out that weighs them."""
    network = chain_of(Copies(np.array([[0, 0], [200, 200]])))
    fc, out = network.populations
    (to_fc,), (to_out,) = fc.projections, out.projections
    ones = Dense(np.array([[1, 0], [0, 1]]))
    fc = replace(
        fc, shape=(2,), projections=(replace(to_fc, connection=ones),), bias=np.zeros(2, int)
    )
    weighed = replace(to_out, connection=Dense(np.array([weights])))
    return network.replaced((fc, replace(out, projections=(weighed,))))


@pytest.mark.parametrize(
    "weights", [(254, -256), (-128, 127), (0, 255), (-255, 0), (-4, -2)], ids=str
)
def test_extreme_weights_are_as_meant_or_refused(tmp_path: Path, weights: tuple[int, int]) -> None:
    network, path = weighing(*weights), tmp_path / "net.h5"
    write(network, path)
    assert runs_in_stock_netx(network) == (max(weights) > 0)
    if max(weights) <= 0:
        refuse(path)
        return
    images = np.array([[255, 0], [1, 255], [7, 7]])
    _, potentials = run_stock(path, images)
    expected = Golden(network, threads=1).run(images).potential
    np.testing.assert_array_equal(potentials[2:], 64 * expected)


def refuse(path: Path) -> None:
    from lava.lib.dl.netx import hdf5

    with pytest.raises((TypeError, AttributeError)):
        hdf5.Network(str(path))


def heard_twice() -> SpikingNetwork:
    network = chain_of(Copies(np.array([[100], [900]])))
    fc, out = network.populations
    again = replace(out.projections[0], connection=Dense(np.array([[2]])))
    return network.replaced((fc, replace(out, projections=(*out.projections, again))))


@pytest.mark.parametrize(
    "network",
    [heard_twice(), *(random_network(seed, "one-spike") for seed in range(3))],
    ids=["twice", "graph 0", "graph 1", "graph 2"],
)
def test_what_is_no_chain_is_refused(tmp_path: Path, network: SpikingNetwork) -> None:
    path = tmp_path / "net.h5"
    write(network, path)
    with h5py.File(path) as file:
        neurons = [each["neuron/type"][()] for each in file["layer"].values() if "neuron" in each]
    assert set(neurons) == {b"CUBA_COPIES", b"CUBA_ATF_OUT"}
    refuse(path)


@pytest.mark.parametrize("code", [each for each in CODES if each != "one-spike"])
def test_every_other_code_is_refused(tmp_path: Path, code: str) -> None:
    refuse(snnc.compile(dense().save(tmp_path), code=code).path)


def called_stock(network: SpikingNetwork, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a network that stock netx cannot run as one that it can."""
    assert obstacles_to_stock_netx(network)
    monkeypatch.setattr(writer, "runs_in_stock_netx", lambda network: True)
    write(network, path)


@pytest.mark.parametrize(
    "network",
    [
        copies_of_a_plane(pads=(1, 0, 0, 1)),
        reads_past(copies_of_a_plane()),
        onto_planes(copies_of_a_plane()),
        with_bias_map(copies_of_a_plane((2, 3, 4))),
    ],
    ids=["uneven pads", "not the layer before", "planes", "biases"],
)
def test_netx_cannot_build_what_is_said_to_be_an_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: SpikingNetwork
) -> None:
    from lava.lib.dl.netx import hdf5

    called_stock(network, tmp_path / "net.h5", monkeypatch)
    with pytest.raises((AssertionError, ValueError)):
        hdf5.Network(str(tmp_path / "net.h5"))


@pytest.mark.parametrize("network", [weighing(-1, 0), copies_of_a_plane((128, 3, 3), groups=128)])
def test_netx_runs_what_is_said_to_be_an_obstacle_wrongly_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: SpikingNetwork
) -> None:
    called_stock(network, tmp_path / "net.h5", monkeypatch)
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, *network.input.shape))
    expected = Golden(network, threads=1).run(images).potential
    try:
        _, potentials = run_stock(tmp_path / "net.h5", images)
    except OverflowError:  # of NumPy 2, where NumPy 1 wraps
        return
    assert np.any(np.moveaxis(potentials[2:], 0, -1) != 64 * to_stock(expected))


@pytest.mark.parametrize("name", ["kernel_size", "stride", "padding", "dilation", "groups"])
def test_the_geometry_of_a_convolution_is_held_in_a_signed_byte(name: str) -> None:
    from lava.proc.conv.models import PyConvModelFixed

    held = getattr(PyConvModelFixed, name).d_type
    assert np.iinfo(held).max == MOST_GEOMETRY
