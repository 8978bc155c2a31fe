"""The program: its commands, put together."""

from __future__ import annotations

from typing import Annotated

import typer

import snnc
from snnc.cli.commands import LazyGroup

app = typer.Typer(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Compiles trained networks into spiking networks for Loihi, equal spike by spike.",
)


def _version(wanted: bool) -> None:
    if wanted:
        from snnc.cli.results import print_lines

        print_lines([snnc.__version__])
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Keep the commands apart from the program's own options."""
