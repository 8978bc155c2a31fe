"""Everything between two staircases becomes projections: one for each source, and a bias.

The bias is what the operators give where every source is silent. Under padding it differs at the
border, so it may be a map, one value for each neuron.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from snnc.compiler.composition.chains import NotComposableError, compose
from snnc.compiler.composition.convolutions import merged
from snnc.compiler.errors import Problem, SnncError
from snnc.compiler.network import Builder, Network, Node
from snnc.compiler.operators import (
    Add,
    Affine,
    Conv,
    Floats,
    MatMul,
    Operator,
    Source,
    Staircase,
    per_channel,
)
from snnc.compiler.rules.float_ir import sums_are_projections


def compose_chains(network: Network) -> Network:
    """Leave only inputs, convolutions, matrices, sums of these, and staircases.

    Raises:
        SnncError: for every chain that is no projection, with the names of its nodes.
    """
    if not any(sums_are_projections(network)):
        return network
    builder, problems = Builder(), list[Problem]()
    renamed = {network.input.name: builder.keep(network.input)}
    nodes = network.by_name
    for node in network:
        if isinstance(node.operator, Staircase):
            try:
                sums = _population(nodes, node.sources[0], renamed, builder, node.name)
                renamed[node.name] = builder.add(node.name, node.operator, sums)
            except NotComposableError as reason:
                problems.append(_unplaced(nodes, node.sources[0], str(reason)))
                renamed[node.name] = builder.add(node.name, Source(node.shape))
    try:
        output = _population(nodes, network.output.name, renamed, builder, network.output.name)
    except NotComposableError as reason:
        problems.append(_unplaced(nodes, network.output.name, str(reason)))
    if problems:
        raise SnncError(*problems)
    return network.replaced(builder.nodes(output))


def _is_add(node: Node) -> bool:
    return isinstance(node.operator, Add)


def _population(
    nodes: Mapping[str, Node],
    end: str,
    renamed: Mapping[str, str],
    builder: Builder,
    otherwise: str,
) -> str:
    """Add the projections that end in a node, the first with the bias, and their sum."""
    paths = list(_paths(nodes, end))
    composed = _merged(
        (path[0].name, compose([n.operator for n in path[1:]], path[0].shape)) for path in paths
    )
    bias = _reduced(_silent(nodes, end))
    name = _name(nodes, end) or otherwise
    parts = []
    for index, (source, projection) in enumerate(composed):
        first = _with_bias(projection, bias) if index == 0 else projection
        label = name if len(composed) == 1 else f"{name}.{source}"
        parts.append(builder.add(label, first, renamed[source]))
    return parts[0] if len(parts) == 1 else builder.add(name, Add(), *parts)


def _merged(
    projections: Iterable[tuple[str, Conv | MatMul]],
) -> list[tuple[str, Conv | MatMul]]:
    """One projection for each source, as far as those of one source add up to one."""
    found: list[tuple[str, Conv | MatMul]] = []
    for source, projection in projections:
        for index, (name, other) in enumerate(found):
            total = _sum(other, projection) if name == source else None
            if total is not None:
                found[index] = (source, total)
                break
        else:
            found.append((source, projection))
    return found


def _sum(first: Conv | MatMul, second: Conv | MatMul) -> Conv | MatMul | None:
    if isinstance(first, Conv) and isinstance(second, Conv):
        return merged(first, second)
    if isinstance(first, MatMul) and isinstance(second, MatMul):
        return replace(first, weights=first.weights + second.weights)
    return None


def _paths(nodes: Mapping[str, Node], end: str) -> Iterator[tuple[Node, ...]]:
    """Every way from a source or a staircase to the end, both included."""
    node = nodes[end]
    if isinstance(node.operator, Source | Staircase):
        yield (node,)
        return
    for source in node.sources:
        for path in _paths(nodes, source):
            yield path if _is_add(node) else (*path, node)


def _name(nodes: Mapping[str, Node], end: str) -> str | None:
    """The name the user knows a layer by: its last convolution or matrix, or where sources meet."""
    node = nodes[end]
    while not isinstance(node.operator, Conv | MatMul | Add):
        if isinstance(node.operator, Source | Staircase):
            return None
        node = nodes[node.sources[0]]
    return node.name


def _with_bias(projection: Conv | MatMul, bias: Floats) -> Operator:
    return replace(
        projection, bias=np.broadcast_to(bias, projection.bias.shape) if bias.ndim < 2 else bias
    )


def _silent(nodes: Mapping[str, Node], end: str) -> Floats:
    """What a node gives where all sources send 0: its shape, or one that broadcasts to it."""
    node = nodes[end]
    if isinstance(node.operator, Source | Staircase):
        return np.zeros((1,) * len(node.shape))
    constants = [_silent(nodes, each) for each in node.sources]
    if isinstance(node.operator, Conv) and not np.any(constants[0]):
        return per_channel(node.operator.bias, len(node.shape))
    if isinstance(node.operator, Affine | Add):
        return np.asarray(node.operator.apply(*(each[None] for each in constants))[0])
    full = (
        np.broadcast_to(c, nodes[s].shape) for c, s in zip(constants, node.sources, strict=True)
    )
    return np.asarray(node.operator.apply(*(each[None] for each in full))[0])


def _reduced(bias: Floats) -> Floats:
    """One value for each channel where a map says no more than that."""
    flat = bias.reshape(len(bias), -1)
    return flat[:, 0].copy() if np.all(flat == flat[:, :1]) else bias


def _unplaced(nodes: Mapping[str, Node], end: str, reason: str) -> Problem:
    names = dict.fromkeys(node.name for path in _paths(nodes, end) for node in path[1:])
    return Problem(
        ", ".join(names),
        f"these operators between two activations are no single projection: {reason}",
        "put an activation between them, or drop the padding of the later one",
    )
