"""One model compiled many times: codes against time steps, and where a rate network errs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from snnc.api import notes
from snnc.api.compiling import OpenModel, open_model
from snnc.api.given import GivenImages
from snnc.api.images import files_among, images_for, labelled_images
from snnc.api.keywords import (
    StudyKeywords,
    StudyOptions,
    SweepKeywords,
    study_options,
    sweep_options,
)
from snnc.api.running import executable, load, runner_of
from snnc.compiler.codes import CODES, Code, SweepGrid
from snnc.compiler.codes.base import with_code
from snnc.compiler.errors import Problem, SnncError, refusal
from snnc.compiler.options import CompileOptions, encoding_of
from snnc.compiler.pipeline import problems_of_numbers, sending_pixels
from snnc.compiler.spiking import SpikingNetwork, planar
from snnc.compiler.target import find_target

if TYPE_CHECKING:
    from snnc.compiler.laws.base import Shape
    from snnc.runtime.data import Data
    from snnc.runtime.engines.base import Engine
    from snnc.runtime.studies.rate_errors import ErrorReport
    from snnc.runtime.studies.sweep import Sweep

ERROR_IMAGES = 200
"""What `errors` looks at, unless a limit is given."""


def sweep(
    model: str | Path,
    data: GivenImages,
    grid: SweepGrid | None = None,
    *,
    codes: Sequence[str] | None = None,
    timesteps: int | Sequence[int] | None = None,
    also: Sequence[str | Path] = (),
    engine: str = "golden",
    on_cores: bool = False,
    **options: Unpack[SweepKeywords],
) -> Sweep:
    """Measure accuracy, spikes and time of a network in many codes, for many T.

    Args:
        model: the ONNX file.
        data: a DATA.npz, or images; with labels.
        grid: the codes and their settings; by default all codes.
        codes: in the place of the grid's.
        timesteps: in the place of the grid's, every T.
        also: the same network trained from other seeds: accuracies are means over all of them.
        engine: "golden", or one that sends spikes, to hold it against golden in every point.
        on_cores: place every network on cores too, and count its energy and time there.
        options: limit, clip_input, plot and progress, see `StudyKeywords`; workers or
            scheduler, among whom the points are divided, see `PlaceKeywords`; and those of
            `compile` that are no settings of a code.

    Raises:
        SnncError: for wrong options, models that cannot be read and data that do not suit them.
            A code that one network does not take leaves its reasons in the point instead.
    """
    from snnc.frontends.onnx.loading import load_model
    from snnc.runtime.output import plots
    from snnc.runtime.studies import sweep as study

    spread, chosen, compiling = sweep_options(options)
    wanted = _grid(grid or SweepGrid(tuple(CODES)), codes, timesteps)
    paths = [Path(each) for each in (model, *also)]
    inputs = files_among(paths, data, compiling.calibration)
    _refuse([*study.problems_of_grid(wanted), *_problems_of_plot(chosen, inputs)])
    find_target(compiling.target)
    checked = _checked_engine(engine)
    models = [open_model(each, compiling, chosen.progress) for each in paths]
    network = models[0].recognized(compiling)
    _refuse([*problems_of_numbers(compiling, network)])
    source = encoding_of(compiling, network).input(network.input.name, planar(network.input.shape))
    classes = _classes(str(model), network.output.shape)
    images = labelled_images(data, source, classes, chosen.limit, clip=chosen.clip_input)
    images = _with_remarks(images, models[0].remarks)
    sources = [
        (str(each), executable(load_model(each, compiling.input_shape), str(each)))
        for each in paths
    ]
    staircases = study.staircases_of(sending_pixels(network, compiling))
    points = study.points_of(wanted, staircases)
    with TemporaryDirectory() as folder, runner_of(spread, chosen.progress) as runner:
        build = partial(_built, models, compiling)
        stored = partial(_stored, Path(folder) / "network.h5")
        result = study.sweep(
            sources, source, images, points, build, runner, checked, stored, on_cores
        )
    result = replace(result, notes=tuple(study.notes_of(wanted, staircases)))
    if chosen.figure is not None and result.worked:
        plots.draw_sweep(chosen.figure, result, inputs=inputs)
    notes.tell(result.remarks)
    return result


def errors(
    model: str | Path,
    data: GivenImages,
    *,
    timesteps: int | Sequence[int] = (2, 4, 8, 16),
    code: str = "rate",
    rho: int | None = None,
    iterations: int = 3,
    light: bool = False,
    **options: Unpack[StudyKeywords],
) -> ErrorReport:
    """Take the errors of a rate network apart: clipping, quantisation, unevenness; offset spikes.

    Args:
        model: the ONNX file.
        data: a DATA.npz, or images; labels are not needed.
        timesteps: every T.
        code: "rate", or "offset-spike" to see what each calibration mends.
        rho: offset-spike calibrates for so many time steps; by default T.
        iterations: offset-spike: all numbers of calibrations up to this one.
        light: offset-spike: the light variant too.
        options: limit (200), clip_input, plot and progress, see `StudyKeywords`; and those of
            `compile` that are no settings of a code.

    Raises:
        SnncError: for wrong options, a model that cannot be compiled and data that do not suit it.
    """
    from snnc.runtime.output import plots
    from snnc.runtime.progress import ignore
    from snnc.runtime.studies import rate_errors as study

    chosen, compiling = study_options("errors", {"limit": ERROR_IMAGES, **options})
    question = study.Question(code, _numbers(timesteps), rho, iterations, light)
    inputs = files_among([model], data, compiling.calibration)
    _refuse([*study.problems_of_question(question), *_problems_of_plot(chosen, inputs)])
    opened = open_model(Path(model), compiling, chosen.progress)
    networks = [opened.compiled(with_code(compiling, each)) for each in study.codes_of(question)]
    images = images_for(networks[0], data, chosen.limit, clip=chosen.clip_input)
    images = _with_remarks(images, opened.remarks)
    report = study.report_of(str(model), question, networks, images, chosen.progress or ignore)
    if chosen.figure is not None:
        plots.draw_errors(chosen.figure, report, inputs=inputs)
    notes.tell(report.remarks)
    return report


def _grid(
    grid: SweepGrid, codes: Sequence[str] | None, timesteps: int | Sequence[int] | None
) -> SweepGrid:
    """A grid with what is given in its place."""
    if codes is not None:
        grid = replace(grid, codes=(codes,) if isinstance(codes, str) else tuple(codes))
    return grid if timesteps is None else replace(grid, timesteps=_numbers(timesteps))


def _numbers(given: int | Sequence[int]) -> tuple[int, ...]:
    return (given,) if isinstance(given, int) else tuple(given)


def _built(
    models: Sequence[OpenModel], options: CompileOptions, index: int, code: Code
) -> SpikingNetwork:
    """The model of an index in a code."""
    return models[index].compiled(with_code(options, code))


def _with_remarks(images: Data, remarks: tuple[str, ...]) -> Data:
    """The images, and besides what was said of those that calibrated, each remark once."""
    return replace(images, remarks=tuple(dict.fromkeys((*remarks, *images.remarks))))


def _stored(path: Path, network: SpikingNetwork) -> SpikingNetwork:
    """A network as it is read back from its file."""
    from snnc.backends.netx.writer import write

    write(network, path)
    return load(path)


def _problems_of_plot(chosen: StudyOptions, inputs: Sequence[Path]) -> Iterator[Problem]:
    """Why a figure could not be drawn, if one is wanted."""
    from snnc.runtime.output.plots import problems_of_figure

    if chosen.figure is not None:
        yield from problems_of_figure(chosen.figure, inputs)


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise SnncError(*problems)


def _checked_engine(name: str) -> Engine | None:
    """The engine that is held against golden in every point; None for golden itself."""
    from snnc.runtime.engines import find_engine

    engine = find_engine(name)
    if not engine.sends_spikes:
        return None
    if missing := engine.missing():
        raise SnncError(missing)
    return engine


def _classes(model: str, shape: Shape) -> int:
    """The number of classes of a model that decides once for each image."""
    from snnc.runtime.engines.result import classes_of

    if (places := shape[1:]) and prod(places) > 1:
        what = f"it decides in {prod(places)} places of an image; a sweep needs one decision"
        raise refusal(model, what, "end the model in one logit for each class")
    return classes_of(shape)
