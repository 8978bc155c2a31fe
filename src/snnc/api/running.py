"""Compiled networks over data sets, on any engine or on all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from snnc.api import notes
from snnc.api.given import GivenImages
from snnc.api.images import images_for
from snnc.api.keywords import SpreadKeywords, spread_of
from snnc.compiler.errors import refusal
from snnc.compiler.files import beside
from snnc.runtime.presented import Presentation, Presented
from snnc.runtime.spread import ALONE, Spread

if TYPE_CHECKING:
    from snnc.compiler.programs import Program
    from snnc.compiler.spiking import SpikingNetwork
    from snnc.frontends.onnx.loading import Model
    from snnc.runtime.data import Data
    from snnc.runtime.engines.base import Engine
    from snnc.runtime.engines.result import EngineResult, Labels
    from snnc.runtime.engines.source_model import Executable
    from snnc.runtime.progress import Progress
    from snnc.runtime.spread import Runner
    from snnc.runtime.studies.compare import Comparison

NAMED = 12
"""Layers that a message names."""


@dataclass(frozen=True, eq=False, repr=False)
class Run(Presented):
    """What one engine gave; spikes and time steps of those that send spikes."""

    result: EngineResult
    labels: Labels | None
    spikes: int | None
    time_steps: int | None
    remarks: tuple[str, ...] = ()
    """What is worth knowing of the images."""
    spread: Spread = ALONE
    """Who ran them."""

    def presentation(self) -> Presentation:
        """The decisions, class by class."""
        from snnc.runtime.output.presentations import of_run
        from snnc.runtime.output.report import run_lines

        lines = run_lines(self.result, self.labels, self.spikes, self.time_steps)
        return of_run(self.result, self.labels, lines, self.remarks)


def load(path: str | Path) -> SpikingNetwork:
    """Read a netx file and prove again that it is legal.

    Raises:
        SnncError: with everything that is wrong with the file.
    """
    from snnc.backends.netx.reader import read

    return read(Path(path))


def programs(network: str | Path, *, layers: Sequence[str] = ()) -> Mapping[str, Program]:
    """The neuron programs of a compiled network, by their layers: docs/neuron-programs.md.

    Args:
        network: the netx file.
        layers: some of its layers; by default all.

    Raises:
        SnncError: with everything that is wrong with the file, and for a name that no layer has.
    """
    from snnc.compiler.programs import programs_of

    found = programs_of(load(network))
    unknown = [each for each in layers if each not in found]
    if unknown:
        allowed = ", ".join(list(found)[:NAMED]) + ", …" * (len(found) > NAMED)
        what = f"{', '.join(map(repr, unknown))}; allowed: {allowed}"
        raise refusal("`layer`", what, f"choose one of the {len(found)} layers of {network}")
    return {name: each for name, each in found.items() if not layers or name in layers}


def export(network: str | Path, output: str | Path | None = None) -> Path:
    """Write a compiled network as a NIR graph: docs/nir.md.

    Args:
        network: the netx file.
        output: the file to write; by default the same name with the ending .nir.

    Returns:
        The file that was written.

    Raises:
        SnncError: with everything that NIR cannot say of the network, and where the package nir is
            missing.
    """
    from snnc.backends.nir.writer import write

    path = beside(Path(network), ".nir") if output is None else Path(output)
    write(load(network), path, inputs=[Path(network)])
    return path


def run(
    network: str | Path,
    data: GivenImages,
    *,
    engine: str = "lava",
    device: str = "cpu",
    lava_model: str = "layers",
    limit: int | None = None,
    clip_input: bool = False,
    progress: Progress | None = None,
    **spread: Unpack[SpreadKeywords],
) -> Run:
    """Run a compiled network over a data set.

    Args:
        network: the netx file.
        data: a DATA.npz, or images.
        engine: the simulator "lava", the "golden" model, or Lava-DL's blocks in PyTorch, "slayer".
        device: where PyTorch computes, as "cpu" or "cuda"; of slayer alone.
        lava_model: what a process of Lava is: of "layers" each, or the whole "network", which is
            faster where layers are small. Both give the same spikes.
        limit: use the first images only.
        clip_input: clip values outside the range.
        progress: called as images are done.
        spread: workers, scheduler, chunk and checkpoint, see `SpreadKeywords`.

    Raises:
        SnncError: if file or data are unsound, or the engine is not installed.
    """
    from snnc.runtime.engines import find_engine, require
    from snnc.runtime.engines.running import EngineWork, run_result

    chosen = spread_of("run", spread)
    loaded, found = load(network), find_engine(engine, lava_model)
    images = images_for(loaded, data, limit, clip=clip_input)
    _check_device(found, device)
    require(found, loaded)
    work = EngineWork(found, loaded, device)
    told = {"engine": found.name, "lava_model": lava_model, "device": device}
    with runner_of(chosen, progress, partial(_told, "run", network, images, told)) as runner:
        done = run_result(found, loaded, runner.run(found.name, work, loaded, images))
    notes.tell(images.remarks)
    return Run(done.result, images.y, done.spikes, done.time_steps, images.remarks, chosen)


def compare(
    model: str | Path,
    network: str | Path,
    data: GivenImages,
    *,
    input_shape: Sequence[int] = (),
    lava_model: str = "layers",
    limit: int | None = None,
    clip_input: bool = False,
    progress: Progress | None = None,
    **spread: Unpack[SpreadKeywords],
) -> Comparison:
    """Run the source model and every engine over a data set, and hold them against each other.

    Sizes that the model leaves open are those of the network; `lava_model` and `spread` are as in
    `run`. The source model runs in this process.

    Raises:
        SnncError: if a file or the data are unsound, or an engine is not installed.
    """
    from snnc.frontends.onnx.loading import load_model
    from snnc.frontends.onnx.sizes import fix_open_sizes
    from snnc.runtime.studies import compare as study

    chosen = spread_of("compare", spread)
    loaded = load(network)
    source = load_model(Path(model), tuple(input_shape))
    shape = loaded.input.image_shape
    if input_shape and _large(input_shape) != _large(shape):
        what = f"{_text(input_shape)}; the network was compiled for {_text(shape)}"
        raise refusal("`input_shape`", what, "leave it out")
    fix_open_sizes(source.proto.graph, shape)
    expected = loaded.provenance.source_sha256
    if expected and source.sha256 != expected:
        what = (
            f"was compiled from another model (SHA-256 {expected[:12]}…, not {source.sha256[:12]}…)"
        )
        raise refusal(str(network), what, f"compile {model} again, or name the model it came from")
    images = images_for(loaded, data, limit, clip=clip_input)
    given = executable(source, str(model))
    told = {"model": source.sha256, "lava_model": lava_model}
    with runner_of(chosen, progress, partial(_told, "compare", network, images, told)) as runner:
        found = study.compare(given, loaded, images, runner, lava_model)
    notes.tell((*found.remarks, *map(str, found.missing.values())))
    return found


@contextmanager
def runner_of(
    spread: Spread,
    progress: Progress | None,
    told: Callable[[], Mapping[str, str]] = dict,
) -> Iterator[Runner]:
    """Who runs the images; nobody does any longer behind the block.

    Args:
        spread: over whom they are spread.
        progress: called as images are done.
        told: whatever the results depend on, if they are kept.
    """
    from snnc.runtime.checkpoint import Checkpoint
    from snnc.runtime.progress import ignore
    from snnc.runtime.spread import KEPT_IMAGES, Runner

    kept = None
    if spread.checkpoint is not None:
        run = {**told(), "chunk": str(spread.chunk or KEPT_IMAGES)}
        kept = Checkpoint.opened(spread.checkpoint, run)
    with spread.place() as place:
        yield Runner(spread, place, progress or ignore, kept)


def _told(
    command: str, network: str | Path, images: Data, others: Mapping[str, str]
) -> Mapping[str, str]:
    """Whatever the results of a run depend on."""
    from snnc.compiler.files import sha256_of
    from snnc.runtime.checkpoint import digest_of

    return {
        "command": command,
        "snnc": version("snnc"),
        "network": sha256_of(Path(network)),
        "data": digest_of(images),
        **others,
    }


def _large(shape: Sequence[int]) -> list[int]:
    """The sizes above 1: a line has one axis of space, and two on a chip."""
    return [each for each in shape if each > 1]


def _text(shape: Sequence[int]) -> str:
    return ",".join(map(str, shape))


def executable(model: Model, name: str) -> Executable:
    """A source model, ready to run."""
    from snnc.frontends.onnx.reader import read_model
    from snnc.runtime.engines.source_model import SourceModel, SourceNetwork, is_runnable

    if is_runnable(model.proto):
        return SourceModel(model.proto, name)
    return SourceNetwork(read_model(model))


def _check_device(engine: Engine, device: str) -> None:
    from snnc.runtime.engines import ENGINES

    if device == "cpu" or engine.takes_device:
        return
    others = (f"`engine={each.name!r}`" for each in ENGINES.values() if each.takes_device)
    what = f"{device!r} with the engine {engine.name!r}; allowed: cpu"
    raise refusal("`device`", what, f"leave it out, or use {' or '.join(others)}")
