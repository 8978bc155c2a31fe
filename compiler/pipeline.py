"""The order of the passes, and the one function that runs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

import numpy as np

from snnc.compiler.codes import Coding, problems_of
from snnc.compiler.errors import Problem, SnncError
from snnc.compiler.legality import verify
from snnc.compiler.network import Network
from snnc.compiler.operators import Staircase
from snnc.compiler.passes.coarsen_staircases import coarsen_staircases
from snnc.compiler.passes.compose_chains import compose_chains
from snnc.compiler.passes.drop_repeats import drop_repeats
from snnc.compiler.passes.encode_input import Encoding, encode_input
from snnc.compiler.passes.fold_batch_norms import fold_batch_norms
from snnc.compiler.passes.lower_max_pools import lower_max_pools
from snnc.compiler.passes.quantize_weights import quantize_weights
from snnc.compiler.passes.recognize_staircases import recognize_staircases
from snnc.compiler.passes.schedule_populations import schedule_populations
from snnc.compiler.passes.sink_reshapes import sink_reshapes
from snnc.compiler.passes.spike_at_once import spike_at_once
from snnc.compiler.passes.sum_average_pools import AveragePools, sum_average_pools
from snnc.compiler.quantization.feedback import Statistics
from snnc.compiler.quantization.layer import Precision
from snnc.compiler.spiking import Schedule, SpikingNetwork, planar
from snnc.compiler.target import LOIHI, STOCK, Target
from snnc.compiler.verify import (
    COMPOSED,
    FOLDED,
    MODEL,
    POOLED,
    RECOGNIZED,
    Rule,
    verify_network,
)

Pass: TypeAlias = Callable[[Network], Network]
Watcher: TypeAlias = Callable[[str, Network | SpikingNetwork], None]


@dataclass(frozen=True)
class Options:
    """What a user may choose about a compilation."""

    target: Target = LOIHI
    encoding: Encoding = field(default_factory=Encoding)
    coding: Coding = field(default_factory=Coding)
    weight_bits: int = 8
    schedule: Schedule = "pipelined"
    average_pool: AveragePools = "auto"


@dataclass(frozen=True, eq=False)
class Insight:
    """What calibration data teach, as functions of the network at the stage they are about."""

    calibrate: Callable[[Network], Network] = lambda network: network
    """Gives plain activations levels, in a network without batch norms."""
    hear: Callable[[Network], Mapping[str, Statistics]] = lambda network: {}
    """Statistics of what each projection of a composed network hears."""


NO_DATA = Insight()


def float_passes(
    options: Options, insight: Insight = NO_DATA
) -> Mapping[Pass, tuple[str, tuple[Rule, ...]]]:
    """The passes on floats in their order, each with its name and the rules that hold after it."""
    encode = partial(encode_input, encoding=options.encoding)
    sent = 1 if options.encoding.at_once else options.encoding.levels
    coding = options.coding
    steps = coding.time_steps if coding.code == "bit-serial" else None
    coarsen = partial(coarsen_staircases, time_steps=steps)
    lower_pools = partial(lower_max_pools, input_levels=sent)
    drop = partial(drop_repeats, input_levels=sent)
    sum_pools = partial(
        sum_average_pools,
        # a sum has more levels than a train of spikes can tell apart
        choice="compose" if coding.counts_spikes else options.average_pool,
        schedule=options.schedule,
        input_levels=sent,
    )
    return {
        # first: the algebra of staircases knows affine maps alone
        fold_batch_norms: ("fold_batch_norms", FOLDED),
        # with calibration data alone: before anything asks where the levels are
        insight.calibrate: ("calibrate_activations", FOLDED),
        # so that a chain of parts is one chain, wherever it is flattened
        sink_reshapes: ("sink_reshapes", FOLDED),
        # before any chain is composed: what is left between staircases is linear
        recognize_staircases: ("recognize_staircases", RECOGNIZED),
        # normalisation becomes one more affine map for the first chain
        encode: ("encode_input", RECOGNIZED),
        # while levels are still free of weights
        coarsen: ("coarsen_staircases", RECOGNIZED),
        # once levels are final: a max pool of levels is exact, and linear but for its relus
        lower_pools: ("lower_max_pools", POOLED),
        # what is quantised again on its own grid, perhaps behind a pool
        drop: ("drop_repeats", POOLED),
        # before they are composed with what follows: those that cost less on their own
        sum_pools: ("sum_average_pools", POOLED),
        # last: the bias collects every offset, the half steps of the staircases included
        compose_chains: ("compose_chains", COMPOSED),
    }


def _unwatched(name: str, network: Network | SpikingNetwork) -> None:
    """Nobody looks on."""


def lower(
    network: Network, options: Options, watch: Watcher = _unwatched, insight: Insight = NO_DATA
) -> SpikingNetwork:
    """Run every pass, verifying after each; the result fits the target.

    `watch` is called with the name of each pass and what it left: dumps and timings are watchers.

    Raises:
        SnncError: with every problem that the first failing pass or rule finds.
    """
    _check(options)
    pixels = network.input
    verify_network(network, MODEL, "read")
    watch("read", network)
    for each, (name, rules) in float_passes(options, insight).items():
        network = each(network)
        verify_network(network, rules, name)
        watch(name, network)
    coding = options.coding.settled(_most_levels(network))
    limits = STOCK if coding.code == "one-spike" else options.target
    precision = Precision(limits, options.weight_bits)
    source = options.encoding.of(pixels.name, planar(pixels.shape))
    if coding.counts_spikes:
        source = replace(source, repeats=coding.neuron(np.ones(1, np.int64)).time_steps)
    spiking = quantize_weights(network, source, precision, insight.hear(network), coding)
    provenance = replace(spiking.provenance, target=options.target.name, code=coding.code)
    spiking = replace(spiking, provenance=provenance)
    watch("quantize_weights", spiking)
    if coding.code == "one-spike":
        spiking = spike_at_once(spiking)
    watch("spike_at_once", spiking)
    spiking = schedule_populations(spiking, options.schedule)
    verify(spiking, options.target)
    watch("schedule_populations", spiking)
    return spiking


def _most_levels(network: Network) -> int:
    levels = [n.operator.levels for n in network if isinstance(n.operator, Staircase)]
    return max(levels, default=1)


PASSES: tuple[str, ...] = (
    "read",
    *(name for name, _ in float_passes(Options()).values()),
    "quantize_weights",
    "spike_at_once",
    "schedule_populations",
)
"""The names that `watch` sees, in their order."""


def _check(options: Options) -> None:
    coding = options.coding
    problems = [*problems_of(coding, options.target, options.encoding.code)]
    if coding.counts_spikes and options.average_pool == "sum":
        what = (
            f"'sum' with the code {coding.code!r}, in which a sum would be coarser than its parts"
        )
        problems.append(Problem("--average-pool", what, "leave it out"))
    most = options.target.weight_bits
    if not (2 <= options.weight_bits <= most or options.weight_bits == 2 * most):
        what = f"{options.weight_bits} bits; allowed: 2 to {most}, or {2 * most} as two synapses"
        problems.append(Problem("--weight-bits", what, f"use {options.target.weight_bits}"))
    if problems:
        raise SnncError(*problems)
