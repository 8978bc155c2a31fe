"""The laws that neurons obey, one class for each; docs/codes holds a page on every one of them."""

from typing import TypeAlias, get_args

from snnc.compiler.laws.base import Bounds, FiringLaw, Floats, Integers, Law, Train, bits_for
from snnc.compiler.laws.bit_serial import BitSerial
from snnc.compiler.laws.copies import Copies
from snnc.compiler.laws.current import Current
from snnc.compiler.laws.delta import Delta, DeltaReadout
from snnc.compiler.laws.graded import Graded
from snnc.compiler.laws.offset_spike import OffsetSpike
from snnc.compiler.laws.rate import Rate
from snnc.compiler.laws.readout import Readout

Firing: TypeAlias = BitSerial | Graded | Current | Rate | OffsetSpike | Copies | Delta
Neuron: TypeAlias = Firing | Readout | DeltaReadout
LAWS: tuple[type[Neuron], ...] = get_args(Neuron)


def _answers(neuron: Neuron, firing: Firing) -> tuple[Law, FiringLaw]:
    """Let the type checker find what a law forgets."""
    return neuron, firing


__all__ = [
    "LAWS",
    "BitSerial",
    "Bounds",
    "Copies",
    "Current",
    "Delta",
    "DeltaReadout",
    "Firing",
    "FiringLaw",
    "Floats",
    "Graded",
    "Integers",
    "Law",
    "Neuron",
    "OffsetSpike",
    "Rate",
    "Readout",
    "Train",
    "bits_for",
]
