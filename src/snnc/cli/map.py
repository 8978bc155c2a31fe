"""Map: a compiled network on neuron cores."""

from __future__ import annotations

from typing import Annotated, cast

import typer

from snnc import api
from snnc.cli.messages import reports_problems
from snnc.cli.options import Columns, Json, NetFile, Plot, Slack, Wide, view_of
from snnc.cli.results import print_result
from snnc.compiler.mapping.layers import PROGRAM_WORDS
from snnc.compiler.mapping.mapper import DEFAULT_SLACK, OBJECTIVES, Objective
from snnc.compiler.target import TARGETS


def map_network(
    network: NetFile,
    target: Annotated[
        str | None, typer.Option(help=f"The chip, if another: {', '.join(TARGETS)}.")
    ] = None,
    objective: Annotated[
        str, typer.Option(help=f"What is to be least: {', '.join(OBJECTIVES)}.")
    ] = OBJECTIVES[0],
    slack: Slack = DEFAULT_SLACK,
    chips: Annotated[int | None, typer.Option(help="The most chips there are.")] = None,
    state_words: Annotated[
        int, typer.Option(help="Assumed for a neuron with a program of its own, on Loihi 2.")
    ] = PROGRAM_WORDS,
    plot: Plot = None,
    wide: Wide = False,
    columns: Columns = "",
    as_json: Json = False,
) -> None:
    """Show how many cores and chips a network takes, and how full they are."""
    from snnc.runtime.output.deployment import placement_lines
    from snnc.runtime.output.tables import PLACED_COLUMNS, placement_table

    with reports_problems(as_json=as_json):
        view = view_of(wide, columns, PLACED_COLUMNS)
        report = api.map(
            network,
            target=target,
            objective=cast(Objective, objective),
            slack=slack,
            chips=chips,
            state_words=state_words,
            plot=plot,
        )
    print_result(report, view, [placement_table(report)], placement_lines(report), as_json=as_json)
