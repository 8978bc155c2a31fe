"""Export: a compiled network as a NIR graph."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snnc import api
from snnc.cli.messages import reports_problems
from snnc.cli.options import Json, NetFile
from snnc.cli.results import print_json, print_lines


def export(
    network: NetFile,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file to write; by default NET.nir.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a one-spike chain as a NIR graph, which other simulators run alike."""
    with reports_problems(as_json=as_json):
        path = api.export(network, output)
    if as_json:
        print_json({"output": str(path), "format": "nir"})
    else:
        print_lines([f"{path}: a NIR graph; levels of pixels in, logits out, one time step"])
