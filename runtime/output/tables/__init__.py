"""Tables for people, each a list of columns; which of them are shown depends on the width."""

from snnc.runtime.output.tables.comparison import ENGINE_COLUMNS, comparison_table, engine_rows
from snnc.runtime.output.tables.cost import COST_COLUMNS, PACE_COLUMNS, cost_table, pace_table
from snnc.runtime.output.tables.decisions import decisions_table
from snnc.runtime.output.tables.errors import (
    ERROR_COLUMNS,
    OFFSET_COLUMNS,
    errors_table,
    offsets_table,
)
from snnc.runtime.output.tables.layers import LAYER_COLUMNS, NODE_COLUMNS, layer_table, model_table
from snnc.runtime.output.tables.layout import View
from snnc.runtime.output.tables.placement import PLACED_COLUMNS, placement_table
from snnc.runtime.output.tables.sweep import SWEEP_COLUMNS, sweep_table
from snnc.runtime.output.tables.table import Column, Table, cells_of, table_of, table_of_cells
from snnc.runtime.output.tables.terminal import print_table

__all__ = [
    "COST_COLUMNS",
    "ENGINE_COLUMNS",
    "ERROR_COLUMNS",
    "LAYER_COLUMNS",
    "NODE_COLUMNS",
    "OFFSET_COLUMNS",
    "PACE_COLUMNS",
    "PLACED_COLUMNS",
    "SWEEP_COLUMNS",
    "Column",
    "Table",
    "View",
    "cells_of",
    "comparison_table",
    "cost_table",
    "decisions_table",
    "engine_rows",
    "errors_table",
    "layer_table",
    "model_table",
    "offsets_table",
    "pace_table",
    "placement_table",
    "print_table",
    "sweep_table",
    "table_of",
    "table_of_cells",
]
