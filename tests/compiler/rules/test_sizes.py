"""A network is refused one beyond each limit, and what is counted is what a file holds."""

import io
from dataclasses import replace

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from support.spiking_networks import chain, networks_of

from snnc.backends.netx.writer import content_of
from snnc.compiler.errors import SnncError
from snnc.compiler.inputs import GradedInput
from snnc.compiler.laws import BitSerial, Readout
from snnc.compiler.rules import sizes
from snnc.compiler.rules.legality import require_legal
from snnc.compiler.spiking import (
    Convolution,
    Dense,
    Population,
    Projection,
    Provenance,
    SpikingNetwork,
)

ONE = np.ones(1, np.int64)


def padded() -> SpikingNetwork:
    """Two channels of 3x4 pixels with uneven pads, seen by one neuron."""
    conv = Convolution(np.ones((1, 2, 7, 10), np.int64), pads=(1, 2, 3, 4))
    fc = Population("fc", (1, 1, 1), (Projection("x", conv),), 0 * ONE, BitSerial(ONE, 1))
    dense = (Projection("fc", Dense(np.ones((1, 1), np.int64))),)
    out = Population("out", (1,), dense, 0 * ONE, Readout(np.ones(1)))
    return SpikingNetwork(GradedInput("x", (2, 3, 4), 3, 0.0, 1.0, (0.0, 1.0), (2.0,)), (fc, out))


def two_names() -> SpikingNetwork:
    fc, out = chain().populations
    return chain().replaced((fc, replace(out, name="názvy")))


def told(*labels: str, remarks: tuple[str, ...] = ()) -> SpikingNetwork:
    return replace(chain(), provenance=Provenance("ab" * 4, labels, remarks))


AT_LIMIT = {
    "layers": ("MOST_NODES", 3, chain(), "x: the network has 3 layers"),
    "projections": ("MOST_PROJECTIONS", 2, chain(), "x: the network has 2 projections"),
    "neurons": ("MOST_NEURONS", 4, chain(), "x: the network has 4 neurons"),
    "pads": ("MOST_NEURONS", 140, padded(), "fc: x with its pads has 140 pixels"),
    "name": ("MOST_NAME", 6, two_names(), "názvy…: the name has 6 bytes"),
    "hash": ("MOST_NAME", 8, told(), "the hash of the source: 8 bytes"),
    "labels": ("MOST_TEXT", 10, told("kat", "čáp"), "labels: 10 bytes"),
    "labels of nothing": ("MOST_TEXT", 3, told("", "", ""), "labels: 3 bytes"),
    "remarks": ("MOST_TEXT", 4, told("a", remarks=("a", "bc")), "remarks: 4 bytes"),
    "means": ("MOST_ATTRIBUTE", 2, padded(), "x: mean of 2 channels"),
    "numbers": ("MOST_NUMBERS", 327, chain(), "x: weights, biases and thresholds are 327 numbers"),
}


@pytest.mark.parametrize(("limit", "found", "network", "what"), AT_LIMIT.values(), ids=AT_LIMIT)
def test_a_network_has_a_size(
    monkeypatch: pytest.MonkeyPatch, limit: str, found: int, network: SpikingNetwork, what: str
) -> None:
    monkeypatch.setattr(sizes, limit, found)
    require_legal(network)
    monkeypatch.setattr(sizes, limit, found - 1)
    with pytest.raises(SnncError) as caught:
        require_legal(network)
    (problem,) = map(str, caught.value.problems)
    assert problem.startswith(what)
    assert f"allowed: up to {found - 1}\n  help: " in problem


@pytest.mark.parametrize("text", ["\ud800", "a\0b"])
@pytest.mark.parametrize("mend", ["shorten the `labels`", "compile the source model again"])
def test_a_text_that_no_file_keeps_is_refused(text: str, mend: str) -> None:
    network = told(text) if "labels" in mend else told(remarks=("fine", text))
    with pytest.raises(SnncError) as caught:
        require_legal(network)
    (problem,) = caught.value.problems
    assert problem.what == "a text is not UTF-8, or holds a NUL; allowed: other texts"
    assert problem.mend == mend


@given(networks_of())
@settings(max_examples=20, deadline=None)
def test_no_file_holds_more_numbers_than_are_counted(network: SpikingNetwork) -> None:
    nodes = network.nodes
    counted = [sizes._numbers(each, nodes) for each in network]
    held: list[int] = []

    def count(name: str, found: h5py.Group | h5py.Dataset) -> None:
        if isinstance(found, h5py.Dataset) and found.dtype.kind in "if":
            held.append(int(found.size))

    with h5py.File(io.BytesIO(content_of(network))) as file:
        file.visititems(count)
    projections = sum(len(each.projections) for each in network)
    room = sizes.SMALL_KEYS * (len(counted) + projections)
    assert sum(counted) - room <= sum(held) <= sum(counted) + sizes.SMALL_KEYS
