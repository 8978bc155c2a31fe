"""Functions of a model are written out, once it is known what that makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

import onnx
from onnx import inliner

from snnc.compiler.errors import refusal
from snnc.frontends.onnx.limits import NODES

Key: TypeAlias = tuple[str, str, str]
"""Domain, name, and which of several of that name."""
WITHOUT = "export it without functions, or with smaller ones"


def without_functions(proto: onnx.ModelProto, where: str) -> onnx.ModelProto:
    """The model with every call of a function replaced by what the function does.

    Raises:
        SnncError: if a function calls itself, if there would be too many nodes, or if ONNX cannot
            do it.
    """
    if not proto.functions:
        return proto
    bodies: dict[Key, Iterable[onnx.NodeProto]] = {}
    for each in proto.functions:
        key = (each.domain, each.name, each.overload)
        if key in bodies:
            what = f"has the function {_text(key)} twice; allowed: once"
            raise refusal(where, what, WITHOUT)
        bodies[key] = each.node
    sizes: dict[Key, int] = {}
    for key in bodies:
        _measure(key, bodies, sizes, where)
    count = sum(sizes.get(_called(n), 1) for n in _all_nodes(proto.graph.node))
    if count > NODES:
        what = f"has {count} nodes once its functions are written out; allowed: {NODES}"
        raise refusal(where, what, WITHOUT)
    try:
        return inliner.inline_local_functions(proto)
    except Exception as error:  # what ONNX raises here is of no one class
        reason = f"{error}".strip().splitlines() or [type(error).__name__]
        what = f"has functions that cannot be written out: {reason[0]}"
        raise refusal(where, what, WITHOUT) from None


def _measure(
    start: Key,
    bodies: Mapping[Key, Iterable[onnx.NodeProto]],
    sizes: dict[Key, int],
    where: str,
) -> None:
    """How many nodes a function becomes, and all that it calls; a stack, for they may be deep."""
    stack, open_keys = [start], set[Key]()
    while stack:
        key = stack[-1]
        if key in sizes:
            stack.pop()
            continue
        calls = [_called(node) for node in _all_nodes(bodies[key])]
        missing = [each for each in calls if each in bodies and each not in sizes]
        if any(each in open_keys or each == key for each in missing):
            what = f"has a function {_text(key)} that calls itself"
            raise refusal(where, what, WITHOUT)
        if missing:
            open_keys.add(key)
            stack.extend({*missing})
        else:
            sizes[key] = min(sum(sizes.get(each, 1) for each in calls), NODES + 1)
            open_keys.discard(key)


def _called(node: onnx.NodeProto) -> Key:
    return node.domain, node.op_type, node.overload


def _text(key: Key) -> str:
    return ".".join(filter(None, key))


def _all_nodes(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """The nodes, and those of the graphs in their attributes."""
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from _all_nodes(graph.node)
