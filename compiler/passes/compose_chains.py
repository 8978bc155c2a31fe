"""Everything between two staircases becomes projections: one for each source, and a bias.

The bias is what the operators give where every source is silent. Under padding it differs at the
border, so it may be a map, one value for each neuron.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from snnc.compiler.composition.chains import compose
from snnc.compiler.composition.convolutions import NotComposableError, merged
from snnc.compiler.errors import Problem, SnncError
from snnc.compiler.network import Builder, Network, Node
from snnc.compiler.operators import (
    Add,
    Affine,
    Conv,
    Floats,
    MatMul,
    Operator,
    Shape,
    Source,
    Staircase,
    per_channel,
)
from snnc.compiler.quantization.common_factors import whole_rows
from snnc.compiler.rules.float_ir import sums_are_projections

Link: TypeAlias = tuple[Any, Operator]
"""The link before, or None, and the operator behind it: chains share what they begin with."""
Chain: TypeAlias = tuple[Node, Link | None]
"""A source or a staircase, and the last of the operators behind it."""
MANY_PATHS = 64
"""Ways to one sum, beyond which they are composed there; hardly a trained network has as many."""
MOST_PATHS = 1 << 10
"""Ways to one population, as far as they are no single projection for each source."""
LARGEST_WHOLE = (1 << 7) - 1
"""Up to which whole weights stay so when they are added up: one synapse holds them."""
GROWTH = 2.0
"""Of the largest weight of a channel, from which a shortcut costs the others a bit and more."""


def compose_chains(network: Network, *, shifted: bool = True) -> Network:
    """Leave only inputs, convolutions, matrices, sums of these, and staircases.

    Args:
        network: with levels for all activations.
        shifted: whether projections may have exponents, which makes it worth while to keep apart
            what is added to a kernel of the same source (`_is_better_apart`).

    Raises:
        SnncError: for every chain that is no projection, with the names of its nodes.
    """
    if not any(sums_are_projections(network)):
        return network
    builder, problems = Builder(), list[Problem]()
    renamed = {network.input.name: builder.keep(network.input)}
    nodes = network.by_name
    add = partial(_population, nodes, renamed, builder, shifted)
    for node in network:
        if isinstance(node.operator, Staircase):
            try:
                sums = add(node.sources[0], node.name)
                renamed[node.name] = builder.add(node.name, node.operator, sums)
            except NotComposableError as reason:
                problems.append(_unplaced(nodes, node.sources[0], str(reason)))
                renamed[node.name] = builder.add(node.name, Source(node.shape))
    try:
        output = add(network.output.name, network.output.name)
    except NotComposableError as reason:
        problems.append(_unplaced(nodes, network.output.name, str(reason)))
    if problems:
        raise SnncError(*problems)
    return network.replaced(builder.nodes(output))


def _is_add(node: Node) -> bool:
    return isinstance(node.operator, Add)


def _population(
    nodes: Mapping[str, Node],
    renamed: Mapping[str, str],
    builder: Builder,
    shifted: bool,
    end: str,
    otherwise: str,
) -> str:
    """Add the projections that end in a node, the first with the bias, and their sum."""
    between = _between(nodes, end)
    chains = _chains(nodes, between, end, shifted=shifted)
    composed = _merged(chains, shifted=shifted)
    # what reads some channels of a concatenation may read none of a part of it
    composed = [each for each in composed if np.any(each[1].weights)] or composed[:1]
    bias = _reduced(_silent(nodes, between), nodes[end].shape)
    name = _name(nodes, end) or otherwise
    parts = []
    for index, (source, projection) in enumerate(composed):
        first = _with_bias(projection, bias) if index == 0 else projection
        label = name if len(composed) == 1 else f"{name}.{source}"
        parts.append(builder.add(label, first, renamed[source]))
    return parts[0] if len(parts) == 1 else builder.add(name, Add(), *parts)


def _between(nodes: Mapping[str, Node], end: str) -> tuple[Node, ...]:
    """What leads to the end, from the sources or staircases before it on, in order."""
    needed, found = {end}, list[Node]()
    for node in reversed(tuple(nodes.values())):
        if node.name in needed:
            found.append(node)
            if not isinstance(node.operator, Source | Staircase):
                needed.update(node.sources)
    return tuple(reversed(found))


def _chains(
    nodes: Mapping[str, Node], between: Sequence[Node], end: str, *, shifted: bool
) -> list[Chain]:
    """Every way from a source or a staircase to the end, each as its operators.

    Where there are many, what a sum adds up is composed there: so their number does not double
    with every sum.
    """
    chains: dict[str, list[Chain]] = {}
    for node in between:
        if isinstance(node.operator, Source | Staircase):
            chains[node.name] = [(node, None)]
            continue
        found = [each for name in node.sources for each in chains[name]]
        if not _is_add(node):
            found = [(source, (chain, node.operator)) for source, chain in found]
        elif len(found) > MANY_PATHS:
            # the same as few chains, each of a single operator
            composed = _merged(found, shifted=shifted)
            found = [(nodes[source], (None, projection)) for source, projection in composed]
        if len(found) > MOST_PATHS:
            what = f"{len(found)} ways lead through {node.name}; allowed: {MOST_PATHS}"
            raise NotComposableError(what)
        chains[node.name] = found
    return chains[end]


def _operators(chain: Link | None) -> list[Operator]:
    """The operators of a chain in their order."""
    found = list[Operator]()
    while chain:
        chain, operator = chain
        found.append(operator)
    return found[::-1]


def _merged(chains: Iterable[Chain], *, shifted: bool) -> list[tuple[str, Conv | MatMul]]:
    """One projection for each source, as far as those of one source add up to one."""
    found: list[tuple[str, Conv | MatMul]] = []
    for source, chain in chains:
        projection = compose(_operators(chain), source.shape)
        for index, (name, other) in enumerate(found):
            total = _sum(other, projection) if name == source.name else None
            if total is None or (shifted and _is_better_apart(other, projection, total)):
                continue
            found[index] = (name, total)
            break
        else:
            found.append((source.name, projection))
    return found


def _sum(first: Conv | MatMul, second: Conv | MatMul) -> Conv | MatMul | None:
    if isinstance(first, Conv) and isinstance(second, Conv):
        return merged(first, second)
    if isinstance(first, MatMul) and isinstance(second, MatMul):
        return replace(first, weights=first.weights + second.weights)
    return None


def _is_better_apart(*parts: Conv | MatMul) -> bool:
    """Whether a shortcut and a kernel of one source are worth more than their sum.

    One weight of a shortcut may be as large as all others together: beside it these would get few
    of the bits, and would not stay whole numbers where they are.
    """
    rows = [each.weights.reshape(len(each.weights), -1) for each in parts]
    narrow = [bool(np.count_nonzero(each, axis=1).max() <= 1) for each in rows[:2]]
    if narrow[0] == narrow[1]:
        return False
    kernel, total = rows[narrow.index(False)], rows[2]
    whole = whole_rows([total[:, None]])
    if whole is not None and whole.peak.max() <= LARGEST_WHOLE:
        return False
    grown = np.abs(total).max(1) > GROWTH * np.abs(kernel).max(1)
    return bool(grown.any()) or whole_rows([kernel[:, None]]) is not None


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


def _silent(nodes: Mapping[str, Node], between: Sequence[Node]) -> Floats:
    """What the last node gives where all sources send 0: its shape, or one that broadcasts to it.

    A map is dropped as soon as nothing asks for it any more.
    """
    found: dict[str, Floats] = {}
    last = {name: node for node in between for name in node.sources}
    for node in between:
        if isinstance(node.operator, Source | Staircase):
            found[node.name] = np.zeros((1,) * len(node.shape))
            continue
        found[node.name] = _applied(nodes, node, [found[each] for each in node.sources])
        for name in {*node.sources}:
            if last[name] is node:
                del found[name]
    return found[between[-1].name]


def _applied(nodes: Mapping[str, Node], node: Node, constants: Sequence[Floats]) -> Floats:
    """What a node makes of constants."""
    if isinstance(node.operator, Conv) and not np.any(constants[0]):
        return per_channel(node.operator.bias, len(node.shape))
    if isinstance(node.operator, Affine | Add):
        return np.asarray(node.operator.apply(*(each[None] for each in constants))[0])
    full = (
        np.broadcast_to(c, nodes[s].shape) for c, s in zip(constants, node.sources, strict=True)
    )
    return np.asarray(node.operator.apply(*(each[None] for each in full))[0])


def _reduced(bias: Floats, shape: Shape) -> Floats:
    """One value for each channel where a map says no more than that, else one for each neuron."""
    flat = bias.reshape(len(bias), -1)
    return flat[:, 0].copy() if np.all(flat == flat[:, :1]) else np.broadcast_to(bias, shape)


def _unplaced(nodes: Mapping[str, Node], end: str, reason: str) -> Problem:
    parts = (node for node in _between(nodes, end) if not _is_add(node))
    names = [n.name for n in parts if not isinstance(n.operator, Source | Staircase)]
    return Problem(
        ", ".join(names),
        f"these operators between two activations are no single projection: {reason}",
        "put an activation between them, or drop the padding of the later one",
    )
