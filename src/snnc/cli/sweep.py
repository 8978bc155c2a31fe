"""Sweep: one network in many codes, for many T."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typing_extensions import Unpack

from snnc import api
from snnc.cli.compare import MISMATCH
from snnc.cli.messages import reports_problems, tell
from snnc.cli.options import (
    SPIKING,
    ClipInput,
    Columns,
    DataFile,
    Json,
    Limit,
    ModelFile,
    Plot,
    Scheduler,
    TimeSteps,
    Wide,
    Workers,
    completing,
    engine_name,
    names,
    takes_options,
    view_of,
    whole_numbers,
)
from snnc.cli.progress import progress_bars
from snnc.cli.results import print_result
from snnc.compiler.codes import CODES, SweepGrid
from snnc.compiler.codes.offset_spike import DEFAULT_RHO
from snnc.compiler.errors import SnncError
from snnc.compiler.options import ModelKeywords
from snnc.start import FAILED


@takes_options(ModelKeywords)
def sweep(
    model: ModelFile,
    data: DataFile,
    codes: Annotated[
        str, typer.Option(help="How levels become spikes: a curve for each.")
    ] = ",".join(CODES),
    timesteps: TimeSteps = "1,2,4,8,16,32",
    rho: Annotated[
        int, typer.Option(help="offset-spike: time steps of one calibration.")
    ] = DEFAULT_RHO,
    iterations: Annotated[
        str, typer.Option(help="offset-spike: calibrations, a curve for each number.")
    ] = "1",
    light: Annotated[
        bool, typer.Option("--light", help="offset-spike: a curve of the light variant too.")
    ] = False,
    also: Annotated[
        list[Path] | None, typer.Option(help="The same network, trained from another seed.")
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            callback=engine_name,
            autocompletion=completing("engine"),
            help=f"{SPIKING} runs every point too, and is held against golden.",
        ),
    ] = "golden",
    on_cores: Annotated[
        bool,
        typer.Option("--on-cores", help="Also count energy and time on neuron cores: snnc cost."),
    ] = False,
    limit: Limit = None,
    clip_input: ClipInput = False,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    plot: Plot = None,
    wide: Wide = False,
    columns: Columns = "",
    as_json: Json = False,
    **options: Unpack[ModelKeywords],
) -> None:
    """Measure accuracy, spikes and time steps in many codes, for many T."""
    from snnc.runtime.output.report import sweep_lines
    from snnc.runtime.output.tables import SWEEP_COLUMNS, sweep_table

    with reports_problems(as_json=as_json):
        view = view_of(wide, columns, SWEEP_COLUMNS)
        grid = _grid(codes, timesteps, rho, iterations, light)
        with progress_bars() as progress:
            result = api.sweep(
                model,
                data,
                grid,
                also=also or (),
                engine=engine,
                on_cores=on_cores,
                limit=limit,
                clip_input=clip_input,
                plot=plot,
                progress=progress,
                workers=workers,
                scheduler=scheduler,
                **options,
            )
    tables, lines = [sweep_table(result)], sweep_lines(result)
    print_result(result, view, tables, lines, as_json=as_json, remarks=result.remarks)
    if not result.worked:
        tell(str(SnncError(*(each for point in result.points for each in point.problems))))
        raise typer.Exit(FAILED)
    if not result.is_exact:
        raise typer.Exit(MISMATCH)


def _grid(codes: str, timesteps: str, rho: int, iterations: str, light: bool) -> SweepGrid:
    """What the user asks for.

    Raises:
        SnncError: for what is no number, with whatever else is wrong.
    """
    from snnc.runtime.studies.sweep import problems_of_grid

    steps, wrong_steps = whole_numbers("timesteps", timesteps)
    counts, wrong_counts = whole_numbers("iterations", iterations)
    grid = SweepGrid(names(codes), steps, rho, counts, light)
    if wrong := [*wrong_steps, *wrong_counts]:
        raise SnncError(*wrong, *problems_of_grid(grid))
    return grid
