"""What simulates the neurons of each law, and what they send: one row a law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from snnc.compiler.laws import (
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
from snnc.runtime.engines.lava.accumulate import (
    BitSerialNeurons,
    CopiesOfNeurons,
    GradedNeurons,
    ReadoutNeurons,
)
from snnc.runtime.engines.lava.delta import DeltaNeurons, DeltaReadoutNeurons
from snnc.runtime.engines.lava.integrate import OffsetSpikeNeurons, RateNeurons
from snnc.runtime.engines.lava.membrane import Membrane


@dataclass(frozen=True)
class LawRow:
    """How Lava runs one law."""

    simulates: type[Membrane]
    sends: Literal["spikes", "payloads", "potentials"]
    """Which Process holds them: ports of Lava have types."""


LAWS: Mapping[type[Neuron], LawRow] = MappingProxyType(
    {
        BitSerial: LawRow(BitSerialNeurons, "spikes"),
        Graded: LawRow(GradedNeurons, "payloads"),
        Current: LawRow(GradedNeurons, "payloads"),
        Rate: LawRow(RateNeurons, "spikes"),
        OffsetSpike: LawRow(OffsetSpikeNeurons, "spikes"),
        Copies: LawRow(CopiesOfNeurons, "spikes"),
        Delta: LawRow(DeltaNeurons, "payloads"),
        DeltaReadout: LawRow(DeltaReadoutNeurons, "potentials"),
        Readout: LawRow(ReadoutNeurons, "potentials"),
    }
)
