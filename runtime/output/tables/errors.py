"""The errors of rate networks, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from snnc.runtime.output.numbers import percent
from snnc.runtime.output.report import variant
from snnc.runtime.output.tables.table import Column, Table, table_of
from snnc.runtime.studies.rate_errors import OFFSETS, PARTS, Analysis, ErrorReport, LayerErrors

NO_OFFSET = OFFSETS.index("0")
ERROR_COLUMNS: Sequence[Column[LayerErrors]] = (
    Column("layer", lambda row: row.name, is_text=True),
    Column("neurons", lambda row: f"{row.neurons:,}", 3),
    *(Column(part, lambda row, part=part: percent(row.errors.shares[part])) for part in PARTS),  # type: ignore[misc]
    Column("rms", lambda row: f"{sqrt(row.errors.total):.4f}"),
    *(
        Column(
            f"ψ {offset}",
            lambda row, i=index: percent(row.accumulated[i]),  # type: ignore[misc]
            2 + 2 * abs(index - NO_OFFSET),
            typed=f"psi {offset}",
        )
        for index, offset in enumerate(OFFSETS)
    ),
    Column("own ψ 0", lambda row: percent(row.own[NO_OFFSET]), 2, typed="own psi 0"),
)


def errors_table(analysis: Analysis) -> Table:
    """The three errors of each layer, and how many spikes its neurons are off."""
    return table_of(variant(analysis), ERROR_COLUMNS, (*analysis.layers, analysis.overall))


OFFSET_COLUMNS: Sequence[Column[Analysis]] = (
    Column("T", lambda row: str(row.time_steps)),
    Column("ρ", lambda row: str(row.rho or "-"), typed="rho"),
    Column("iterations", lambda row: "light" if row.light else str(row.iterations)),
    Column("without offset", lambda row: percent(row.layers[-1].accumulated[NO_OFFSET])),
    Column("own input", lambda row: percent(row.layers[-1].own[NO_OFFSET])),
    Column("all layers", lambda row: percent(row.overall.accumulated[NO_OFFSET])),
    Column("all layers own input", lambda row: percent(row.overall.own[NO_OFFSET])),
)


def offsets_table(report: ErrorReport) -> Table:
    """The share of neurons of the last firing layer without an offset, calibration by calibration.

    As Hao et al., ICLR 2023, print it for T = ρ.
    """
    title = "neurons of the last firing layer without an offset"
    return table_of(title, OFFSET_COLUMNS, report.analyses)
