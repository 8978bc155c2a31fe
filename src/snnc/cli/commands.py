"""The commands of the program: what each is called, does, and where it lives.

A command is imported when it is called, so that `snnc --help` answers at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from snnc.start import begin


class Place(NamedTuple):
    """Where a command lives, and the first line of its docstring."""

    function: str
    """In the module of `snnc.cli` that has the command's name."""
    summary: str


COMMANDS: Mapping[str, Place] = MappingProxyType(
    {
        "compile": Place("compile_model", "Compile an ONNX model into a netx file."),
        "map": Place(
            "map_network", "Show how many cores and chips a network takes, and how full they are."
        ),
        "run": Place("run", "Run a compiled network over a data set."),
        "compare": Place(
            "compare", "Hold Lava against the golden model, and both against the source."
        ),
        "sweep": Place(
            "sweep", "Measure accuracy, spikes and time steps in many codes, for many T."
        ),
        "errors": Place(
            "errors",
            "Show where a rate network errs: clipping, quantisation, uneven spikes.",
        ),
        "cost": Place("cost", "Count events on cores, and say what they take in time and energy."),
        "inspect": Place(
            "inspect", "Show the layers, the ranges and the schedule; or the neuron programs."
        ),
        "operators": Place("operators", "List the ONNX operators that a model may have."),
        "export": Place(
            "export", "Write a one-spike chain as a NIR graph, which other simulators run alike."
        ),
        "report": Place(
            "report", "Compare, look into the network, and write one page for the browser."
        ),
    }
)
"""In the order of the help."""


def command(name: str) -> Any:  # noqa: ANN401
    """Import a command, with its options; what Typer makes of it."""
    alone = typer.Typer(add_completion=False)
    module = import_module(f"snnc.cli.{name}")
    alone.command(name)(getattr(module, COMMANDS[name].function))
    return typer.main.get_command(alone)


class LazyGroup(TyperGroup):
    """Lists the commands by their summaries, and imports the one that is called."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401
        super().__init__(**attributes)
        for name, (_, summary) in COMMANDS.items():
            self.commands[name] = TyperCommand(name, help=summary)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401
        """Find the command that the words begin with; the others stay summaries."""
        name, _, rest = super().resolve_command(ctx, args)
        found = command(name or "")
        begin()
        return name, found, rest
