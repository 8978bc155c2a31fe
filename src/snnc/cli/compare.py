"""Compare: every engine against the golden model, and all against the source."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from snnc import api
from snnc.api.images import files_among
from snnc.backends.files import target_of
from snnc.cli.messages import reports_problems, tell
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
from snnc.cli.results import print_result

if TYPE_CHECKING:
    from snnc.runtime.output.tables import View
    from snnc.runtime.studies.compare import Comparison

MISMATCH = 3
"""The exit status where spikes or logits differ, or no engine of spikes ran."""


def compare(
    model: ModelFile,
    network: NetFile,
    data: DataFile,
    input_shape: InputShape = "",
    lava_model: LavaProcesses = "layers",
    limit: Limit = None,
    html: Annotated[
        Path | None, typer.Option(help="Also write a page, as snnc report does.")
    ] = None,
    clip_input: ClipInput = False,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    chunk: Chunk = None,
    checkpoint: CheckpointFolder = None,
    wide: Wide = False,
    columns: Columns = "",
    as_json: Json = False,
) -> None:
    """Hold Lava against the golden model, and both against the source."""
    from snnc.runtime.output.tables import ENGINE_COLUMNS

    with reports_problems(as_json=as_json):
        view = view_of(wide, columns, ENGINE_COLUMNS)
        inputs = files_among([model], network, data)
        if html is not None:
            target_of(html, option="html", inputs=inputs)
        with progress_bars() as progress:
            run = api.compare if html is None else partial(_with_page, html)
            result = run(
                model,
                network,
                data,
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
    show(result, view, as_json=as_json)


def show(result: Comparison, view: View, *, as_json: bool) -> None:
    """Print what differs and what was lost.

    Raises:
        typer.Exit: where anything differs, or no engine of spikes ran.
    """
    from snnc.runtime.output.report import comparison_lines
    from snnc.runtime.output.tables import comparison_table

    tables, lines = [comparison_table(result)], comparison_lines(result)
    print_result(result, view, tables, lines, as_json=as_json, remarks=result.remarks)
    for each in result.missing.values():
        tell(str(each))
    if not result.is_exact:
        raise typer.Exit(MISMATCH)


def _with_page(html: Path, *inputs: Path, **options: Any) -> Comparison:  # noqa: ANN401
    """A comparison, and a report of it."""
    model, network, data = inputs
    return api.report(model, network, data, html, **options).comparison
