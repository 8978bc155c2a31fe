"""The layers of a model, and of a compiled network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from snnc.compiler.laws import bits_for
from snnc.compiler.network import Network, Node
from snnc.compiler.operators import Staircase, times
from snnc.runtime.output.numbers import span
from snnc.runtime.output.tables.table import Column, Table, table_of
from snnc.runtime.studies.inspection import Inspection, LayerRow

LAYER_COLUMNS: Sequence[Column[LayerRow]] = (
    Column("layer", lambda row: row.name, is_text=True),
    Column("shape", lambda row: times(row.shape)),
    Column("from", lambda row: ", ".join(row.sources), 4, is_text=True),
    Column("synapses", lambda row: f"{row.synapses:,}"),
    Column("weights", lambda row: span(row.weights), 3),
    Column("bits", lambda row: str(row.weight_bits)),
    Column("error", lambda row: ", ".join(map(_weight_error, row.weight_errors)), 2),
    Column("step Δ", lambda row: span(row.step), 6, typed="step"),
    Column("threshold", lambda row: span(row.threshold), 3),
    Column("bias", lambda row: span(row.bias), 6),
    Column("worst sums", lambda row: span(row.sums), 5),
    Column("levels", lambda row: str(row.levels or "-")),
    Column("T", lambda row: str(row.time_steps)),
    Column("arrives", lambda row: str(row.arrives), 4),
    Column("fires", lambda row: str(row.fires), 2),
)


def _weight_error(error: float) -> str:
    return f"{100 * error:.2g} %" if error else "unchanged"


def layer_table(inspection: Inspection) -> Table:
    """The populations of a compiled network."""
    return table_of(str(inspection.network.input), LAYER_COLUMNS, inspection.rows)


NODE_COLUMNS: Sequence[Column[Node]] = (
    Column("layer", lambda node: node.name, is_text=True),
    Column("operator", lambda node: str(node.operator), 2, is_text=True),
    Column("shape", lambda node: times(node.shape)),
    Column("levels", lambda node: _of_staircase(node, str)),
    Column("T", lambda node: _of_staircase(node, lambda levels: str(bits_for(levels)))),
)


def _of_staircase(node: Node, text: Callable[[int], str]) -> str:
    return text(node.operator.levels) if isinstance(node.operator, Staircase) else ""


def model_table(network: Network) -> Table:
    """A source model after its staircases were recognised."""
    return table_of("source model", NODE_COLUMNS, network)
