"""Inspect: the layers of a model, or of a compiled network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snnc import api
from snnc.cli.messages import reports_problems
from snnc.cli.options import Columns, InputShape, Json, Wide, sizes, view_of
from snnc.cli.results import print_json, print_lines, print_sentences, print_table
from snnc.compiler.errors import Problem, SnncError

if TYPE_CHECKING:
    from snnc.runtime.output.tables import View


def inspect(
    path: Annotated[Path, typer.Argument(help="MODEL.onnx or NET.h5")],
    input_shape: InputShape = "",
    program: Annotated[
        bool, typer.Option("--program", help="What a neuron of each layer of a NET.h5 does.")
    ] = False,
    layer: Annotated[
        list[str] | None, typer.Option(help="With --program: of this layer alone.")
    ] = None,
    wide: Wide = False,
    columns: Columns = "",
    as_json: Json = False,
) -> None:
    """Show the layers, the ranges and the schedule; or the neuron programs."""
    from snnc.runtime.output.tables import LAYER_COLUMNS, NODE_COLUMNS

    with reports_problems(as_json=as_json):
        is_model = path.suffix.lower() == ".onnx"
        problems = tuple(_problems(is_model=is_model, shape=input_shape, program=program, of=layer))
        if problems:
            raise SnncError(*problems)
        view = view_of(wide, columns, NODE_COLUMNS if is_model else LAYER_COLUMNS)
        if is_model:
            _inspect_model(path, sizes(input_shape), view, as_json=as_json)
        elif program:
            _inspect_programs(path, layer or [], as_json=as_json)
        else:
            _inspect_network(path, view, as_json=as_json)


def _problems(
    *, is_model: bool, shape: str, program: bool, of: Sequence[str] | None
) -> Iterator[Problem]:
    """Options that say nothing of what is inspected."""
    if shape and not is_model:
        what = "of a network that is compiled; allowed: of a model"
        yield Problem("`input_shape`", what, "leave it out")
    if program and is_model:
        what = "of a model, which has no neurons yet; allowed: of a network that is compiled"
        yield Problem("`program`", what, "compile the model, and inspect the .h5")
    if of and not program:
        yield Problem("`layer`", "without `program`", "say `program` too")


def _inspect_model(path: Path, shape: tuple[int, ...], view: View, *, as_json: bool) -> None:
    from snnc.runtime.output.tables import model_table
    from snnc.runtime.studies.inspection import model_rows

    network = api.recognize(path, input_shape=shape)
    if as_json:
        print_json(model_rows(network))
    else:
        print_table(model_table(network), view)


def _inspect_network(path: Path, view: View, *, as_json: bool) -> None:
    from snnc.runtime.output.report import layer_lines
    from snnc.runtime.output.tables import layer_table
    from snnc.runtime.studies.inspection import inspect_network

    inspection = inspect_network(api.load(path))
    if as_json:
        print_json(inspection.as_json())
        return
    print_table(layer_table(inspection), view)
    print_sentences(layer_lines(inspection))


def _inspect_programs(path: Path, layers: Sequence[str], *, as_json: bool) -> None:
    programs = api.programs(path, layers=layers)
    if as_json:
        print_json([each.as_json() for each in programs.values()])
        return
    for each in programs.values():
        print_lines([*each.lines(), ""])
