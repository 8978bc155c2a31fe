"""The golden model: the integer network as an ONNX graph, of levels wherever these say it all.

A population is z = Σ_k 2^e_k Σ w·n_k + B, then n = clip(⌊z/Δ⌋, 0, N), computed in float32 and still
exact, because a float32 holds every whole number up to 2^24:

- Every product and every partial sum of z, in whatever order an engine adds, lies within the
  bounds that the rules of legality prove (compiler/rules/numbers.py): |…| ≤ 2^23.
- The quotient z/Δ is rounded, yet it never reaches a whole number k in 1 … N from below. With
  z ≤ kΔ − 1 it is at most k·(1 − 1/(kΔ)), and kΔ ≤ (N + 1)·Δ ≤ 2^23; the distance 2^-23 relative to
  k is four half-spacings of float32. Rounding is monotone, so from above k stays reached. Beyond
  1 … N the clip decides alike.

Rate neurons have no such formula: their trains are computed step by step (trains.py). Then |v| and
what arrives are each at most 2^23 before v saturates, and so their sum is held exactly too.

Most convolutions are computed in bytes instead, about three times as fast, alone or as a part of a
sum of several projections: byte_convolution.py. What a relay passes on takes no operator at all.
"""

from __future__ import annotations

import onnx

from snnc.backends.onnx.golden.laws import LAWS
from snnc.backends.onnx.golden.sums import GoldenGraph
from snnc.compiler.spiking import SpikingNetwork

EXACT_BITS = 24
"""Signed width of the widest state that float32 carries without loss."""


def golden_model(network: SpikingNetwork, *, every_population: bool) -> onnx.ModelProto:
    """Build the graph of a legal network.

    Input, by its name: level numbers (images, *shape). Outputs, by their names: what every firing
    population sends, in order, if asked for, and last the read-out's potential v. Numbers are
    (images, *shape), trains of spikes (time steps, images, *shape); all are whole, as uint8 or
    float32: the graph says which.
    """
    assert network.target.state_bits <= EXACT_BITS
    graph = GoldenGraph(network)
    for population in network:
        LAWS[type(population.neuron)](graph, population)
    shown = network.populations if every_population else (network.readout,)
    return graph.proto("golden", [graph.value(network.input)], [graph.value(e) for e in shown])
