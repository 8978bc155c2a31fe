"""Report: everything that is known of a compiled network, as one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snnc import api
from snnc.cli.compare import show
from snnc.cli.messages import reports_problems
from snnc.cli.options import (
    CheckpointFolder,
    Chunk,
    ClipInput,
    Columns,
    DataFile,
    InputShape,
    Json,
    LavaProcesses,
    Limit,
    ModelFile,
    NetFile,
    Scheduler,
    Wide,
    Workers,
    sizes,
    view_of,
)
from snnc.cli.progress import progress_bars
from snnc.cli.results import print_lines
from snnc.compiler.files import beside


def report(
    model: ModelFile,
    network: NetFile,
    data: DataFile,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The page; by default NET.html.")
    ] = None,
    input_shape: InputShape = "",
    lava_model: LavaProcesses = "layers",
    limit: Limit = None,
    clip_input: ClipInput = False,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    chunk: Chunk = None,
    checkpoint: CheckpointFolder = None,
    wide: Wide = False,
    columns: Columns = "",
    as_json: Json = False,
) -> None:
    """Compare, look into the network, and write one page for the browser."""
    from snnc.runtime.output.tables import ENGINE_COLUMNS

    page = beside(network, ".html") if output is None else output
    with reports_problems(as_json=as_json):
        view = view_of(wide, columns, ENGINE_COLUMNS)
        with progress_bars() as progress:
            found = api.report(
                model,
                network,
                data,
                page,
                input_shape=sizes(input_shape),
                lava_model=lava_model,
                limit=limit,
                clip_input=clip_input,
                progress=progress,
                workers=workers,
                scheduler=scheduler,
                chunk=chunk,
                checkpoint=checkpoint,
            )
    if not as_json:
        print_lines([f"{page}: the report"])
    show(found.comparison, view, as_json=as_json)
