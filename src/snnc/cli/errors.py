"""Errors: where a rate network errs, layer by layer."""

from __future__ import annotations

from typing import Annotated

import typer
from typing_extensions import Unpack

from snnc import api
from snnc.cli.messages import reports_problems, tell_remarks
from snnc.cli.options import (
    ClipInput,
    Columns,
    DataFile,
    Json,
    ModelFile,
    Plot,
    TimeSteps,
    Wide,
    takes_options,
    view_of,
    whole_numbers,
)
from snnc.cli.progress import progress_bars
from snnc.cli.results import print_json, print_lines, print_sentences, print_table
from snnc.compiler.errors import SnncError
from snnc.compiler.options import ModelKeywords


@takes_options(ModelKeywords)
def errors(
    model: ModelFile,
    data: DataFile,
    timesteps: TimeSteps = "2,4,8,16",
    code: Annotated[str, typer.Option(help="rate or offset-spike.")] = "rate",
    rho: Annotated[
        int | None, typer.Option(help="offset-spike: time steps of one calibration (T).")
    ] = None,
    iterations: Annotated[
        int, typer.Option(help="offset-spike: every number of calibrations up to this.")
    ] = 3,
    light: Annotated[
        bool, typer.Option("--light", help="offset-spike: the light variant too.")
    ] = False,
    limit: Annotated[int, typer.Option(help="Use the first images only.")] = 200,
    clip_input: ClipInput = False,
    plot: Plot = None,
    wide: Wide = False,
    columns: Columns = "",
    as_json: Json = False,
    **options: Unpack[ModelKeywords],
) -> None:
    """Show where a rate network errs: clipping, quantisation, uneven spikes."""
    from snnc.runtime.output.report import errors_lines
    from snnc.runtime.output.tables import (
        ERROR_COLUMNS,
        OFFSET_COLUMNS,
        errors_table,
        offsets_table,
    )
    from snnc.runtime.studies.rate_errors import Question, problems_of_question

    with reports_problems(as_json=as_json):
        view = view_of(wide, columns, ERROR_COLUMNS, OFFSET_COLUMNS)
        steps, wrong = whole_numbers("timesteps", timesteps)
        if wrong:
            question = Question(code, steps, rho, iterations, light)
            raise SnncError(*wrong, *problems_of_question(question))
        with progress_bars() as progress:
            result = api.errors(
                model,
                data,
                timesteps=steps,
                code=code,
                rho=rho,
                iterations=iterations,
                light=light,
                limit=limit,
                clip_input=clip_input,
                plot=plot,
                progress=progress,
                **options,
            )
    if as_json:
        print_json(result.as_json())
        return
    tell_remarks(result.remarks)
    for analysis in result.analyses:
        print_table(errors_table(analysis), view)
        print_lines([""])
    print_sentences(errors_lines(result))
    if result.calibrates:
        print_lines([""])
        print_table(offsets_table(result), view)
