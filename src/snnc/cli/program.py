"""The program: its commands, put together."""

from __future__ import annotations

from typing import Annotated

import typer

import snnc
from snnc.cli.compare import compare
from snnc.cli.compile import compile_model
from snnc.cli.cost import cost
from snnc.cli.errors import errors
from snnc.cli.export import export
from snnc.cli.inspect import inspect
from snnc.cli.map import map_network
from snnc.cli.operators import operators
from snnc.cli.report import report
from snnc.cli.results import print_lines
from snnc.cli.run import run
from snnc.cli.sweep import sweep

app = typer.Typer(
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Compiles trained networks into spiking networks for Loihi, equal spike by spike.",
)
app.command("compile")(compile_model)
app.command("map")(map_network)
for command in (run, compare, sweep, errors, cost, inspect, operators, export, report):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        print_lines([snnc.__version__])
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Keep the commands apart from the program's own options."""
