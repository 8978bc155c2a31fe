"""Cost: what a compiled network takes on neuron cores, for a user's own images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snnc import api
from snnc.api.deployment import MAPPINGS
from snnc.cli.messages import reports_problems
from snnc.cli.options import (
    ClipInput,
    Columns,
    DataFile,
    Json,
    Limit,
    NetFile,
    Plot,
    Slack,
    Wide,
    view_of,
)
from snnc.cli.progress import progress_bars
from snnc.cli.results import print_result
from snnc.compiler.mapping.mapper import DEFAULT_SLACK


def cost(
    network: NetFile,
    data: DataFile,
    mapping: Annotated[
        str | None,
        typer.Option(help=f"The cores: {', '.join(MAPPINGS)}. By default file, if it has any."),
    ] = None,
    slack: Slack = DEFAULT_SLACK,
    constants: Annotated[
        Path | None, typer.Option(help="COSTS.toml: your own energy of each event, in pJ.")
    ] = None,
    limit: Limit = None,
    clip_input: ClipInput = False,
    plot: Plot = None,
    wide: Wide = False,
    columns: Columns = "",
    as_json: Json = False,
) -> None:
    """Count events on cores, and say what they take in time and energy."""
    from snnc.runtime.output.deployment import cost_lines
    from snnc.runtime.output.tables import COST_COLUMNS, PACE_COLUMNS, cost_table, pace_table

    with reports_problems(as_json=as_json), progress_bars() as progress:
        view = view_of(wide, columns, COST_COLUMNS, PACE_COLUMNS)
        report = api.cost(
            network,
            data,
            mapping=mapping,
            slack=slack,
            constants=constants,
            limit=limit,
            clip_input=clip_input,
            plot=plot,
            progress=progress,
        )
    tables = (cost_table(report), pace_table(report))
    print_result(report, view, tables, cost_lines(report), as_json=as_json, remarks=report.remarks)
