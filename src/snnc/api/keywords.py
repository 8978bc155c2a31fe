"""The options of the verbs as keywords: those of a compilation, and those of a study besides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from snnc.api.given import in_memory
from snnc.compiler.errors import SnncError
from snnc.compiler.options import CompileKeywords, CompileOptions, ModelKeywords

if TYPE_CHECKING:
    from snnc.runtime.progress import Progress
    from snnc.runtime.spread import Spread

SEQUENCES = ("input_range", "mean", "std", "input_shape", "labels")
"""Options that are kept as tuples, whatever sequence is given."""
CALIBRATION_IMAGES = 1024
"""The first of them; more would hardly change anything."""


class StudyKeywords(ModelKeywords, total=False):
    """What `sweep` and `errors` take besides what they vary themselves."""

    limit: int | None
    """Use the first images only."""
    clip_input: bool
    """Clip values outside the range."""
    plot: str | Path | None
    """A .png, .pdf or .svg to draw."""
    progress: Progress | None
    """Called as images are done."""


@dataclass(frozen=True)
class StudyOptions:
    """The options of a study that are none of its compilations."""

    limit: int | None = None
    clip_input: bool = False
    plot: str | Path | None = None
    progress: Progress | None = None

    @property
    def figure(self) -> Path | None:
        """The file to draw."""
        return None if self.plot is None else Path(self.plot)


class PlaceKeywords(TypedDict, total=False):
    """Who does the work; the result is the same, whoever does."""

    workers: int
    """Processes of this machine, each with a simulator of its own; by default 1, the caller's."""
    scheduler: str | None
    """The address of a scheduler of Dask, whose workers do the work: extra `dask`."""


class SpreadKeywords(PlaceKeywords, total=False):
    """Who runs the images, and in which parts."""

    chunk: int | None
    """Images that are run as one part, by a simulator that starts for them."""
    checkpoint: str | Path | None
    """A folder that keeps finished parts: the same run goes on there."""


class SweepKeywords(StudyKeywords, PlaceKeywords, total=False):
    """What `sweep` takes besides what it varies itself."""


STUDY = tuple(each.name for each in fields(StudyOptions))


def compile_options(verb: str, keywords: CompileKeywords) -> CompileOptions:
    """The options of a compilation.

    Raises:
        TypeError: for a keyword that is none of them.
    """
    return _compile_options(verb, keywords, CompileKeywords.__annotations__)


def study_options(verb: str, keywords: StudyKeywords) -> tuple[StudyOptions, CompileOptions]:
    """The options of a study, and what they say of its compilations.

    Raises:
        TypeError: for a keyword that is none of them.
    """
    study = {name: value for name, value in keywords.items() if name in STUDY}
    others = {name: value for name, value in keywords.items() if name not in STUDY}
    options = _compile_options(verb, others, ModelKeywords.__annotations__)
    return StudyOptions(**study), options  # type: ignore[arg-type]


def spread_of(verb: str, keywords: SpreadKeywords) -> Spread:
    """Who runs the images.

    Raises:
        TypeError: for a keyword that is none of `SpreadKeywords`.
        SnncError: for a value that is not allowed.
    """
    from snnc.runtime.spread import Spread

    _check_names(verb, keywords, SpreadKeywords.__annotations__)
    given: Any = dict(keywords)
    if given.get("checkpoint") is not None:
        given["checkpoint"] = Path(given["checkpoint"])
    spread = Spread(**given)
    if problems := [*spread.problems()]:
        raise SnncError(*problems)
    return spread


def sweep_options(keywords: SweepKeywords) -> tuple[Spread, StudyOptions, CompileOptions]:
    """Who measures the points of a sweep, and the options of the study.

    Raises:
        TypeError: for a keyword that is none of them.
        SnncError: for a value that is not allowed.
    """
    names = PlaceKeywords.__annotations__
    place: Any = {name: value for name, value in keywords.items() if name in names}
    others: Any = {name: value for name, value in keywords.items() if name not in names}
    return spread_of("sweep", place), *study_options("sweep", others)


def _compile_options(
    verb: str, keywords: Mapping[str, object], known: Iterable[str]
) -> CompileOptions:
    _check_names(verb, keywords, known)
    return CompileOptions(**dict(_as_stored(keywords)))


def _check_names(verb: str, keywords: Iterable[str], known: Iterable[str]) -> None:
    for name in keywords:
        if name not in known:
            raise TypeError(f"{verb}() got an unexpected keyword argument {name!r}")


def _as_stored(keywords: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in keywords.items():
        if name == "calibration" and not isinstance(value, str | Path | None):
            yield name, in_memory(value, CALIBRATION_IMAGES)
        else:
            yield name, tuple(value) if name in SEQUENCES else value
