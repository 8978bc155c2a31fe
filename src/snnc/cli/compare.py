"""Compare: every engine against the golden model, and all against the source."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import snnc
from snnc import api
from snnc.api.images import files_among
from snnc.backends.files import target_of
from snnc.cli.messages import reports_problems, tell, tell_remarks
from snnc.cli.options import (
    ClipInput,
    Columns,
    DataFile,
    InputShape,
    Json,
    LavaProcesses,
    Limit,
    ModelFile,
    NetFile,
    Wide,
    sizes,
    view_of,
)
from snnc.cli.progress import progress_bars
from snnc.cli.results import print_json, print_lines, print_table

MISMATCH = 3
"""The exit status where spikes or logits differ, or no engine of spikes ran."""


def compare(
    model: ModelFile,
    network: NetFile,
    data: DataFile,
    input_shape: InputShape = "",
    lava_model: LavaProcesses = "layers",
    limit: Limit = None,
    html: Annotated[Path | None, typer.Option(help="Also write a page.")] = None,
    clip_input: ClipInput = False,
    wide: Wide = False,
    columns: Columns = "",
    as_json: Json = False,
) -> None:
    """Hold Lava against the golden model, and both against the source."""
    from snnc.runtime.output.page import write_page
    from snnc.runtime.output.report import comparison_lines
    from snnc.runtime.output.tables import ENGINE_COLUMNS, comparison_table
    from snnc.runtime.studies.inspection import inspect_network

    with reports_problems(as_json=as_json):
        view = view_of(wide, columns, ENGINE_COLUMNS)
        inputs = files_among([model], network, data)
        if html is not None:
            target_of(html, option="html", inputs=inputs)
        with progress_bars() as progress:
            result = api.compare(
                model,
                network,
                data,
                input_shape=sizes(input_shape),
                lava_model=lava_model,
                limit=limit,
                clip_input=clip_input,
                progress=progress,
            )
        if html is not None:
            layers = inspect_network(api.load(network))
            names = {"model": model.name, "network": network.name}
            write_page(html, result, layers, **names, version=snnc.__version__, inputs=inputs)
    if as_json:
        print_json(result.as_json())
    else:
        tell_remarks(result.remarks)
        print_table(comparison_table(result), view)
        print_lines(comparison_lines(result))
    for each in result.missing.values():
        tell(str(each))
    if not result.is_exact:
        raise typer.Exit(MISMATCH)
