"""A chain of one-spike layers becomes a NIR graph that every simulator runs alike.

Simulators disagree on what nir.IF is: on > or ≥, on the reset, on the leak, on how many spikes one
time step may hold. None of it matters to neurons that start from rest and live for one time step:

- Weights, biases and pixel levels are whole, so sums are exact in float32 in whatever order.
- Copy j fires if Σ w·n + B > t. With bias B − t + K and one θ = K + ½ for the whole graph it fires
  if its potential reaches K + 1: no sum lies on the threshold.
- K is no less than any Σ w·n + B − t, so the potential stays below 2θ: one spike, never two.
- Potentials of stock neurons end at 2^17, so K and all sums stay below 2^20 < 2^24.

The read-out's potential v is whole too. One more layer multiplies each by its unit, a diagonal: its
logits are rounded to float32 once, and zeros change nothing.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.backends.files import write_bytes
from snnc.backends.netx.copies import expanded, repeated
from snnc.backends.nir.kernels import evened, squared, ungrouped
from snnc.backends.nir.refusals import problems_of
from snnc.compiler.errors import Problem, SnncError, refusal
from snnc.compiler.laws import Copies, Integers, Readout
from snnc.compiler.limits import MOST_NUMBERS
from snnc.compiler.rules.bounds import Nodes, sum_bounds
from snnc.compiler.rules.legality import require_legal
from snnc.compiler.spiking import (
    Connection,
    Convolution,
    Node,
    Population,
    Projection,
    SpikingNetwork,
)

Layer: TypeAlias = Any
"""A node of a NIR graph; the package has no types."""
Floats: TypeAlias = npt.NDArray[np.float32]
ON_PLANES = 3
"""Axes of an input that has places: then every layer is a convolution."""


def write(network: SpikingNetwork, path: Path, *, inputs: Sequence[Path] = ()) -> None:
    """Write a network as a NIR graph, if every simulator runs it alike.

    Args:
        network: any.
        path: the file to write.
        inputs: files that must stay as they are.

    Raises:
        SnncError: with everything that NIR cannot say, or where the extra `nir` is missing.
    """
    require_sayable(network)
    if find_spec("nir") is None:
        raise refusal("NIR", "the package nir is not installed", "pip install 'snnc[nir]'")
    import nir

    content = io.BytesIO()
    nir.write(content, graph_of(network))
    write_bytes(path, content.getvalue(), inputs=inputs)


def require_sayable(network: SpikingNetwork) -> None:
    """Let only a legal network pass that NIR can say.

    Raises:
        SnncError: with everything against it.
    """
    if problems := [*problems_of(network), *_too_large(network)]:
        raise SnncError(*problems)
    require_legal(network)


def graph_of(network: SpikingNetwork) -> Layer:
    """The NIR graph of a network that it can say: level numbers (*input shape) in, logits out."""
    import nir

    names = _Names()
    layers = dict(_layers(network, names))
    chain = ["input", *layers, "output"]
    first = nir.Input(np.array(network.input.shape))
    last = nir.Output(np.array(_shape(network.readout, network)))
    nodes = {"input": first, **layers, "output": last}
    return nir.NIRGraph(nodes, [*pairwise(chain)], metadata=_provenance(network))


def _layers(network: SpikingNetwork, names: _Names) -> Iterator[tuple[str, Layer]]:
    """Synapses and neurons of each layer, and the units of the logits."""
    import nir

    excess = max(0, *(_greatest_excess(each, network.nodes) for each in network))
    source: Node = network.input
    for population in network:
        (projection,) = population.projections
        copies = (source.sends.copies, population.neuron.copies)
        synapses = _Synapses.of(projection, (source.shape, population.shape), copies)
        law = population.neuron
        bias = repeated(population.bias, law.copies)
        name = names.of(population.name)
        if isinstance(law, Copies):
            # channel c of N copies is c·N … c·N + N − 1, as in `expanded`
            bias = bias - np.swapaxes(law.thresholds, 0, 1).reshape(-1) + excess
        yield name, _said(synapses, bias, population.name, network)
        if isinstance(law, Copies):
            shape = _shape(population, network)
            yield (
                names.of(f"{population.name} spikes"),
                nir.IF(
                    r=np.ones(shape, np.float32),
                    v_threshold=np.full(shape, excess + 0.5, np.float32),
                ),
            )
        else:
            assert isinstance(law, Readout)
            yield names.of("logits"), _units(law, population, network)
        source = population


@dataclass(frozen=True, eq=False)
class _Synapses:
    """The connection between copies, and the planes that it reads."""

    connection: Connection
    source: tuple[int, ...]
    """The shape of the source, its copies counted as channels."""

    @classmethod
    def of(
        cls,
        projection: Projection,
        shapes: tuple[tuple[int, ...], tuple[int, ...]],
        copies: tuple[int, int],
    ) -> _Synapses:
        connection = expanded(projection.connection, shapes, copies)
        scaled = replace(connection, weights=connection.weights << projection.exponent)
        return cls(scaled, (shapes[0][0] * copies[0], *shapes[0][1:]))


def _said(synapses: _Synapses, bias: Integers, layer: str, network: SpikingNetwork) -> Layer:
    """A layer of NIR: where the input has planes, a matrix is a kernel as large as they are."""
    import nir

    connection, origin = synapses.connection, {"layer": layer}
    if isinstance(connection, Convolution):
        return _convolution(
            squared(ungrouped(evened(connection, synapses.source))), bias, synapses.source, origin
        )
    if len(network.input.shape) < ON_PLANES:
        return nir.Affine(_floats(connection.weights), _floats(bias), metadata=origin)
    source = synapses.source if len(synapses.source) > 1 else (*synapses.source, 1, 1)
    alone = (1 + 2 * max(source[1:]),) * 2  # so far that one place is all that the kernel has
    kernel = squared(Convolution(connection.weights.reshape(-1, *source), alone))
    return _convolution(kernel, bias, source, origin)


def _convolution(
    connection: Convolution, bias: Integers, source: tuple[int, ...], origin: dict[str, str]
) -> Layer:
    import nir

    return nir.Conv2d(
        input_shape=source[1:],
        weight=_floats(connection.weights),
        stride=connection.strides,
        padding=connection.pads[:2],
        dilation=connection.dilations,
        groups=1,
        bias=_floats(bias),
        metadata=origin,
    )


def _units(law: Readout, population: Population, network: SpikingNetwork) -> Layer:
    """Each logit is unit·v."""
    import nir

    shape = _shape(population, network)
    unit, none = law.unit.astype(np.float32), np.zeros(shape[0], np.float32)
    if len(shape) < ON_PLANES:
        return nir.Affine(np.diag(unit), none)
    weights = np.diag(unit)[:, :, None, None]
    return nir.Conv2d(shape[1:], weights, (1, 1), (0, 0), (1, 1), 1, none)


def _shape(population: Population, network: SpikingNetwork) -> tuple[int, ...]:
    """The shape of a layer: copies are channels, and neurons without a place have one of 1×1."""
    channels, *space = population.shape
    places = space or [1, 1] * (len(network.input.shape) == ON_PLANES)
    return (channels * population.neuron.copies, *places)


def _greatest_excess(population: Population, nodes: Nodes) -> int:
    """The most by which a sum and its bias exceed a threshold; 0 of a read-out."""
    law = population.neuron
    if not isinstance(law, Copies):
        return 0
    high = sum_bounds(population, nodes).high
    return int((high.reshape(len(high), -1).max(1) + population.bias - law.thresholds.min(0)).max())


def _too_large(network: SpikingNetwork) -> Iterator[Problem]:
    """Copies that make a kernel larger than any network may be."""
    nodes = network.nodes
    for each in network:
        copies = each.neuron.copies
        for projection in each.projections:
            copies *= nodes[projection.source].sends.copies
            connection = projection.connection
            groups = connection.groups if isinstance(connection, Convolution) else 1
            numbers = connection.weights.size * copies * groups
            if numbers > MOST_NUMBERS:
                what = f"{numbers} weights between copies and groups; allowed: {MOST_NUMBERS}"
                yield Problem(each.name, what, "compile with fewer `timesteps`")


def _provenance(network: SpikingNetwork) -> dict[str, Any]:
    """What gives it an image: the level of a pixel x is round((x − low)/step)."""
    source = network.input
    return {
        "snncVersion": version("snnc"),
        "sourceSha256": network.provenance.source_sha256,
        "inputCode": source.kind,
        "inputLevels": source.pixel_levels,
        "inputLow": source.low,
        "inputStep": source.step,
        "labels": "\n".join(network.provenance.labels),
    }


def _floats(values: Integers) -> Floats:
    return values.astype(np.float32)


class _Names:
    """Names of nodes: in a file they must not hold a slash, in PyTorch no dot."""

    def __init__(self) -> None:
        self.taken = {"input", "output"}

    def of(self, layer: str) -> str:
        plain = re.sub(r"[^0-9A-Za-z_]+", "_", layer).strip("_") or "layer"
        found, count = plain, 1
        while found in self.taken:
            count += 1
            found = f"{plain}_{count}"
        self.taken.add(found)
        return found
