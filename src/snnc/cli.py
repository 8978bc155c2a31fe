"""The command line: results on stdout, messages and progress on stderr.

Exit status: 0 done, 1 an input cannot be used, 2 wrong usage, 3 a comparison found a mismatch.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import snnc
from snnc import api
from snnc.compiler.codes import CODES, DEFAULT_RHO, Code
from snnc.compiler.errors import Problem, SnncError, refusal
from snnc.compiler.passes.sum_average_pools import AveragePools
from snnc.compiler.pipeline import PASSES
from snnc.compiler.spiking import InputCode, Schedule
from snnc.runtime.outcome import Outcome

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Compiles trained networks into spiking networks for Loihi, equal spike by spike.",
)
stderr = Console(stderr=True)
INTERRUPTED = 130


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Limit = Annotated[int | None, typer.Option(help="Use the first images only.")]
ClipInput = Annotated[bool, typer.Option("--clip-input", help="Clip values outside the range.")]
DataFile = Annotated[Path, typer.Argument(help="DATA.npz with x and perhaps labels y.")]
ModelFile = Annotated[Path, typer.Argument(help="MODEL.onnx")]
TimeSteps = Annotated[str, typer.Option(help="T: a point for each.")]
NetFile = Annotated[Path, typer.Argument(help="NET.h5 from snnc compile.")]


Chip = Annotated[str, typer.Option(help="The chip.")]
WeightBits = Annotated[int, typer.Option(help="Bits of a weight: 2 to 8, or 16 as two synapses.")]
CalibrationFile = Annotated[
    Path | None, typer.Option(help="DATA.npz: weights are rounded with error feedback.")
]
InputBits = Annotated[int, typer.Option(help="Bits of a pixel.")]
InputRange = Annotated[
    tuple[float, float], typer.Option(help="The least and the greatest pixel value.")
]
Mean = Annotated[str, typer.Option(help="The model was trained on (x - mean)/std: 0.49,0.48,0.45")]
Std = Annotated[str, typer.Option(help="See --mean.")]
Plot = Annotated[Path | None, typer.Option(help="Also draw a .png, .pdf or .svg.")]


def _version(wanted: bool) -> None:
    if wanted:
        print(snnc.__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Keep the commands apart from the program's own options."""


@app.command("compile")
def compile_(
    model: Annotated[Path, typer.Argument(help="MODEL.onnx")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file to write.")
    ] = None,
    target: Chip = "loihi",
    code: Annotated[
        str, typer.Option(help=f"How levels become spikes: {', '.join(CODES)}.")
    ] = "bit-serial",
    timesteps: Annotated[
        int | None,
        typer.Option(help="T; of bit-serial fewer than bits: coarser, not error-free."),
    ] = None,
    rho: Annotated[
        int | None, typer.Option(help="offset-spike: time steps of one calibration (4).")
    ] = None,
    iterations: Annotated[
        int | None, typer.Option(help="offset-spike: calibrations, each moves one spike (1).")
    ] = None,
    light: Annotated[
        bool, typer.Option("--light", help="offset-spike: keep the residual potential instead.")
    ] = False,
    weight_bits: WeightBits = 8,
    schedule: Annotated[Schedule, typer.Option(help="When images enter.")] = "pipelined",
    average_pool: Annotated[
        AveragePools, typer.Option(help="Part of what follows, a population, or the cheaper.")
    ] = "auto",
    input_bits: InputBits = 8,
    input_code: Annotated[
        InputCode | None, typer.Option(help="A pixel as one graded spike (default), or as bits.")
    ] = None,
    input_range: InputRange = (0.0, 1.0),
    mean: Mean = "",
    std: Std = "",
    calibration: CalibrationFile = None,
    levels: Annotated[
        int | None,
        typer.Option(help="With --calibration: give plain ReLUs staircases of so many levels."),
    ] = None,
    dump_after: Annotated[
        list[str] | None, typer.Option(help=f"Print the network after a pass: {', '.join(PASSES)}.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compile an ONNX model into a netx file."""
    from snnc.runtime import report
    from snnc.runtime.inspection import inspect_network

    dumps: dict[str, str] = {}
    wanted = dump_after or []

    def watch(name: str, network: object) -> None:
        if name in wanted:
            dumps[name] = str(network)
            if not as_json:
                print(f"== {name}\n{network}")

    with _told(), _progress() as progress:
        _check_passes(wanted)
        result = api.compile(
            model,
            output,
            target=target,
            code=cast(Code, code),
            timesteps=timesteps,
            rho=rho,
            iterations=iterations,
            light=light,
            weight_bits=weight_bits,
            schedule=schedule,
            average_pool=average_pool,
            input_bits=input_bits,
            input_code=input_code,
            input_range=input_range,
            mean=_numbers("--mean", mean),
            std=_numbers("--std", std),
            calibration=calibration,
            levels=levels,
            progress=progress,
            watch=watch,
        )
        summary = inspect_network(result.network).as_json()
    if as_json:
        _print_json(
            {
                "output": str(result.path),
                **summary,
                "losses": [asdict(each) for each in result.losses],
                **({"dumps": dumps} if dumps else {}),
            }
        )
        return
    for remark in result.network.provenance.remarks:
        stderr.print(f"note: {remark}", markup=False, highlight=False, soft_wrap=True)
    timing = summary["schedule"]
    print(
        f"{result.path}: {len(result.network.populations)} layers, {timing['name']}, an image "
        f"every {timing['period']} time steps, latency {timing['latency']}"
    )
    if result.calibration is not None and result.calibration.layers:
        _stdout().print(report.calibration_table(result.calibration))
        print("\n".join(report.calibration_lines(result.calibration)))
    if result.losses:
        _stdout().print(report.losses_table(result.losses))


@app.command()
def run(
    network: NetFile,
    data: DataFile,
    engine: Annotated[api.Engine, typer.Option(help="What runs the network.")] = "lava",
    device: Annotated[str, typer.Option(help="slayer: where PyTorch computes.")] = "cpu",
    limit: Limit = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="OUT.npz for logits and decisions.")
    ] = None,
    clip_input: ClipInput = False,
    as_json: Json = False,
) -> None:
    """Run a compiled network over a data set."""
    from snnc.runtime.report import percent

    with _told(), _progress() as progress:
        result = api.run(
            network,
            data,
            engine=engine,
            device=device,
            limit=limit,
            clip_input=clip_input,
            progress=progress,
        )
        if output is not None:
            _save(output, result.outcome)
    outcome = result.outcome
    accuracy = outcome.accuracy(result.labels)
    summary = {
        "engine": outcome.engine,
        "images": outcome.images,
        "accuracy": accuracy,
        "images_per_second": outcome.images_per_second,
        "time_steps": result.time_steps,
        "spikes_per_image": None if result.spikes is None else result.spikes / outcome.images,
    }
    if as_json:
        _print_json(summary)
        return
    print(
        f"{outcome.engine}: {outcome.images} images, accuracy {percent(accuracy)}, "
        f"{outcome.images_per_second:.1f} images/s"
    )
    if result.spikes is not None:
        print(f"{summary['spikes_per_image']:.1f} spikes per image, {result.time_steps} time steps")


@app.command()
def compare(
    model: Annotated[Path, typer.Argument(help="MODEL.onnx")],
    network: NetFile,
    data: DataFile,
    limit: Limit = None,
    html: Annotated[Path | None, typer.Option(help="Also write a page.")] = None,
    clip_input: ClipInput = False,
    as_json: Json = False,
) -> None:
    """Hold Lava against the golden model, and both against the source."""
    from snnc.runtime import report
    from snnc.runtime.inspection import inspect_network

    with _told():
        with _progress() as progress:
            result = api.compare(
                model, network, data, limit=limit, clip_input=clip_input, progress=progress
            )
        if html is not None:
            inspection = inspect_network(api.load(network))
            report.write_html(html, result, inspection, model.name, network.name, snnc.__version__)
    if as_json:
        _print_json(result.as_json())
    else:
        _stdout().print(report.comparison_table(result))
        print("\n".join(report.comparison_lines(result)))
    if not result.is_exact:
        raise typer.Exit(3)


@app.command()
def sweep(
    model: ModelFile,
    data: DataFile,
    codes: Annotated[
        str, typer.Option(help="How levels become spikes: a curve for each.")
    ] = ",".join(CODES),
    timesteps: TimeSteps = "1,2,4,8,16,32",
    also: Annotated[
        list[Path] | None, typer.Option(help="The same network, trained from another seed.")
    ] = None,
    engine: Annotated[
        api.SweepEngine, typer.Option(help="lava simulates every point too, and compares.")
    ] = "golden",
    limit: Limit = None,
    rho: Annotated[
        int, typer.Option(help="offset-spike: time steps of one calibration.")
    ] = DEFAULT_RHO,
    iterations: Annotated[
        str, typer.Option(help="offset-spike: calibrations, a curve for each number.")
    ] = "1",
    light: Annotated[
        bool, typer.Option("--light", help="offset-spike: a curve of the light variant too.")
    ] = False,
    target: Chip = "loihi",
    weight_bits: WeightBits = 8,
    calibration: CalibrationFile = None,
    input_bits: InputBits = 8,
    input_range: InputRange = (0.0, 1.0),
    mean: Mean = "",
    std: Std = "",
    clip_input: ClipInput = False,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Measure accuracy, spikes and time steps in many codes, for many T."""
    from snnc.runtime import report
    from snnc.runtime import sweep as sweeps

    with _told():
        steps, wrong_steps = _whole_numbers("--timesteps", timesteps)
        counts, wrong_counts = _whole_numbers("--iterations", iterations)
        grid = sweeps.Grid(tuple(_words(codes)), steps, rho, counts, light)
        if wrong := [*wrong_steps, *wrong_counts]:
            raise SnncError(*wrong, *sweeps.problems_of(grid))
        with _progress() as progress:
            result = api.sweep(
                model,
                data,
                grid,
                also=also or (),
                engine=engine,
                limit=limit,
                clip_input=clip_input,
                target=target,
                weight_bits=weight_bits,
                calibration=calibration,
                input_bits=input_bits,
                input_range=input_range,
                mean=_numbers("--mean", mean),
                std=_numbers("--std", std),
                plot=plot,
                progress=progress,
            )
    if as_json:
        _print_json(result.as_json())
    else:
        _stdout().print(report.sweep_table(result))
        print("\n".join(report.sweep_lines(result)))
    if not result.worked:
        raise typer.Exit(1)
    if not result.is_exact:
        raise typer.Exit(3)


@app.command()
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
    weight_bits: WeightBits = 8,
    calibration: CalibrationFile = None,
    input_bits: InputBits = 8,
    input_range: InputRange = (0.0, 1.0),
    mean: Mean = "",
    std: Std = "",
    clip_input: ClipInput = False,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Show where a rate network errs: clipping, quantisation, uneven spikes, layer by layer."""
    from snnc.runtime import report, unevenness

    with _told():
        steps, wrong = _whole_numbers("--timesteps", timesteps)
        if wrong:
            raise SnncError(
                *wrong, *unevenness.problems_of(code, steps, rho, iterations, light=light)
            )
        with _progress() as progress:
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
                weight_bits=weight_bits,
                calibration=calibration,
                input_bits=input_bits,
                input_range=input_range,
                mean=_numbers("--mean", mean),
                std=_numbers("--std", std),
                plot=plot,
                progress=progress,
            )
    if as_json:
        _print_json(result.as_json())
        return
    for analysis in result.analyses:
        _stdout().print(report.errors_table(analysis))
    print("\n".join(report.errors_lines(result)))
    if code == "offset-spike":
        _stdout().print(report.offsets_table(result))


@app.command()
def inspect(
    path: Annotated[Path, typer.Argument(help="MODEL.onnx or NET.h5")], as_json: Json = False
) -> None:
    """Show the layers, the ranges and the schedule."""
    from snnc.runtime import report
    from snnc.runtime.inspection import inspect_network, model_rows

    with _told():
        if path.suffix.lower() == ".onnx":
            model = api.recognize(path)
            if as_json:
                _print_json(model_rows(model))
            else:
                _stdout().print(report.model_table(model))
            return
        inspection = inspect_network(api.load(path))
    if as_json:
        _print_json(inspection.as_json())
        return
    _stdout().print(report.layer_table(inspection))
    print("\n".join(report.layer_lines(inspection)))


def main() -> None:
    """The program."""
    app()


@contextmanager
def _told() -> Iterator[None]:
    """Tell the user what to mend instead of where the code was."""
    try:
        yield
    except SnncError as error:
        stderr.print(str(error), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        stderr.print("interrupted", markup=False)
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def _progress() -> Iterator[Any]:
    """A bar for each engine, on a terminal only."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bars = Progress(
        *columns, TimeRemainingColumn(), console=stderr, disable=not sys.stderr.isatty()
    )
    tasks: dict[str, Any] = {}

    def advance(engine: str, images: int, total: int) -> None:
        if engine not in tasks:
            tasks[engine] = bars.add_task(engine, total=total)
        bars.advance(tasks[engine], images)

    with bars:
        yield advance


def _stdout() -> Console:
    """Tables keep their columns where stdout is no terminal."""
    return Console(width=None if sys.stdout.isatty() else 220)


def _save(path: Path, outcome: Outcome) -> None:
    """Logits and decisions, whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            np.savez(file, logits=outcome.logits, decisions=outcome.decisions)
        partial.replace(path)
    except OSError as error:
        raise refusal(
            str(path), f"cannot be written: {error.strerror}", "choose another -o"
        ) from None
    finally:
        partial.unlink(missing_ok=True)


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2))


def _numbers(option: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(each) for each in text.replace(",", " ").split())
    except ValueError:
        raise refusal(
            option, f"{text!r} is not a list of numbers", "write 0.49,0.48,0.45"
        ) from None


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _whole_numbers(option: str, text: str) -> tuple[tuple[int, ...], list[Problem]]:
    """The numbers of a list, and what is none."""
    words = _words(text)
    wrong = [each for each in words if not each.lstrip("-").isdecimal()]
    problems = [Problem(option, f"{each!r} is no whole number", "write 1,2,4") for each in wrong]
    return tuple(int(each) for each in words if each not in wrong), problems


def _check_passes(names: list[str]) -> None:
    for name in names:
        if name not in PASSES:
            what = f"{name!r} is no pass; allowed: {', '.join(PASSES)}"
            raise refusal("--dump-after", what, "choose one of them")
