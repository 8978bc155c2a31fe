"""The input becomes level numbers; normalisation moves into the network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from snnc.compiler.errors import Problem, SnncError
from snnc.compiler.network import Builder, Network, Node
from snnc.compiler.operators import (
    Affine,
    Conv,
    MatMul,
    Operator,
    Shape,
    Source,
    per_channel,
)
from snnc.compiler.spiking import Input, InputCode


@dataclass(frozen=True)
class Encoding:
    """How pixels become levels: n = round((x − low)/step), 2^bits − 1 at the upper end."""

    bits: int = 8
    low: float = 0.0
    high: float = 1.0
    code: InputCode = "graded"
    mean: tuple[float, ...] = ()
    """The source model reads (x − mean)/std, one number for each channel or one for all."""
    std: tuple[float, ...] = ()
    at_once: bool = False
    """Whether the bits of a pixel are neurons of their own, sent in one time step."""

    @property
    def levels(self) -> int:
        """The highest level."""
        return int((1 << self.bits) - 1)

    @property
    def step(self) -> float:
        """The real value of one level."""
        return (self.high - self.low) / self.levels

    def of(self, name: str, shape: Shape) -> Input:
        """The spiking input that this encoding makes of a model's input."""
        mean, std = self.mean or (0.0,), self.std or (1.0,)
        normalised = (mean, std) if self.mean or self.std else ((), ())
        if self.at_once:
            shape = (shape[0] * self.bits, *shape[1:])
        levels, planes = (1, self.bits) if self.at_once else (self.levels, 0)
        return Input(
            name, shape, levels, self.low, self.step, self.code, *normalised, planes=planes
        )


def encode_input(network: Network, encoding: Encoding) -> Network:
    """Put an affine map behind the input, from level numbers to what the source model reads.

    Raises:
        SnncError: if the encoding does not fit the input.
    """
    source = network.input
    problems = tuple(_problems(encoding, source.shape))
    if problems:
        raise SnncError(*problems)
    mean, std = np.array(encoding.mean or (0.0,)), np.array(encoding.std or (1.0,))
    rank = len(source.shape)
    scale, offset = encoding.step / std, (encoding.low - mean) / std
    builder = Builder()
    numbers = _sent(builder, source, encoding)
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


def _sent(builder: Builder, source: Node, encoding: Encoding) -> str:
    """The input; where the bits of its pixels are sent, also their sum Σ 2^k·bit."""
    if not encoding.at_once:
        return builder.keep(source)
    pixels, *space = source.shape
    builder.add(source.name, Source((pixels * encoding.bits, *space)))
    worth = 2.0 ** np.arange(encoding.bits)[::-1]
    if not space:
        total: Operator = MatMul(np.kron(np.eye(pixels), worth), np.zeros(pixels))
    else:
        ones = (1,) * len(space)
        kernel = np.tile(worth, (pixels, 1)).reshape(pixels, encoding.bits, *ones)
        total = Conv(kernel, np.zeros(pixels), ones, (0, 0) * len(space), ones, pixels)
    return builder.add(f"{source.name}.pixels", total, source.name)


def _problems(encoding: Encoding, shape: Shape) -> list[Problem]:
    found = []
    if not 1 <= encoding.bits <= 16:
        found.append(Problem("--input-bits", f"{encoding.bits} bits; allowed: 1 to 16", "use 8"))
    if not encoding.low < encoding.high or not np.isfinite(encoding.high - encoding.low):
        span = f"the range {encoding.low:g} to {encoding.high:g} is empty or not finite"
        found.append(Problem("--input-range", span, "give the least and the greatest pixel value"))
    for option, values in (("--mean", encoding.mean), ("--std", encoding.std)):
        if len(values) not in (0, 1, shape[0]):
            what = f"{len(values)} values for {shape[0]} channels; allowed: 1 or {shape[0]}"
            found.append(Problem(option, what, "give one for each channel, or one for all"))
        if not np.all(np.isfinite(values)) or (
            option == "--std" and not np.all(np.array(values) > 0)
        ):
            found.append(Problem(option, "its values must be finite, and std above 0", "mend them"))
    return found
