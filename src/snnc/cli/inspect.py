"""Inspect: the layers of a model, or of a compiled network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snnc import api
from snnc.cli.messages import reports_problems
from snnc.cli.options import InputShape, Json, sizes
from snnc.cli.results import print_json, print_lines, print_table
from snnc.compiler.errors import refusal


def inspect(
    path: Annotated[Path, typer.Argument(help="MODEL.onnx or NET.h5")],
    input_shape: InputShape = "",
    as_json: Json = False,
) -> None:
    """Show the layers, the ranges and the schedule."""
    with reports_problems(as_json=as_json):
        if path.suffix.lower() == ".onnx":
            _inspect_model(path, sizes(input_shape), as_json=as_json)
        elif input_shape:
            what = "of a network that is compiled; allowed: of a model"
            raise refusal("`input_shape`", what, "leave it out")
        else:
            _inspect_network(path, as_json=as_json)


def _inspect_model(path: Path, shape: tuple[int, ...], *, as_json: bool) -> None:
    from snnc.runtime.output.tables import model_table
    from snnc.runtime.studies.inspection import model_rows

    network = api.recognize(path, input_shape=shape)
    if as_json:
        print_json(model_rows(network))
    else:
        print_table(model_table(network))


def _inspect_network(path: Path, *, as_json: bool) -> None:
    from snnc.runtime.output.report import layer_lines
    from snnc.runtime.output.tables import layer_table
    from snnc.runtime.studies.inspection import inspect_network

    inspection = inspect_network(api.load(path))
    if as_json:
        print_json(inspection.as_json())
        return
    print_table(layer_table(inspection))
    print_lines(layer_lines(inspection))
