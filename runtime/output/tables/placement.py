"""A network on cores."""

from __future__ import annotations

from collections.abc import Sequence

from snnc.compiler.operators import times
from snnc.runtime.output.numbers import percent
from snnc.runtime.output.tables.table import Column, Table, table_of
from snnc.runtime.studies.placement import PlacedLayer, PlacementReport


def _fill(*resources: str) -> Column[PlacedLayer]:
    """The fill of the one that a core has."""

    def cell(row: PlacedLayer) -> str:
        return percent(next((row.fill[each] for each in resources if each in row.fill), None))

    return Column(resources[0], cell, 2)


PLACED_COLUMNS: Sequence[Column[PlacedLayer]] = (
    Column("layer", lambda row: row.name, is_text=True),
    Column("shape", lambda row: times(row.shape)),
    Column("copies", lambda row: str(row.copies) if row.copies > 1 else "-", 3),
    Column("bits", lambda row: str(row.weight_bits), 3),
    Column("cores", lambda row: f"{row.cores:,}"),
    Column("cut into", lambda row: times(row.pieces)),
    _fill("neurons", "neuron words"),
    _fill("synaptic words"),
    _fill("input axons"),
    _fill("output axons"),
    Column("messages a spike", lambda row: f"{row.messages:.2f}", typed="messages"),
    Column("hops a message", lambda row: f"{row.hops:.2f}", 3, typed="hops"),
)


def placement_table(report: PlacementReport) -> Table:
    """A row for each layer; a cut is into pieces of channels, rows and columns."""
    title = f"{report.target}: how full the fullest core of each layer is"
    return table_of(title, PLACED_COLUMNS, report.layers)
