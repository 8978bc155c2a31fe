"""The verbs of the command line, as functions; both do the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from snnc.compiler.codes import Code, Coding
from snnc.compiler.errors import SnncError, refusal
from snnc.compiler.passes.encode_input import Encoding
from snnc.compiler.passes.sum_average_pools import AveragePools
from snnc.compiler.pipeline import NO_DATA, Options, lower
from snnc.compiler.spiking import Input, InputCode, Schedule, SpikingNetwork, planar
from snnc.compiler.target import find_target

if TYPE_CHECKING:
    from snnc.compiler.network import Network
    from snnc.frontends.onnx.loading import Model
    from snnc.runtime.calibration import Calibration
    from snnc.runtime.compare import Comparison, Progress
    from snnc.runtime.data import Data
    from snnc.runtime.lessons import Lessons
    from snnc.runtime.losses import LayerLoss
    from snnc.runtime.outcome import Labels, Outcome
    from snnc.runtime.source import Source
    from snnc.runtime.sweep import Grid, Setting, Sweep
    from snnc.runtime.unevenness import ErrorReport

Engine: TypeAlias = Literal["lava", "golden", "slayer"]
SweepEngine: TypeAlias = Literal["golden", "lava"]
CALIBRATION_IMAGES = 1024
"""The first of them, which more would hardly change."""


@dataclass(frozen=True, eq=False)
class Compilation:
    """A file that was written, and what is in it."""

    path: Path
    network: SpikingNetwork
    losses: tuple[LayerLoss, ...] = ()
    """What rounding did to each layer; empty without calibration data."""
    calibration: Calibration | None = None
    """The staircases that plain ReLUs were given, if levels were asked for."""


@dataclass(frozen=True, eq=False)
class Run:
    """The outcome of one engine; spikes are counted on Lava alone."""

    outcome: Outcome
    labels: Labels | None
    spikes: int | None
    time_steps: int | None


def compile(
    model: str | Path,
    output: str | Path | None = None,
    *,
    target: str = "loihi",
    code: Code = "bit-serial",
    timesteps: int | None = None,
    rho: int | None = None,
    iterations: int | None = None,
    light: bool = False,
    weight_bits: int = 8,
    schedule: Schedule = "pipelined",
    average_pool: AveragePools = "auto",
    input_bits: int = 8,
    input_code: InputCode | None = None,
    input_range: tuple[float, float] = (0.0, 1.0),
    mean: Sequence[float] = (),
    std: Sequence[float] = (),
    labels: Sequence[str] = (),
    calibration: str | Path | Data | None = None,
    levels: int | None = None,
    progress: Progress | None = None,
    watch: Callable[[str, Network | SpikingNetwork], None] = lambda name, network: None,
) -> Compilation:
    """Compile an ONNX model into a netx file.

    Args:
        model: the ONNX file.
        output: the file to write; by default the model's name with the ending .h5.
        target: the chip.
        code: how levels become spikes: "bit-serial", "graded", "rate", "offset-spike" or
            "one-spike".
        timesteps: T. Of bit-serial fewer than the activations have bits: coarser, and not
            error-free; of rate and offset-spike any number; of one-spike the groups of neurons.
        rho: offset-spike calibrates for so many time steps.
        iterations: offset-spike calibrates so often.
        light: offset-spike keeps the residual potential instead of moving one spike.
        weight_bits: bits of a weight, 2 to 8.
        schedule: "pipelined", or "sequential" with one image in flight.
        average_pool: "compose" it with what follows, give it a population that "sum"s, or "auto".
        input_bits: bits of a pixel.
        input_code: a pixel as one "graded" spike, or as its "bits", which one-spike sends at once;
            by default graded where the target can.
        input_range: the real values of the lowest and the highest pixel level.
        mean: the model was trained on (x − mean)/std; one number for each channel, or one.
        std: see mean.
        labels: names of the classes, kept in the file.
        calibration: images, labels not needed: weights are then rounded with error feedback.
        levels: the highest level of the staircases that plain ReLUs get, fitted to calibration.
        progress: called while layers are calibrated.
        watch: called with the name of every pass and what it left.

    Raises:
        SnncError: with everything in the model that cannot be compiled; nothing is written then.
    """
    from snnc.backends.netx.writer import write
    from snnc.frontends.onnx.reader import read_onnx

    chip = find_target(target)
    pixels = input_code or ("bits" if chip.stock_only else "graded")
    at_once = pixels == "bits" and code == "one-spike"
    encoding = Encoding(input_bits, *input_range, pixels, tuple(mean), tuple(std), at_once)
    coding = Coding(code, timesteps, rho, iterations, light)
    options = Options(chip, encoding, coding, weight_bits, schedule, average_pool)
    network, source = read_onnx(Path(model))
    lessons = _lessons(network, encoding, calibration, levels, progress)
    spiking = lower(network, options, watch, lessons.insight if lessons else NO_DATA)
    provenance = replace(spiking.provenance, source_sha256=source.sha256, labels=tuple(labels))
    spiking = replace(spiking, provenance=provenance)
    path = Path(output) if output is not None else Path(model).with_suffix(".h5")
    write(spiking, path)
    if lessons is None:
        return Compilation(path, spiking)
    return Compilation(path, spiking, lessons.losses(spiking), lessons.calibration)


def _lessons(
    network: Network,
    encoding: Encoding,
    calibration: str | Path | Data | None,
    levels: int | None,
    progress: Progress | None,
) -> Lessons | None:
    """What the first of the calibration images teach, if there are any."""
    if calibration is None:
        if levels is not None:
            what = f"{levels} levels, and no images to fit them to"
            raise refusal("--levels", what, "give some with --calibration DATA.npz")
        return None
    from snnc.runtime.lessons import Lessons

    shape = network.input.shape
    source = encoding.of(network.input.name, planar(shape))
    images = _accepted(calibration, source, None, CALIBRATION_IMAGES)
    return Lessons.of(images, source, shape, levels, progress or _unwatched)


def _unwatched(activity: str, done: int, total: int) -> None:
    """Nobody looks on."""


def recognize(model: str | Path) -> Network:
    """Read an ONNX model up to its staircases: what `snnc inspect` shows of it.

    Raises:
        SnncError: with everything in the model that cannot be compiled.
    """
    from snnc.compiler.passes.fold_batch_norms import fold_batch_norms
    from snnc.compiler.passes.recognize_staircases import recognize_staircases
    from snnc.frontends.onnx.reader import read_onnx

    return recognize_staircases(fold_batch_norms(read_onnx(Path(model))[0]))


def load(path: str | Path) -> SpikingNetwork:
    """Read a netx file and prove again that it is legal.

    Raises:
        SnncError: with everything that is wrong with the file.
    """
    from snnc.backends.netx.reader import read

    return read(Path(path))


def run(
    network: str | Path,
    data: str | Path | Data,
    *,
    engine: Engine = "lava",
    device: str = "cpu",
    limit: int | None = None,
    clip_input: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Run a compiled network over a data set.

    Args:
        network: the netx file.
        data: a DATA.npz, or images.
        engine: the simulator "lava", the "golden" model, or Lava-DL's blocks in PyTorch, "slayer".
        device: where PyTorch computes, as "cpu" or "cuda"; of slayer alone.
        limit: use the first images only.
        clip_input: clip values outside the range.
        progress: called as images are done.

    Raises:
        SnncError: if file or data are unsound, or the engine is not installed.
    """
    from snnc.compiler.timing import timing_of
    from snnc.runtime import compare as engines
    from snnc.runtime.lava.simulator import simulate
    from snnc.runtime.slayer.engine import run_slayer

    loaded = load(network)
    images = _data(data, loaded, limit, clip_input)
    watch = progress or engines.quiet
    if engine != "slayer" and device != "cpu":
        what = f"{device!r} with the engine {engine!r}; allowed: cpu"
        raise refusal("--device", what, "leave it out, or use --engine slayer")
    if engine == "golden":
        return Run(engines.run_golden(loaded, images, watch), images.y, None, None)
    simulator: engines.Simulator = simulate
    if engine == "slayer":
        simulator = partial(run_slayer, device=device)
    outcome, spikes = engines.run_spikes(engine, simulator, loaded, images, watch)
    return Run(outcome, images.y, spikes, timing_of(loaded).duration(outcome.images))


def compare(
    model: str | Path,
    network: str | Path,
    data: str | Path | Data,
    *,
    limit: int | None = None,
    clip_input: bool = False,
    progress: Progress | None = None,
) -> Comparison:
    """Run source model, golden model and Lava over a data set and hold them against each other.

    Raises:
        SnncError: if a file or the data are unsound, or Lava is not installed.
    """
    from snnc.frontends.onnx.loading import load_model
    from snnc.runtime import compare as engines

    loaded = load(network)
    source = load_model(Path(model))
    expected = loaded.provenance.source_sha256
    if expected and source.sha256 != expected:
        what = (
            f"was compiled from another model (SHA-256 {expected[:12]}…, not {source.sha256[:12]}…)"
        )
        raise refusal(str(network), what, f"compile {model} again, or name the model it came from")
    images = _data(data, loaded, limit, clip_input)
    executable = _executable(source, str(model))
    return engines.compare(executable, loaded, images, progress or engines.quiet)


def sweep(
    model: str | Path,
    data: str | Path | Data,
    grid: Grid | None = None,
    *,
    also: Sequence[str | Path] = (),
    engine: SweepEngine = "golden",
    limit: int | None = None,
    clip_input: bool = False,
    target: str = "loihi",
    weight_bits: int = 8,
    calibration: str | Path | Data | None = None,
    input_bits: int = 8,
    input_range: tuple[float, float] = (0.0, 1.0),
    mean: Sequence[float] = (),
    std: Sequence[float] = (),
    plot: str | Path | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Measure accuracy, spikes and time of a network in many codes, for many T.

    Args:
        model: the ONNX file.
        data: a DATA.npz, or images; with labels.
        grid: the codes and their settings.
        also: the same network trained from other seeds: accuracies are means over all of them.
        engine: "golden", or "lava" to hold the simulator against it in every point.
        limit: use the first images only.
        clip_input: clip values outside the range.
        target: see `compile`, as for all that follow.
        weight_bits: bits of a weight.
        calibration: images: weights are then rounded with error feedback.
        input_bits: bits of a pixel.
        input_range: the real values of the lowest and the highest pixel level.
        mean: the model was trained on (x − mean)/std.
        std: see mean.
        plot: a .png, .pdf or .svg to draw.
        progress: called as images are done.

    Raises:
        SnncError: for wrong options, models that cannot be read and data that do not suit them.
            A code that one network does not take leaves its reasons in the point instead.
    """
    from tempfile import TemporaryDirectory

    from snnc.compiler.operators import Staircase
    from snnc.frontends.onnx.loading import load_model
    from snnc.runtime import plots
    from snnc.runtime import sweep as sweeps

    wanted = grid or sweeps.Grid()
    drawing = None if plot is None else Path(plot)
    problems = [
        *sweeps.problems_of(wanted),
        *([] if drawing is None else plots.problems_of(drawing)),
    ]
    if problems:
        raise SnncError(*problems)
    chip, paths = find_target(target), [Path(each) for each in (model, *also)]
    network = recognize(paths[0])
    encoding = Encoding(input_bits, *input_range, "graded", tuple(mean), tuple(std))
    source = encoding.of(network.input.name, planar(network.input.shape))
    classes, *places = network.output.shape
    if prod(places) > 1:
        what = f"it decides in {prod(places)} places of an image; a sweep needs one decision"
        raise refusal(str(model), what, "end the model in one logit for each class")
    images = _labelled(data, source, classes, limit, clip=clip_input)
    levels = [n.operator.levels for n in network if isinstance(n.operator, Staircase)]
    with TemporaryDirectory() as folder:

        def build(index: int, setting: Setting) -> SpikingNetwork:
            compiled = compile(
                paths[index],
                Path(folder) / "network.h5",
                target=chip.name,
                code=setting.code,
                timesteps=setting.time_steps,
                rho=setting.rho,
                iterations=setting.iterations,
                light=setting.light,
                weight_bits=weight_bits,
                input_bits=input_bits,
                input_range=input_range,
                mean=mean,
                std=std,
                calibration=calibration,
            )
            return load(compiled.path)

        result = sweeps.sweep(
            [(str(each), _executable(load_model(each), str(each))) for each in paths],
            source,
            images,
            sweeps.plans_of(wanted, levels),
            build,
            on_lava=engine == "lava",
            progress=progress or _unwatched,
        )
    if drawing is not None and result.worked:
        plots.draw_sweep(drawing, result)
    return result


def errors(
    model: str | Path,
    data: str | Path | Data,
    *,
    timesteps: Sequence[int] = (2, 4, 8, 16),
    code: str = "rate",
    rho: int | None = None,
    iterations: int = 3,
    light: bool = False,
    limit: int | None = 200,
    clip_input: bool = False,
    weight_bits: int = 8,
    calibration: str | Path | Data | None = None,
    input_bits: int = 8,
    input_range: tuple[float, float] = (0.0, 1.0),
    mean: Sequence[float] = (),
    std: Sequence[float] = (),
    plot: str | Path | None = None,
    progress: Progress | None = None,
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
        limit: use the first images only.
        clip_input: clip values outside the range.
        weight_bits: see `compile`, as for all that follow.
        calibration: images: weights are then rounded with error feedback.
        input_bits: bits of a pixel.
        input_range: the real values of the lowest and the highest pixel level.
        mean: the model was trained on (x − mean)/std.
        std: see mean.
        plot: a .png, .pdf or .svg to draw.
        progress: called as images are done.

    Raises:
        SnncError: for wrong options, a model that cannot be compiled and data that do not suit it.
    """
    from tempfile import TemporaryDirectory

    from snnc.runtime import plots, unevenness

    drawing = None if plot is None else Path(plot)
    problems = [*unevenness.problems_of(code, timesteps, rho, iterations, light=light)]
    problems += [] if drawing is None else plots.problems_of(drawing)
    if problems:
        raise SnncError(*problems)
    calibrates = code == "offset-spike"
    networks: list[SpikingNetwork] = []
    with TemporaryDirectory() as folder:
        for steps in dict.fromkeys(timesteps):
            compiled = compile(
                model,
                Path(folder) / "network.h5",
                code="offset-spike" if calibrates else "rate",
                timesteps=steps,
                rho=(rho or steps) if calibrates else None,
                iterations=iterations if calibrates else None,
                weight_bits=weight_bits,
                calibration=calibration,
                input_bits=input_bits,
                input_range=input_range,
                mean=mean,
                std=std,
            )
            networks.append(load(compiled.path))
    images = _data(data, networks[0], limit, clip_input)
    report = unevenness.report_of(
        str(model), code, networks, images, light=light, progress=progress or _unwatched
    )
    if drawing is not None:
        plots.draw_errors(drawing, report)
    return report


def _executable(model: Model, name: str) -> Source:
    """A source model, ready to run."""
    from snnc.frontends.onnx.reader import read_model
    from snnc.runtime.source import SourceModel, SourceNetwork, is_runnable

    if is_runnable(model.proto):
        return SourceModel(model.proto, name)
    return SourceNetwork(read_model(model))


def _labelled(
    data: str | Path | Data, source: Input, classes: int, limit: int | None, *, clip: bool
) -> Data:
    """Images that suit an input, and their labels, without which there is no accuracy."""
    images = _accepted(data, source, classes, limit, clip=clip)
    if images.y is None:
        name = data if isinstance(data, str | Path) else "data"
        raise refusal(str(name), "it holds no labels y, and accuracy needs them", "add y")
    return images


def _data(data: str | Path | Data, network: SpikingNetwork, limit: int | None, clip: bool) -> Data:
    return _accepted(data, network.input, network.readout.shape[0], limit, clip=clip)


def _accepted(
    data: str | Path | Data,
    source: Input,
    classes: int | None,
    limit: int | None,
    *,
    clip: bool = False,
) -> Data:
    from snnc.runtime.data import Data, accepted, load_data

    given = data if isinstance(data, Data) else load_data(Path(data))
    name = "data" if isinstance(data, Data) else str(data)
    return accepted(given, source, name=name, classes=classes, limit=limit, clip=clip)
