"""The law of a population in a file: the group `neuron`, written and read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import h5py
import numpy as np
import numpy.typing as npt

from snnc.backends.netx import schema
from snnc.backends.netx.arrays import (
    fault,
    read_floats,
    read_integer,
    read_integers,
    read_within,
    read_word,
    write_array,
)
from snnc.backends.netx.copies import stock_thresholds, thresholds_by_copy
from snnc.compiler.neurons import (
    BitSerial,
    Graded,
    Neuron,
    OffsetSpike,
    Rate,
    Readout,
    Thermometer,
    bits_for,
)
from snnc.compiler.target import STOCK

NEVER = STOCK.threshold_max
"""A threshold that no legal sum exceeds."""
TYPES: Mapping[type[Neuron], str] = MappingProxyType(
    {
        BitSerial: schema.BIT_SERIAL,
        Graded: schema.GRADED,
        Rate: schema.RATE,
        OffsetSpike: schema.OFFSET_SPIKE,
        Thermometer: schema.THERMOMETER,
        Readout: schema.READOUT,
    }
)
"""How each law is called in a file."""


def write_neuron(group: h5py.Group, neuron: Neuron, *, stock: bool) -> None:
    """Write the law of a population; stock where Lava's own neuron obeys it."""
    forgets = stock or isinstance(neuron, Thermometer)
    decay = schema.FORGETS if forgets else schema.KEEPS
    group[schema.CURRENT_DECAY] = group[schema.POTENTIAL_DECAY] = schema.COUNT_TYPE(decay)
    group[schema.TYPE] = np.bytes_(schema.STOCK if stock else TYPES[type(neuron)])
    for key, values in _arrays(neuron, stock=stock):
        write_array(group, key, values)
    for key, number in _numbers(neuron):
        group[key] = schema.COUNT_TYPE(number)


def _arrays(neuron: Neuron, *, stock: bool) -> Iterator[tuple[str, npt.NDArray[np.generic]]]:
    if isinstance(neuron, Readout):
        if stock:
            yield schema.STEP, np.full(1, NEVER, schema.STATE_TYPE)
        yield schema.UNIT, neuron.unit
    elif isinstance(neuron, Thermometer):
        yield schema.STEP, stock_thresholds(neuron.thresholds).astype(schema.STATE_TYPE)
    else:
        yield schema.STEP, neuron.step.astype(schema.STATE_TYPE)
    if isinstance(neuron, Rate | OffsetSpike):
        yield schema.INITIAL, neuron.initial.astype(schema.STATE_TYPE)


def _numbers(neuron: Neuron) -> Iterator[tuple[str, int]]:
    if isinstance(neuron, BitSerial | Graded):
        yield schema.LEVELS, neuron.levels
    if isinstance(neuron, BitSerial):
        yield schema.TIME_STEPS, neuron.time_steps
    elif isinstance(neuron, Graded):
        yield from ((schema.REPEATS, neuron.repeats), (schema.DELAY, neuron.delay))
    elif isinstance(neuron, Thermometer):
        yield schema.COPIES, neuron.levels
    elif isinstance(neuron, Readout):
        yield schema.LISTENS, neuron.listens
    else:
        yield schema.TIME_STEPS, neuron.steps
    if isinstance(neuron, OffsetSpike):
        yield schema.RHO, neuron.rho
        yield schema.ITERATIONS, neuron.iterations
        yield schema.LIGHT, int(neuron.light)


def read_neuron(group: h5py.Group, shape: tuple[int, ...], copies: int) -> Neuron:
    """The law of a population.

    Args:
        group: of the neuron.
        shape: of the population.
        copies: stock neurons for each of its neurons.

    Raises:
        SnncError: where it is unsound.
    """
    kind = read_word(group, schema.TYPE, schema.STOCK, *TYPES.values())
    if kind == schema.STOCK:
        kind = schema.READOUT if schema.UNIT in group else schema.THERMOMETER
        forgets = True
    else:
        forgets = kind == schema.THERMOMETER
    for key in (schema.CURRENT_DECAY, schema.POTENTIAL_DECAY):
        allowed = schema.FORGETS if forgets else schema.KEEPS
        if (found := read_integer(group, key)) != allowed:
            raise fault(group, f"the neuron decays by {found}; allowed: {allowed}", key)
    return READERS[kind](group, shape, copies)


def _bit_serial(group: h5py.Group, shape: tuple[int, ...], copies: int) -> BitSerial:
    levels, time_steps = (read_integer(group, key) for key in (schema.LEVELS, schema.TIME_STEPS))
    lead = time_steps - bits_for(levels)
    if not 0 <= lead <= schema.MAX_LEAD:
        least = bits_for(levels)
        what = f"{time_steps} for {levels} levels; allowed: {least}..{least + schema.MAX_LEAD}"
        raise fault(group, what, schema.TIME_STEPS)
    return BitSerial(read_integers(group, schema.STEP, shape[:1]), levels, lead)


def _graded(group: h5py.Group, shape: tuple[int, ...], copies: int) -> Graded:
    step, levels = read_integers(group, schema.STEP, shape[:1]), read_integer(group, schema.LEVELS)
    repeats, delay = (read_within(group, key, 0) for key in (schema.REPEATS, schema.DELAY))
    return Graded(step, levels, repeats, delay)


def _rate(group: h5py.Group, shape: tuple[int, ...], copies: int) -> Rate:
    step, initial = (read_integers(group, k, shape[:1]) for k in (schema.STEP, schema.INITIAL))
    return Rate(step, initial, read_within(group, schema.TIME_STEPS, 1))


def _offset_spike(group: h5py.Group, shape: tuple[int, ...], copies: int) -> OffsetSpike:
    step, initial = (read_integers(group, k, shape[:1]) for k in (schema.STEP, schema.INITIAL))
    steps, rho, iterations = (
        read_within(group, key, 1) for key in (schema.TIME_STEPS, schema.RHO, schema.ITERATIONS)
    )
    light = read_within(group, schema.LIGHT, 0, 1)
    return OffsetSpike(step, initial, steps, rho, iterations, bool(light))


def _thermometer(group: h5py.Group, shape: tuple[int, ...], copies: int) -> Thermometer:
    channels = shape[0] * copies
    allowed = [(channels,), (*shape[:0:-1], channels)] if len(shape) > 1 else [(channels,)]
    return Thermometer(thresholds_by_copy(read_integers(group, schema.STEP, *allowed), copies))


def _readout(group: h5py.Group, shape: tuple[int, ...], copies: int) -> Readout:
    if schema.STEP in group and np.any(read_integers(group, schema.STEP, (1,)) < NEVER):
        raise fault(group, f"the read-out fires; allowed: {NEVER}", schema.STEP)
    unit = read_floats(group, schema.UNIT, shape[:1])
    return Readout(unit, read_within(group, schema.LISTENS, 0))


READERS: Mapping[str, Callable[[h5py.Group, tuple[int, ...], int], Neuron]] = MappingProxyType(
    {
        schema.BIT_SERIAL: _bit_serial,
        schema.GRADED: _graded,
        schema.RATE: _rate,
        schema.OFFSET_SPIKE: _offset_spike,
        schema.THERMOMETER: _thermometer,
        schema.READOUT: _readout,
    }
)
