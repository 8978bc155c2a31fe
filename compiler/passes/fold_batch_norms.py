"""Batch norms become affine maps: a neuron has no running mean."""

from __future__ import annotations

from dataclasses import replace

from snnc.compiler.network import Network, Node
from snnc.compiler.operators import BatchNorm


def fold_batch_norms(network: Network) -> Network:
    """Write every batch norm as scale · x + offset, to be composed with what comes before it."""
    if not any(isinstance(node.operator, BatchNorm) for node in network):
        return network
    return network.replaced(tuple(map(_fold, network)))


def _fold(node: Node) -> Node:
    if isinstance(node.operator, BatchNorm):
        return replace(node, operator=node.operator.as_affine(len(node.shape)))
    return node
