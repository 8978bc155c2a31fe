"""The rules of size: a network is no larger than a file holds and a reader accepts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod

from snnc.compiler.errors import Problem
from snnc.compiler.limits import (
    MOST_ATTRIBUTE,
    MOST_NAME,
    MOST_NEURONS,
    MOST_NODES,
    MOST_NUMBERS,
    MOST_PROJECTIONS,
    MOST_TEXT,
)
from snnc.compiler.rules.structure import SpikingRule
from snnc.compiler.spiking import Convolution, Node, Population, SpikingNetwork

FEWER = "use a smaller model, or compile with fewer `timesteps` or another `code`"
SMALL_KEYS = 64
"""More than the single numbers that a layer or a projection has in a file."""


def nodes_are_few(network: SpikingNetwork) -> Iterator[Problem]:
    """Layers and projections are counted before anything is made of them."""
    projections = sum(len(each.projections) for each in network)
    for found, things, most in (
        (1 + len(network.populations), "layers", MOST_NODES),
        (projections, "projections", MOST_PROJECTIONS),
    ):
        if found > most:
            what = f"the network has {found} {things}; allowed: up to {most}"
            yield Problem(network.input.name, what, FEWER)


def names_are_short(network: SpikingNetwork) -> Iterator[Problem]:
    """A name stands in a message, and in an attribute of the file."""
    for node in (network.input, *network):
        if node.name.isprintable() and (size := len(node.name.encode())) > MOST_NAME:
            what = f"the name has {size} bytes; allowed: up to {MOST_NAME}"
            yield Problem(f"{node.name[:32]}…", what, "rename the node in the model")


def neurons_are_few(network: SpikingNetwork) -> Iterator[Problem]:
    """All neurons fit into memory, and so does any image with the pads of a convolution."""
    found = network.input.size + sum(each.size for each in network)
    if found > MOST_NEURONS:
        what = f"the network has {found} neurons; allowed: up to {MOST_NEURONS}"
        yield Problem(network.input.name, what, "use a smaller model, or smaller images")
    nodes = network.nodes
    for population in network:
        for each in population.projections:
            connection = each.connection
            if isinstance(connection, Convolution) and each.source in nodes:
                size = _padded(connection, nodes[each.source])
                if size > MOST_NEURONS:
                    what = f"{each.source} with its pads has {size} pixels"
                    what = f"{what}; allowed: up to {MOST_NEURONS}"
                    yield Problem(population.name, what, "use smaller pads")


def numbers_are_few(network: SpikingNetwork) -> Iterator[Problem]:
    """All arrays of the file together fit into memory."""
    nodes = network.nodes
    found = SMALL_KEYS + sum(_numbers(each, nodes) for each in network)
    if found > MOST_NUMBERS:
        what = f"weights, biases and thresholds are {found} numbers in a file"
        yield Problem(network.input.name, f"{what}; allowed: up to {MOST_NUMBERS}", FEWER)


def texts_are_kept(network: SpikingNetwork) -> Iterator[Problem]:
    """A file gives every text back as it was."""
    origin = network.provenance
    for key, texts, most in (
        ("labels", origin.labels, MOST_TEXT),
        ("remarks", origin.remarks, MOST_TEXT),
        ("the hash of the source", (origin.source_sha256,), MOST_NAME),
    ):
        mend = f"shorten the `{key}`" if key == "labels" else "compile the source model again"
        if any(not _is_text(each) for each in texts):
            yield Problem(key, "a text is not UTF-8, or holds a NUL; allowed: other texts", mend)
        elif (size := len(texts) * max([1, *(len(e.encode()) for e in texts)])) > most:
            yield Problem(key, f"{size} bytes; allowed: up to {most}", mend)


def channels_have_room(network: SpikingNetwork) -> Iterator[Problem]:
    """Mean and deviation are attributes of the file, whose headers are small."""
    source = network.input
    for name, values in (("mean", source.mean), ("std", source.std)):
        if len(values) > MOST_ATTRIBUTE:
            what = f"{name} of {len(values)} channels; allowed: up to {MOST_ATTRIBUTE}"
            yield Problem(source.name, what, f"give one `{name}` for all channels")


SIZES: tuple[SpikingRule, ...] = (
    nodes_are_few,
    names_are_short,
    neurons_are_few,
    numbers_are_few,
    texts_are_kept,
    channels_have_room,
)


def _padded(convolution: Convolution, source: Node) -> int:
    top, left, bottom, right = convolution.pads
    channels, height, width = source.shape
    return channels * (height + top + bottom) * (width + left + right)


def _numbers(population: Population, nodes: Mapping[str, Node]) -> int:
    """How many numbers a file holds of a population, or more."""
    copies = population.neuron.copies
    laws = sum(prod(each.shape) * copies for each in population.neuron.parameters())
    weights = sum(
        each.connection.weights.size * nodes[each.source].sends.copies * copies + SMALL_KEYS
        for each in population.projections
    )
    return SMALL_KEYS + laws + population.bias.size * copies + weights


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
