"""Compile: from an ONNX model to a netx file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typing_extensions import Unpack

from snnc import api
from snnc.cli.messages import reports_problems, tell_remarks
from snnc.cli.options import Columns, Json, ModelFile, Wide, takes_options, view_of
from snnc.cli.progress import progress_bars
from snnc.cli.results import print_json, print_lines, print_sentences, print_table
from snnc.compiler.errors import refusal
from snnc.compiler.options import CompileKeywords
from snnc.compiler.pipeline import PASSES

if TYPE_CHECKING:
    from snnc.runtime.output.tables import View
    from snnc.runtime.studies.inspection import Inspection


@takes_options(CompileKeywords)
def compile_model(
    model: ModelFile,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file to write.")
    ] = None,
    dump_after: Annotated[
        list[str] | None, typer.Option(help=f"Print the network after a pass: {', '.join(PASSES)}.")
    ] = None,
    wide: Wide = False,
    columns: Columns = "",
    map_cores: Annotated[
        bool, typer.Option("--map", help="Write onto which cores it goes, too: see snnc map.")
    ] = False,
    as_json: Json = False,
    **options: Unpack[CompileKeywords],
) -> None:
    """Compile an ONNX model into a netx file."""
    from snnc.calibration.tables import ACTIVATION_COLUMNS, LOSS_COLUMNS
    from snnc.runtime.studies.inspection import inspect_network

    dumps: dict[str, str] = {}
    wanted = dump_after or []

    with reports_problems(as_json=as_json), progress_bars() as progress:
        _check_passes(wanted)
        view = view_of(wide, columns, ACTIVATION_COLUMNS, LOSS_COLUMNS)

        def watch(name: str, network: object) -> None:
            progress.watch(name, network)
            if name in wanted:
                dumps[name] = str(network)
                if not as_json:
                    print_lines([f"== {name}", *dumps[name].splitlines()])

        result = api.compile(
            model, output, map=map_cores, progress=progress, watch=watch, **options
        )
        inspection = inspect_network(result.network)
    if as_json:
        print_json(_as_json(result, inspection, dumps))
    else:
        _print(result, inspection, view)


def _as_json(
    result: api.Compilation, inspection: Inspection, dumps: dict[str, str]
) -> dict[str, Any]:
    return {
        "output": str(result.path),
        **inspection.as_json(),
        "remarks": [*result.network.provenance.remarks, *result.remarks],
        "losses": [asdict(each) for each in result.losses],
        **({"dumps": dumps} if dumps else {}),
    }


def _print(result: api.Compilation, inspection: Inspection, view: View) -> None:
    """Remarks, the file, and what calibration did."""
    from snnc.calibration.tables import calibration_lines, calibration_table, rounding_table
    from snnc.runtime.output.report import compilation_lines

    tell_remarks((*result.network.provenance.remarks, *result.remarks))
    print_sentences(compilation_lines(result.path, inspection))
    if result.calibration is not None and result.calibration.layers:
        print_table(calibration_table(result.calibration), view)
        print_sentences(calibration_lines(result.calibration))
    if result.losses:
        print_table(rounding_table(result.losses), view)


def _check_passes(wanted: Sequence[str]) -> None:
    for name in wanted:
        if name not in PASSES:
            what = f"{name!r} is no pass; allowed: {', '.join(PASSES)}"
            raise refusal("`dump_after`", what, "choose one of them")
