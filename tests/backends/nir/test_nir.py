"""NIR graphs of one-spike chains: every simulator gives the logits of the golden model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.onnx_models import Graph
from support.spiking_networks import (
    CODES,
    chain,
    chain_of,
    copies_of_a_plane,
    onto_planes,
    random_network,
    reads_past,
    reads_twice,
    stream,
    with_bias_map,
)

import snnc
from snnc.backends.nir import writer
from snnc.backends.nir.refusals import REASONS
from snnc.compiler.errors import SnncError
from snnc.compiler.laws import LAWS, Copies, Floats, Graded, Integers, OffsetSpike, Rate
from snnc.compiler.laws.base import per_neuron
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.engines.golden import Golden

IMAGES = 20
Nir = Any


def deep() -> SpikingNetwork:
    """Strides, a line as a kernel, groups, and a matrix behind planes that are no square."""
    network = copies_of_a_plane((4, 6, 9), (3, 1), pads=(1, 2, 1, 2), strides=(2, 1), groups=2)
    conv, out = network.populations
    return network.replaced((replace(conv, name="/0/Conv.a"), replace(out, projections=(
        replace(out.projections[0], source="/0/Conv.a"),
    ))))  # fmt: skip


CHAINS = {
    "planes": copies_of_a_plane(),
    "deep": deep(),
    "unread": copies_of_a_plane((2, 4, 4), (3, 3), pads=(1, 1, 0, 0), strides=(2, 2)),
    "flat": chain_of(Copies(np.array([[9], [99], [999]])), bias=7),
    "dilated": copies_of_a_plane((2, 7, 7), (2, 2), dilations=(2, 3)),
}


def compiled(folder: Path) -> SpikingNetwork:
    graph = Graph("batch", 2, 6, 7)
    graph.conv(3, 2, 3, 3, name="conv")
    graph.qcfs(4, name="first")
    graph.conv(4, 3, 3, 3, name="conv2")
    graph.qcfs(7, name="second")
    graph.node("Flatten", name="flatten")
    graph.dense(5, 4 * 2 * 3, name="fc")
    found = snnc.compile(graph.save(folder), code="one-spike", labels=tuple("abcde"))
    return found.network


def levels_of(network: SpikingNetwork) -> Integers:
    shape = (IMAGES, *network.input.shape)
    return np.random.default_rng(5).integers(0, network.input.levels + 1, shape)


def logits(network: SpikingNetwork, levels: Integers) -> Floats:
    """unit·v in float32: two numbers that are rounded, or whole, and their product."""
    golden = Golden(network, every_population=False, threads=1).run(levels)
    unit = per_neuron(network.readout.neuron.unit.astype(np.float32), network.readout.shape)
    return golden.potential.astype(np.float32) * unit


def in_norse(graph: Nir, pixels: Any) -> Any:
    return pytest.importorskip("norse.torch").from_nir(graph)(pixels)[0]


def in_sinabs(graph: Nir, pixels: Any) -> Any:
    return pytest.importorskip("sinabs.nir").from_nir(graph, batch_size=len(pixels))(pixels)[0]


def in_snntorch(graph: Nir, pixels: Any) -> Any:
    """Its importer makes the layers; what it makes of a graph cannot be run."""
    importer = pytest.importorskip("snntorch.import_nir")
    for node in nodes_of(graph):
        found = importer._nir_to_snntorch_module(node)(pixels)
        pixels = found[0] if isinstance(found, tuple) else found
    return pixels


def in_spikingjelly(graph: Nir, pixels: Any) -> Any:
    """Release 0.0.0.0.14 has no importer; its neurons stand between the layers of PyTorch."""
    neuron = pytest.importorskip("spikingjelly.activation_based.neuron")
    importer = pytest.importorskip("norse.torch.utils.import_nir")
    import nir

    for node in nodes_of(graph):
        if isinstance(node, nir.IF):
            (threshold,) = np.unique(node.v_threshold)
            pixels = neuron.IFNode(v_threshold=float(threshold), v_reset=0.0)(pixels)
        else:
            pixels = importer._import_norse_module(node)(pixels)
    return pixels


def nodes_of(graph: Nir) -> list[Nir]:
    """From the input to the output, both left out."""
    after, found, name = dict(graph.edges), [], "input"
    while (name := after[name]) != "output":
        found.append(graph.nodes[name])
    return found


@pytest.mark.torch
@pytest.mark.parametrize("run", [in_norse, in_sinabs, in_snntorch, in_spikingjelly])
@pytest.mark.parametrize("name", [*CHAINS, "compiled"])
def test_logits_are_equal_in(name: str, run: Callable[[Nir, Any], Any], tmp_path: Path) -> None:
    nir, torch = pytest.importorskip("nir"), pytest.importorskip("torch")
    network = CHAINS[name] if name in CHAINS else compiled(tmp_path)
    writer.write(network, tmp_path / "net.nir")
    levels = levels_of(network)
    with torch.no_grad():
        found = run(nir.read(tmp_path / "net.nir"), torch.tensor(levels, dtype=torch.float32))
    expected = logits(network, levels)
    assert np.unique(expected).size >= 3
    np.testing.assert_array_equal(found.numpy().reshape(expected.shape), expected)


def simulated(graph: Nir, levels: Integers) -> Floats:
    """The graph as NIR says it, in NumPy and in 64 bits: v > θ in the one step from rest."""
    import nir

    values = levels.astype(np.float64)
    for node in nodes_of(graph):
        if isinstance(node, nir.IF):
            assert not np.any(values == node.v_threshold)
            assert np.all(values < 2 * node.v_threshold), "two spikes in one time step"
            values = (values > node.v_threshold).astype(np.float64)
        elif isinstance(node, nir.Affine):
            values = values @ node.weight.T.astype(np.float64) + node.bias
        else:
            values = convolved(node, values)
    return values


def convolved(node: Nir, values: Floats) -> Floats:
    weights, (top, left) = node.weight.astype(np.float64), node.padding
    padded = np.pad(values, ((0, 0), (0, 0), (top, top), (left, left)))
    span = [(k - 1) * d + 1 for k, d in zip(weights.shape[2:], node.dilation, strict=True)]
    windows = np.lib.stride_tricks.sliding_window_view(padded, span, axis=(2, 3))
    steps = (slice(None, None, int(n)) for n in (*node.stride, *node.dilation))
    windows = windows[(slice(None), slice(None), *steps)]
    return np.einsum("bihwyx,oiyx->bohw", windows, weights) + node.bias.reshape(-1, 1, 1)


@pytest.mark.parametrize("name", [*CHAINS, "compiled"])
def test_a_file_says_the_same_network(name: str, tmp_path: Path) -> None:
    nir = pytest.importorskip("nir")
    network = CHAINS[name] if name in CHAINS else compiled(tmp_path)
    writer.write(network, tmp_path / "net.nir")
    graph = nir.read(tmp_path / "net.nir")
    levels = levels_of(network)
    expected = logits(network, levels)
    found = simulated(graph, levels).reshape(expected.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert (
        len({float(t) for n in nodes_of(graph) for t in np.unique(getattr(n, "v_threshold", ()))})
        == 1
    )
    assert all(each.isidentifier() or each[0].isdigit() for each in graph.nodes)
    assert graph.metadata["inputLevels"] == network.input.levels


def problems(network: SpikingNetwork) -> dict[str, str]:
    with pytest.raises(SnncError) as caught:
        writer.require_sayable(network)
    return {each.where: each.what for each in caught.value.problems}


THETA, HALF = np.array([700]), np.array([350])


@pytest.mark.parametrize(
    ("network", "why"),
    [
        (chain(), "a spike counts twice as much as the next one"),
        (chain_of(Graded(np.array([100]), 9)), "its spikes carry payloads"),
        (chain_of(Rate(THETA, HALF, 5)), "it takes the threshold off its potential"),
        (chain_of(OffsetSpike(THETA, HALF, 5, rho=3)), "it takes the threshold off its potential"),
        (stream(), "its spikes carry payloads"),
    ],
)
def test_every_other_code_is_refused_with_its_reason(network: SpikingNetwork, why: str) -> None:
    assert problems(network)["fc"].startswith(why)


def test_every_law_has_its_reason_or_none() -> None:
    assert set(REASONS) == set(LAWS)


@pytest.mark.parametrize(
    ("network", "layer", "why"),
    [
        (reads_twice(copies_of_a_plane()), "out", "it sums several sources"),
        (reads_past(copies_of_a_plane()), "out", "it reads x; allowed: the layer before it, conv"),
        (with_bias_map(copies_of_a_plane()), "conv", "the biases of a channel differ"),
        (onto_planes(copies_of_a_plane()), "onto", "a matrix leads to planes"),
        (copies_of_a_plane(pads=(0, 0, 1, 1)), "conv", "pads 0,0,1,1; allowed: as many on both"),
        (copies_of_a_plane((2, 4, 4), (3, 2)), "conv", "a kernel of 3x2; allowed: sides that"),
    ],
)
def test_what_is_no_chain_is_refused(network: SpikingNetwork, layer: str, why: str) -> None:
    assert problems(network)[layer].startswith(why)


def test_all_problems_are_told_at_once() -> None:
    network = copies_of_a_plane((2, 4, 4), (3, 2), pads=(0, 0, 1, 1))
    with pytest.raises(SnncError) as caught:
        writer.require_sayable(reads_twice(network))
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize("code", sorted(set(CODES) - {"one-spike"}))
def test_no_random_network_of_another_code_is_exported(code: str) -> None:
    assert problems(random_network(3, code))


def test_without_the_package_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(writer, "find_spec", lambda name: None)
    with pytest.raises(SnncError, match=r"NIR: the package nir is not installed\n.*snnc\[nir\]"):
        writer.write(CHAINS["planes"], tmp_path / "net.nir")
    assert not [*tmp_path.iterdir()]
