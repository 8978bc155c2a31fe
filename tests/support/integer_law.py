"""What a spiking network computes, in int64 and plain NumPy: the oracle of the tests."""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

import numpy as np

from snnc.compiler.inputs import ChangesInput
from snnc.compiler.laws import (
    BitSerial,
    Copies,
    Current,
    Delta,
    DeltaReadout,
    Graded,
    Integers,
    OffsetSpike,
    Rate,
    Readout,
)
from snnc.compiler.laws.base import per_neuron
from snnc.compiler.spiking import Convolution, Population, Projection, SpikingNetwork

Sent: TypeAlias = dict[str, Integers]


def evaluate(network: SpikingNetwork, pixels: Integers) -> Sent:
    """What every node sends: n (images, *shape), a train (time steps, images, *shape), or v.

    n = clip(⌊(Σ w·n + B)/Δ⌋, 0, N), or the copies with Σ w·n + B > θ_j; v = Σ w·n + B for the
    read-out. A rate neuron receives a train step by step, and anything else as a constant current.
    Of changes, sums are kept from image to image, and numbers sent less those of the image before.
    """
    kept = isinstance(network.input, ChangesInput)
    sent = {network.input.name: changes(pixels) if kept else pixels}
    trains = {each.name for each in network if isinstance(each.neuron, Rate | OffsetSpike)}
    for population in network:
        neuron = population.neuron
        if isinstance(neuron, Rate | OffsetSpike):
            steps = range(
                neuron.time_steps
                if isinstance(neuron, Rate)
                else max(neuron.time_steps, neuron.rho)
            )
            bias = per_neuron(population.bias, population.shape)
            currents = [bias + arriving(population, sent, trains, t) for t in steps]
            answer = train_of(neuron, np.array(currents), population.shape)
        else:
            counted = neuron.time_steps if isinstance(neuron, Readout) else 0
            sums = sum(arriving(population, sent, trains, t) for t in range(counted or 1))
            if isinstance(neuron, Delta | DeltaReadout):
                sums = np.cumsum(sums, axis=0)
            answer = per_neuron(population.bias, population.shape) + sums
            if isinstance(neuron, BitSerial | Graded | Current):
                step = per_neuron(neuron.step, population.shape)
                answer = np.clip(answer // step, 0, neuron.levels)
            elif isinstance(neuron, Copies):
                copies = (per_neuron(each, population.shape) for each in neuron.thresholds)
                answer = np.sum([answer > each for each in copies], axis=0)
            elif isinstance(neuron, Delta):
                step = per_neuron(neuron.step, population.shape)
                answer = changes(np.clip(answer // step, 0, neuron.levels))
            else:
                assert isinstance(neuron, Readout)
        sent[population.name] = answer
    return sent


def changes(numbers: Integers) -> Integers:
    """From each frame to the next; before the first frame every number is 0."""
    return np.diff(numbers, axis=0, prepend=0 * numbers[:1])


def arriving(population: Population, sent: Sent, trains: set[str], t: int) -> Integers:
    """Σ w·s of what the sources send in time step t of their trains."""
    return sum(
        deliver(
            each, sent[each.source][t] if each.source in trains else sent[each.source], population
        )
        for each in population.projections
    )


def train_of(neuron: Rate | OffsetSpike, currents: Integers, shape: tuple[int, ...]) -> Integers:
    """The spikes of integrate-and-fire neurons for currents (time steps, images, *shape)."""
    threshold, initial = (
        np.broadcast_to(per_neuron(each, shape), currents.shape[1:])
        for each in (neuron.threshold, neuron.initial)
    )
    start = initial
    if isinstance(neuron, OffsetSpike):
        heard = currents[: neuron.rho]
        for _ in range(neuron.iterations):
            start = calibrate(heard, start, initial, threshold, light=neuron.light)
    return integrate(currents, start, threshold)[0]


def integrate(
    currents: Integers, start: Integers, threshold: Integers
) -> tuple[Integers, Integers]:
    """Spikes, and the residual potential."""
    v, spikes = start, []
    for current in currents:
        v = v + current
        spikes.append(v >= threshold)
        v = v - threshold * spikes[-1]
    return np.array(spikes, np.int64), v


def calibrate(
    currents: Integers,
    start: Integers,
    initial: Integers,
    threshold: Integers,
    *,
    light: bool = False,
) -> Integers:
    """The initial potentials after one calibration, neuron by neuron."""
    moved = np.empty(start.shape, np.int64)
    for place in np.ndindex(start.shape):
        numbers = (each[place].item() for each in (start, initial, threshold))
        heard = currents[(slice(None), *place)].tolist()
        moved[place] = calibrated(heard, *numbers, light=light)
    return moved


def calibrated(
    currents: list[int], start: int, initial: int, threshold: int, *, light: bool = False
) -> int:
    """Theorems 1 and 2 of Hao et al., ICLR 2023, the residual counted from the first start."""
    v, fired, silent = start, [], []
    for current in currents:
        v += current
        if v >= threshold:
            v -= threshold
            fired.append(v)
        else:
            silent.append(v)
    residual = v - start + initial
    if residual < 0 and fired:
        return v if light else start - max(threshold, min(fired) + 1)
    if residual >= threshold and silent:
        return v if light else start + max(threshold, threshold - max(silent))
    return start


def deliver(projection: Projection, levels: Integers, population: Population) -> Integers:
    connection = projection.connection
    if isinstance(connection, Convolution):
        return convolve(connection, levels) << projection.exponent
    total = levels.reshape(len(levels), -1) @ connection.weights.T << projection.exponent
    return total.reshape(-1, *population.shape)


def convolve(convolution: Convolution, levels: Integers) -> Integers:
    top, left, bottom, right = convolution.pads
    padded = np.pad(levels, ((0, 0), (0, 0), (top, bottom), (left, right)))
    weights, dilations = convolution.weights, convolution.dilations
    span = [(size - 1) * gap + 1 for size, gap in zip(weights.shape[2:], dilations, strict=True)]
    windows = np.lib.stride_tricks.sliding_window_view(padded, span, axis=(2, 3))
    steps = (slice(None, None, step) for step in (*convolution.strides, *dilations))
    windows = windows[(slice(None), slice(None), *steps)]
    inputs = np.split(windows, convolution.groups, axis=1)
    kernels = np.split(weights, convolution.groups)
    maps = map(partial(np.einsum, "bihwyx,oiyx->bohw"), inputs, kernels)
    return np.concatenate(list(maps), axis=1)
