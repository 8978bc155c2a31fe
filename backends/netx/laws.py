"""The law of a population in a file, the group `neuron`: a row a law, which writes and reads it.

Thresholds stand under netx's key vThMant, whatever the law calls them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import h5py
import numpy as np
import numpy.typing as npt

from snnc.backends.netx import schema
from snnc.backends.netx.arrays import (
    fault,
    read_floats,
    read_integer,
    read_integers,
    read_word,
    write_array,
)
from snnc.backends.netx.copies import stock_thresholds, thresholds_by_copy
from snnc.compiler.laws import (
    BitSerial,
    Copies,
    Current,
    Delta,
    DeltaReadout,
    Graded,
    Integers,
    Neuron,
    OffsetSpike,
    Rate,
    Readout,
    bits_for,
)
from snnc.compiler.limits import COUNTED, LEAD, LEVELS, STATE, STEPS, SWITCH, TURN
from snnc.compiler.target import STOCK

Values: TypeAlias = Mapping[str, npt.NDArray[np.generic] | int]
"""Arrays and counts by their keys."""
Shape: TypeAlias = tuple[int, ...]

NEVER = STOCK.threshold_max
"""A threshold that no legal sum exceeds."""


@dataclass(frozen=True)
class LawRow:
    """How one law stands in a file."""

    type_name: str
    write: Callable[[Any], Values]
    """What a law holds, by the keys of the file."""
    read: Callable[[h5py.Group, Shape, int], Neuron]
    """The law of a population of this shape, each neuron of so many copies."""


def write_neuron(group: h5py.Group, neuron: Neuron, *, stock: bool) -> None:
    """Write the law of a population; stock where Lava's own neuron obeys it."""
    row = LAWS[type(neuron)]
    forgets = stock or neuron.circuit == "stock"
    decay = schema.FORGETS if forgets else schema.KEEPS
    group[schema.CURRENT_DECAY] = group[schema.POTENTIAL_DECAY] = schema.COUNT_TYPE(decay)
    group[schema.TYPE] = np.bytes_(schema.STOCK if stock else row.type_name)
    values = dict(row.write(neuron))
    if stock and schema.THRESHOLD not in values:
        values = {schema.THRESHOLD: np.full(1, NEVER, schema.STATE_TYPE), **values}
    for key, value in values.items():
        if isinstance(value, np.ndarray):
            write_array(group, key, value)
        else:
            group[key] = schema.COUNT_TYPE(value)


def read_neuron(group: h5py.Group, shape: Shape, copies: int) -> Neuron:
    """The law of a population.

    Args:
        group: of the neuron.
        shape: of the population.
        copies: stock neurons for each of its neurons.

    Raises:
        SnncError: where it is unsound.
    """
    kind = read_word(group, schema.TYPE, schema.STOCK, *BY_NAME)
    if kind == schema.STOCK:
        law: type[Neuron] = Readout if schema.UNIT in group else Copies
        allowed = schema.FORGETS
    else:
        law = BY_NAME[kind]
        allowed = schema.FORGETS if law is Copies else schema.KEEPS
    for key in (schema.CURRENT_DECAY, schema.POTENTIAL_DECAY):
        if (found := read_integer(group, key)) != allowed:
            raise fault(group, f"the neuron decays by {found}; allowed: {allowed}", key)
    return LAWS[law].read(group, shape, copies)


def _states(values: Integers) -> npt.NDArray[np.generic]:
    return values.astype(schema.STATE_TYPE)


def _write_bit_serial(law: BitSerial) -> Values:
    return {
        schema.THRESHOLD: _states(law.step),
        schema.LEVELS: law.levels,
        schema.TIME_STEPS: law.turn,
    }


def _read_bit_serial(group: h5py.Group, shape: Shape, copies: int) -> BitSerial:
    levels = read_integer(group, schema.LEVELS, LEVELS)
    turn = read_integer(group, schema.TIME_STEPS)
    lead = turn - bits_for(levels)
    if not LEAD.holds(lead):
        least = bits_for(levels)
        what = f"{turn} for {levels} levels; allowed: {least}..{least + LEAD.most}"
        raise fault(group, what, schema.TIME_STEPS)
    return BitSerial(read_integers(group, schema.THRESHOLD, STATE, shape[:1]), levels, lead)


def _write_graded(law: Graded | Delta) -> Values:
    return {schema.THRESHOLD: _states(law.step), schema.LEVELS: law.levels}


def _read_graded(group: h5py.Group, shape: Shape, copies: int) -> Graded:
    step = read_integers(group, schema.THRESHOLD, STATE, shape[:1])
    return Graded(step, read_integer(group, schema.LEVELS, LEVELS))


def _write_current(law: Current) -> Values:
    return {
        schema.THRESHOLD: _states(law.step),
        schema.LEVELS: law.levels,
        schema.TIME_STEPS: law.turn,
        schema.DELAY: law.delay,
    }


def _read_current(group: h5py.Group, shape: Shape, copies: int) -> Current:
    step = read_integers(group, schema.THRESHOLD, STATE, shape[:1])
    levels = read_integer(group, schema.LEVELS, LEVELS)
    turn = read_integer(group, schema.TIME_STEPS, TURN)
    return Current(step, levels, turn, read_integer(group, schema.DELAY, COUNTED))


def _write_rate(law: Rate | OffsetSpike) -> Values:
    return {
        schema.THRESHOLD: _states(law.threshold),
        schema.INITIAL: _states(law.initial),
        schema.TIME_STEPS: law.time_steps,
    }


def _read_potentials(group: h5py.Group, shape: Shape) -> tuple[Integers, Integers, int]:
    keys = schema.THRESHOLD, schema.INITIAL
    threshold, initial = (read_integers(group, key, STATE, shape[:1]) for key in keys)
    return threshold, initial, read_integer(group, schema.TIME_STEPS, STEPS)


def _read_rate(group: h5py.Group, shape: Shape, copies: int) -> Rate:
    return Rate(*_read_potentials(group, shape))


def _write_offset_spike(law: OffsetSpike) -> Values:
    calibration = {
        schema.RHO: law.rho,
        schema.ITERATIONS: law.iterations,
        schema.LIGHT: int(law.light),
    }
    return {**_write_rate(law), **calibration}


def _read_offset_spike(group: h5py.Group, shape: Shape, copies: int) -> OffsetSpike:
    rho, iterations = (read_integer(group, key, STEPS) for key in (schema.RHO, schema.ITERATIONS))
    light = read_integer(group, schema.LIGHT, SWITCH)
    return OffsetSpike(*_read_potentials(group, shape), rho, iterations, bool(light))


def _write_copies(law: Copies) -> Values:
    thresholds = _states(stock_thresholds(law.thresholds))
    return {schema.THRESHOLD: thresholds, schema.COPIES: law.copies}


def _read_copies(group: h5py.Group, shape: Shape, copies: int) -> Copies:
    channels = shape[0] * copies
    allowed = [(channels,), (*shape[:0:-1], channels)]
    return Copies(
        thresholds_by_copy(read_integers(group, schema.THRESHOLD, STATE, *allowed), copies)
    )


def _write_readout(law: Readout) -> Values:
    return {schema.UNIT: law.unit, schema.LISTENS: law.time_steps}


def _read_delta(group: h5py.Group, shape: Shape, copies: int) -> Delta:
    step = read_integers(group, schema.THRESHOLD, STATE, shape[:1])
    return Delta(step, read_integer(group, schema.LEVELS, LEVELS))


def _write_delta_readout(law: DeltaReadout) -> Values:
    return {schema.UNIT: law.unit}


def _read_delta_readout(group: h5py.Group, shape: Shape, copies: int) -> DeltaReadout:
    return DeltaReadout(read_floats(group, schema.UNIT, shape[:1]))


def _read_readout(group: h5py.Group, shape: Shape, copies: int) -> Readout:
    key = schema.THRESHOLD
    if key in group and np.any(read_integers(group, key, STATE, (1,)) < NEVER):
        raise fault(group, f"the read-out fires; allowed: {NEVER}", key)
    unit = read_floats(group, schema.UNIT, shape[:1])
    return Readout(unit, read_integer(group, schema.LISTENS, COUNTED))


LAWS: Mapping[type[Neuron], LawRow] = MappingProxyType(
    {
        BitSerial: LawRow("CUBA_ATF", _write_bit_serial, _read_bit_serial),
        Graded: LawRow("CUBA_ATF_GRADED", _write_graded, _read_graded),
        Current: LawRow("CUBA_CURRENT", _write_current, _read_current),
        Rate: LawRow("CUBA_SOFT", _write_rate, _read_rate),
        OffsetSpike: LawRow("CUBA_SOFT_OFFSET", _write_offset_spike, _read_offset_spike),
        Copies: LawRow("CUBA_COPIES", _write_copies, _read_copies),
        Delta: LawRow("CUBA_DELTA", _write_graded, _read_delta),
        DeltaReadout: LawRow("CUBA_DELTA_OUT", _write_delta_readout, _read_delta_readout),
        Readout: LawRow("CUBA_ATF_OUT", _write_readout, _read_readout),
    }
)
"""Stock netx refuses every name but CUBA, which stands where it runs a neuron as meant."""
BY_NAME: Mapping[str, type[Neuron]] = MappingProxyType(
    {row.type_name: law for law, row in LAWS.items()}
)
