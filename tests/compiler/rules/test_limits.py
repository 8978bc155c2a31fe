"""The proof of no overflow is exact: what int64 computes is what Python's whole numbers give."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from support.spiking_networks import as_current, behind_a_relay, chain, chain_of, stream

from snnc.compiler.errors import SnncError
from snnc.compiler.inputs import PlanesInput
from snnc.compiler.laws import (
    LAWS,
    BitSerial,
    Copies,
    Current,
    Delta,
    DeltaReadout,
    Graded,
    Neuron,
    OffsetSpike,
    Rate,
    Readout,
)
from snnc.compiler.limits import (
    COUNTED,
    EXPONENT,
    LEAD,
    LEVELS,
    MOST_NAME,
    MOST_REACH,
    STATE,
    STEPS,
    Range,
)
from snnc.compiler.rules.bounds import potential_bounds, reach, sum_bounds
from snnc.compiler.rules.legality import require_legal
from snnc.compiler.spiking import Dense, Population, Projection, Provenance, SpikingNetwork

ONE = np.array([1])
STATE_MAX = LEVELS.most


def refused(network: SpikingNetwork) -> str:
    with pytest.raises(SnncError) as caught:
        require_legal(network)
    return str(caught.value)


def with_fc(network: SpikingNetwork, **changes: Any) -> SpikingNetwork:
    fc, *others = network.populations
    return network.replaced((replace(fc, **changes), *others))


def ends(allowed: Range) -> st.SearchStrategy[int]:
    """Both ends as often as all numbers between."""
    ends = st.sampled_from([allowed.least, allowed.most])
    return st.one_of(ends, st.integers(allowed.least, allowed.most))


def named(name: str) -> SpikingNetwork:
    """The read-out has this name."""
    fc, out = chain().populations
    return chain().replaced((fc, replace(out, name=name)))


def waiting(delay: int) -> SpikingNetwork:
    """A current comes through a relay that waits."""
    network = behind_a_relay(Rate(700 * ONE, 350 * ONE, 5))
    relay, *others = network.populations
    return network.replaced((replace(relay, neuron=replace(relay.neuron, delay=delay)), *others))


WEIGHTS = st.sampled_from([-256, -255, -128, -1, 0, 1, 127, 254, 255])


@st.composite
def laws(draw: st.DrawFn) -> Neuron:
    """A law with any numbers that its own rules allow."""
    law = draw(st.sampled_from(LAWS))
    threshold = np.array([draw(ends(Range(1, STATE_MAX)))])
    steps = draw(ends(STEPS))
    if issubclass(law, Rate | OffsetSpike):
        counts = [draw(ends(STEPS)), draw(ends(STEPS)), draw(st.booleans())]
        more = counts if law is OffsetSpike else []
        return law(threshold, threshold - 1, steps, *more)
    if issubclass(law, Readout):
        return law(np.ones(1), 0 if law is DeltaReadout else draw(st.sampled_from([0, steps])))
    if law is Copies:
        return Copies(threshold[:, None])
    return law(threshold, draw(ends(LEVELS)), *([steps] if law is Current else []))


@st.composite
def populations(draw: st.DrawFn) -> tuple[Population, dict[str, Any]]:
    """One neuron with any numbers within their ranges, and its sources: currents or others."""
    neuron, nodes, projections = draw(laws()), {}, []
    for k in range(draw(st.integers(1, 3))):
        weights = np.array([draw(st.lists(WEIGHTS, min_size=1, max_size=5))])
        levels = draw(ends(LEVELS))
        source = replace(stream().input, name=f"x{k}", shape=weights.shape[1:], levels=levels)
        if "spikes" in neuron.accepts:
            source = as_current(source, STEPS.most)
        nodes[source.name] = source
        projections.append(Projection(source.name, Dense(weights), draw(ends(EXPONENT))))
    bias = np.array([draw(ends(STATE))])
    return Population("fc", (1,), tuple(projections), bias, neuron), nodes


def exact_sums(population: Population, nodes: dict[str, Any], steps: int) -> tuple[int, int]:
    """The least and the greatest sum, in Python's whole numbers."""
    low = high = 0
    for each in population.projections:
        scale = steps * nodes[each.source].levels << each.exponent
        terms = [int(w) * scale for w in each.connection.weights.ravel()]
        low += sum(t for t in terms if t < 0)
        high += sum(t for t in terms if t > 0)
    return low, high


def exact_potential(neuron: Neuron, bias: int, low: int, high: int, steady: bool) -> Any:
    """The bounds of v, as the laws' docstrings give them, in Python's whole numbers."""
    if not isinstance(neuron, Rate | OffsetSpike):
        return low + bias, high + bias
    steps = neuron.time_steps if isinstance(neuron, Rate) else max(neuron.time_steps, neuron.rho)
    total = bias if steady else bias * steps
    initial, threshold = int(neuron.initial[0]), int(neuron.threshold[0])
    low, high = low + min(total, 0), high + max(total, 0)
    if steady or isinstance(neuron, Rate):
        return low, high + initial
    rounds = neuron.iterations
    if neuron.light:
        return (rounds + 1) * low, (rounds + 1) * high + initial
    highest = max(initial, steps * threshold - low) + rounds * threshold
    return low - high - rounds * threshold, highest + high


@given(drawn=populations(), steady=st.booleans())
@settings(max_examples=400, deadline=None)
def test_bounds_in_int64_are_those_of_whole_numbers(drawn: Any, steady: bool) -> None:
    population, nodes = drawn
    neuron, bias = population.neuron, int(population.bias[0])
    trains = neuron.integrates and not steady
    if trains:  # the sources of the sums are trains of spikes, and their levels one each step
        source = chain_of(Rate(ONE, 0 * ONE, STEPS.most)).populations[0]
        nodes = {name: replace(source, name=name, shape=n.shape) for name, n in nodes.items()}
    assume(reach(population, nodes) <= MOST_REACH)
    steps = 1 if neuron.integrates and steady else neuron.summed_steps
    known = {k: as_current(stream().input, 1) if trains else n for k, n in nodes.items()}
    known = {k: replace(n, levels=1) if trains else n for k, n in known.items()}
    counted = steps if "spikes" in neuron.accepts else 1
    low, high = exact_sums(population, known, counted)
    sums = sum_bounds(population, nodes)
    assert (sums.low.tolist(), sums.high.tolist()) == ([low], [high])
    assert high - low == reach(population, nodes)
    current = neuron.current(sums)
    if "changes" in neuron.accepts:
        assert (current.low.tolist(), current.high.tolist()) == ([low - high], [high - low])
    found = potential_bounds(population, nodes)
    least, most = exact_potential(neuron, bias, low, high, neuron.integrates and steady)
    assert (found.low.tolist(), found.high.tolist()) == ([least], [most])
    assert max(abs(least), abs(most)) < 1 << 60


@given(drawn=populations())
@settings(max_examples=100, deadline=None)
def test_what_is_legal_is_legal_in_whole_numbers(drawn: Any) -> None:
    """Whatever passes the rules of one neuron has its true bounds within the state."""
    population, nodes = drawn
    network = replace(chain(), input=nodes["x0"])
    population = replace(population, projections=population.projections[:1])
    one, unit = (Projection("fc", Dense(np.array([[1]]))),), Readout(np.ones(1))
    network = network.replaced((population, Population("out", (1,), one, 0 * ONE, unit)))
    try:
        require_legal(network)
    except SnncError:
        return
    steps = 1 if population.neuron.integrates else population.neuron.summed_steps
    low, high = exact_sums(population, nodes, steps)
    bias = int(population.bias[0])
    least, most = exact_potential(population.neuron, bias, low, high, True)
    assert -STATE_MAX - 1 <= least <= most <= STATE_MAX


@given(bias=ends(Range(-(1 << 63), (1 << 63) - 1)))
@example(bias=-(1 << 63))
@example(bias=(1 << 63) - 1)
@settings(deadline=None)
def test_no_bias_passes_the_proof_by_wrapping(bias: int) -> None:
    """A bias of ±2^63 wrapped inside the sum, and was taken for a small one."""
    for network in (chain(), chain_of(Copies(np.array([[9]]))), chain_of(Rate(9 * ONE, ONE, 5))):
        if abs(bias) > 1 << 24:
            assert "bias" in refused(with_fc(network, bias=np.array([bias])))


LONG = "time steps; allowed: 1..4096"
OUTSIDE = {
    "bias": (
        with_fc(chain(), bias=np.array([STATE.most + 1])),
        f"fc: bias spans {1 << 31}; allowed: {STATE}",
    ),
    "sum": (
        with_fc(chain(), projections=(Projection("x", Dense(np.full((1, 2), 255)), 7),)),
        "fc: its sum without the bias spans 0..16646400; allowed: -8388608..8388607",
    ),
    "reach": (
        replace(
            with_fc(chain(), projections=(Projection("x", Dense(np.full((1, 6), 255)), 7),)),
            input=replace(chain().input, shape=(6,), levels=LEVELS.most),
        ),
        f"fc: its sum reaches {6 * 255 * LEVELS.most << 7}; allowed: -8388608..8388607",
    ),
    "lead": (
        chain_of(BitSerial(5 * ONE, 7, lead=LEAD.most + 1)),
        "fc: 65 silent fire steps; allowed: 0..64",
    ),
    "delay": (
        waiting(COUNTED.most + 1),
        f"x.relay1: {COUNTED.most + 1} time steps of delay; allowed: 0..4096",
    ),
    "steps": (
        chain_of(Rate(9 * ONE, ONE, 4097)),
        "fc, out: time steps (4097,); allowed: each 1..4096",
    ),
    "turn": (
        chain_of(OffsetSpike(9 * ONE, ONE, 64, rho=64, iterations=64)),
        f"x, fc: its turn takes 4160 {LONG}",
    ),
    "planes": (
        replace(chain(), input=PlanesInput("x", (2,), 1, 0.0, 1.0, planes=3)),
        "x: 3 planes of 1 levels in 2 channels; "
        "allowed: 1..16 that divide the channels, of 1 level",
    ),
    "name": (
        named("n" * (MOST_NAME + 1)),
        f"{'n' * 32}…: the name has 4097 bytes; allowed: up to 4096",
    ),
    "text": (
        replace(chain(), provenance=Provenance(labels=("a\0",))),
        "labels: a text is not UTF-8, or holds a NUL; allowed: other texts",
    ),
    "texts": (
        replace(chain(), provenance=Provenance(labels=("a" * (1 << 20),) * 17)),
        f"labels: {17 << 20} bytes; allowed: up to {1 << 24}",
    ),
    "step of the input": (
        replace(chain(), input=replace(chain().input, step=1e-320)),
        "x: range from 0 in steps of 9.99989e-321; allowed: finite, upwards",
    ),
    "unit": (
        chain().replaced(
            (
                chain().populations[0],
                replace(chain().populations[1], neuron=Readout(np.array([1e-320]))),
            )
        ),
        "out: a unit is not finite and above 0",
    ),
    "error": (
        with_fc(chain(), projections=(Projection("x", Dense(np.ones((1, 2), int)), 0, np.nan),)),
        "fc: rounding of x changed nan of its sums; allowed: 0 or more",
    ),
    "means": (
        replace(chain(), input=replace(chain().input, mean=(1.0,) * 4097)),
        "x: mean of 4097 channels; allowed: up to 4096",
    ),
}


@pytest.mark.parametrize(("network", "expected"), OUTSIDE.values(), ids=OUTSIDE)
def test_outside_its_range(network: SpikingNetwork, expected: str) -> None:
    found = refused(network)
    assert f"{expected}\n  help: " in found
    assert found.count("its sum reaches") * found.count("\n  help: ") in (0, 1)


def test_the_ends_of_ranges_are_legal() -> None:
    require_legal(with_fc(chain(step=1), neuron=BitSerial(ONE, LEVELS.most, lead=LEAD.most)))
    require_legal(chain_of(Rate(1000 * ONE, ONE, STEPS.most)))
    require_legal(named("n" * MOST_NAME))
    for law in (Graded, Delta):
        network = stream() if law is Delta else chain()
        require_legal(with_fc(network, neuron=law(ONE, LEVELS.most - 1)))
