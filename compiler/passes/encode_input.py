"""The input becomes level numbers; normalisation moves into the network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from snnc.compiler.network import Builder, Network, Node
from snnc.compiler.operators import (
    Affine,
    Conv,
    MatMul,
    Operator,
    Source,
    per_channel,
)
from snnc.compiler.options import Encoding


def encode_input(network: Network, encoding: Encoding, *, planes: bool = False) -> Network:
    """Put an affine map behind the input, from level numbers to what the source model reads.

    Args:
        network: as it was read.
        encoding: of its pixels.
        planes: whether the bits of a pixel are neurons of their own.
    """
    source = network.input
    mean, std = np.array(encoding.mean or (0.0,)), np.array(encoding.std or (1.0,))
    rank = len(source.shape)
    scale, offset = encoding.step / std, (encoding.low - mean) / std
    builder = Builder()
    numbers = _summed(builder, source, encoding.bits) if planes else builder.keep(source)
    encoded = builder.add(
        f"{source.name}.levels",
        Affine(per_channel(scale, rank), per_channel(offset, rank)),
        numbers,
    )
    renamed = {source.name: encoded}
    for node in network:
        if not isinstance(node.operator, Source):
            sources = tuple(renamed.get(each, each) for each in node.sources)
            renamed[node.name] = builder.add(node.name, node.operator, *sources)
    return network.replaced(builder.nodes(renamed[network.output.name]))


def _summed(builder: Builder, source: Node, bits: int) -> str:
    """The bits of the pixels, and their sum Σ 2^k·bit."""
    pixels, *space = source.shape
    assert isinstance(source.operator, Source)
    bits_of_all = replace(source.operator, shape=(pixels * bits, *space))
    builder.add(source.name, bits_of_all)
    worth = 2.0 ** np.arange(bits)[::-1]
    if not space:
        total: Operator = MatMul(np.kron(np.eye(pixels), worth), np.zeros(pixels))
    else:
        ones = (1,) * len(space)
        kernel = np.tile(worth, (pixels, 1)).reshape(pixels, bits, *ones)
        total = Conv(kernel, np.zeros(pixels), ones, (0, 0) * len(space), ones, pixels)
    return builder.add(f"{source.name}.pixels", total, source.name)
