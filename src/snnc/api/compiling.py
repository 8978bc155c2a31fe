"""From an ONNX file to a netx file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from snnc.api import notes
from snnc.api.images import accepted_images, files_among
from snnc.api.keywords import CALIBRATION_IMAGES, compile_options
from snnc.compiler import pipeline
from snnc.compiler.errors import SnncError, refusal
from snnc.compiler.files import beside
from snnc.compiler.mapping.mapper import placed
from snnc.compiler.options import CompileKeywords, CompileOptions, encoding_of
from snnc.compiler.pipeline import Watcher, ignore, lower, problems_of_numbers
from snnc.compiler.spiking import SpikingNetwork, planar
from snnc.compiler.target import LOIHI
from snnc.runtime.presented import Presentation, Presented

if TYPE_CHECKING:
    from snnc.calibration.rounding_loss import RoundingLoss
    from snnc.calibration.session import CalibrationSession
    from snnc.calibration.staircases import Calibration
    from snnc.compiler.network import Network
    from snnc.runtime.progress import Progress


@dataclass(frozen=True, eq=False, repr=False)
class Compilation(Presented):
    """A file that was written, and what is in it."""

    path: Path
    network: SpikingNetwork
    losses: tuple[RoundingLoss, ...] = ()
    """What rounding did to each layer; empty without calibration data."""
    calibration: Calibration | None = None
    """The staircases that activations without levels were given, if levels were asked for."""
    remarks: tuple[str, ...] = ()
    """What is worth knowing of the calibration images."""

    def presentation(self) -> Presentation:
        """The layers of the file, and what calibration did."""
        from snnc.calibration.tables import calibration_table, rounding_table
        from snnc.runtime.output.presentations import of_compilation
        from snnc.runtime.studies.inspection import inspect_network

        calibrated = self.calibration is not None and self.calibration.layers
        tables = [calibration_table(self.calibration)] if self.calibration and calibrated else []
        tables += [rounding_table(self.losses)] if self.losses else []
        remarks = (*self.network.provenance.remarks, *self.remarks)
        return of_compilation(self.path, inspect_network(self.network), tables, remarks)


@dataclass(frozen=True, eq=False)
class OpenModel:
    """A model that was read, with the calibration images that belong to it."""

    network: Network
    sha256: str
    session: CalibrationSession | None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is worth knowing of the calibration images."""
        return self.session.data.remarks if self.session else ()

    def compiled(self, options: CompileOptions, watch: Watcher = ignore) -> SpikingNetwork:
        """The model as a spiking network.

        Raises:
            SnncError: with everything in the model that cannot be compiled.
        """
        hooks = self.session.hooks if self.session else None
        network = lower(self.network, options, watch, hooks)
        labels = tuple(options.labels)
        origin = replace(network.provenance, source_sha256=self.sha256, labels=labels)
        return replace(network, provenance=origin)

    def recognized(self, options: CompileOptions) -> Network:
        """The model before it is fitted to a chip; every target and code begins with that.

        Raises:
            SnncError: with everything in the model that has no levels.
        """
        hooks = self.session.hooks if self.session else None
        return pipeline.recognize(self.network, replace(options, target=LOIHI.name), hooks)


def open_model(path: Path, options: CompileOptions, progress: Progress | None = None) -> OpenModel:
    """Read an ONNX file, and the calibration images if there are any.

    Raises:
        SnncError: for a file, images or options that are unsound.
    """
    from snnc.frontends.onnx.reader import read_onnx

    network, source = read_onnx(path, options.input_shape)
    return OpenModel(network, source.sha256, _session(network, options, progress))


def compile(
    model: str | Path,
    output: str | Path | None = None,
    *,
    map: bool = False,
    progress: Progress | None = None,
    watch: Watcher = ignore,
    **options: Unpack[CompileKeywords],
) -> Compilation:
    """Compile an ONNX model into a netx file.

    Args:
        model: the ONNX file.
        output: the file to write; by default the model's name with the ending .h5.
        map: write into the file onto which cores of the target the network goes.
        progress: called while layers are calibrated.
        watch: called with the name of every pass and what it left.
        options: the fields of `snnc.compiler.options.CompileOptions`, which describes each.

    Raises:
        SnncError: with everything in the model that cannot be compiled; nothing is written then.
    """
    from snnc.backends.files import target_of
    from snnc.backends.netx.writer import write

    chosen = compile_options("compile", options)
    path = Path(output) if output is not None else beside(Path(model), ".h5")
    inputs = files_among([model], chosen.calibration)
    target_of(path, inputs=inputs)
    opened = open_model(Path(model), chosen, progress)
    network = opened.compiled(chosen, watch)
    if map:
        network = placed(network)
    session = opened.session
    if session is None:
        found = Compilation(path, network)
    else:
        losses = session.rounding_losses(network)
        network = _with_remarks(network, session.remarks(losses))
        found = Compilation(path, network, losses, session.calibration, opened.remarks)
    write(network, path, inputs=inputs)
    notes.tell((*network.provenance.remarks, *found.remarks))
    return found


def recognize(model: str | Path, *, input_shape: Sequence[int] = ()) -> Network:
    """Read an ONNX model up to its staircases: what `snnc inspect` shows of it.

    Raises:
        SnncError: with everything in the model that cannot be compiled.
    """
    options = CompileOptions(input_shape=tuple(input_shape))
    return open_model(Path(model), options).recognized(options)


def operators() -> Mapping[str, tuple[str, ...]]:
    """The ONNX operators that a model may have: "anywhere", and "at_the_end", where they decide.

    What computes constants alone is no part of it.
    """
    from snnc.frontends.onnx import operators as readers
    from snnc.frontends.onnx.loading import DECISIONS
    from snnc.frontends.onnx.registry import supported

    assert readers  # they register themselves
    return {"anywhere": supported(), "at_the_end": tuple(sorted(DECISIONS))}


def _with_remarks(network: SpikingNetwork, remarks: Sequence[str]) -> SpikingNetwork:
    origin = network.provenance
    return replace(network, provenance=replace(origin, remarks=(*origin.remarks, *remarks)))


def _session(
    network: Network, options: CompileOptions, progress: Progress | None
) -> CalibrationSession | None:
    """What the first of the calibration images tell, if there are any.

    Raises:
        SnncError: for images or options that are unsound.
    """
    if options.calibration is None:
        if options.levels is not None:
            what = f"{options.levels} levels, and no images to fit them to"
            raise refusal("`levels`", what, "give some with `calibration='images.npz'`")
        return None
    if problems := [*problems_of_numbers(options, network)]:
        raise SnncError(*problems)
    from snnc.calibration.session import CalibrationSession
    from snnc.runtime.progress import ignore as no_progress

    shape = network.input.shape
    source = encoding_of(options, network).input(network.input.name, planar(shape))
    images = accepted_images(options.calibration, source, limit=CALIBRATION_IMAGES)
    return CalibrationSession.of(images, source, shape, options.levels, progress or no_progress)
