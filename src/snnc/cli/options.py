"""The options of the commands: those of a compilation are derived from `CompileOptions`.

A command that takes `**options` of a compilation is decorated with `takes_options`; each field then
is a flag with its help and its default, and what the user wrote is parsed to the field's type.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import Field, fields
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, get_args, get_origin, get_type_hints

import typer

from snnc.cli.messages import as_flags, reports_problems
from snnc.compiler.codes import CODES
from snnc.compiler.errors import Problem, SnncError, refusal
from snnc.compiler.options import CompileOptions, ModelKeywords, WeightBits
from snnc.compiler.target import TARGETS
from snnc.runtime.engines import ENGINES
from snnc.runtime.engines.lava.engine import LAVA_MODELS

if TYPE_CHECKING:
    from snnc.runtime.output.tables import Column, View

Command: TypeAlias = Callable[..., None]

ModelFile = Annotated[Path, typer.Argument(help="MODEL.onnx")]
NetFile = Annotated[Path, typer.Argument(help="NET.h5 from snnc compile.")]
DataFile = Annotated[
    Path, typer.Argument(help="DATA.npz with x and perhaps labels y; or x alone, DATA.npy.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Limit = Annotated[int | None, typer.Option(help="Use the first images only.")]
ClipInput = Annotated[bool, typer.Option("--clip-input", help="Clip values outside the range.")]
Workers = Annotated[
    int, typer.Option(help="Processes that share the images, each with a simulator of its own.")
]
Scheduler = Annotated[
    str | None, typer.Option(help="ADDRESS of a Dask scheduler, whose workers share the images.")
]
Chunk = Annotated[
    int | None, typer.Option(help="Images that are run, and kept, as one part: --checkpoint.")
]
CheckpointFolder = Annotated[
    Path | None,
    typer.Option(help="A folder that keeps finished parts: the same run goes on there."),
]
InputShape = Annotated[
    str, typer.Option(help="Sizes of one sample, where the model leaves them open: 3,224,224")
]
TimeSteps = Annotated[str, typer.Option(help="Time steps T; a point for each.")]
Slack = Annotated[
    float, typer.Option(help="For less time, so many more cores of a layer than the fewest.")
]
Wide = Annotated[bool, typer.Option("--wide", help="Show all columns of a table, whole.")]
Columns = Annotated[str, typer.Option(help="Show these columns of a table: shape,T,threshold")]
Plot = Annotated[Path | None, typer.Option(help="Also draw a .png, .pdf or .svg.")]

WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")
SPIKING = " or ".join(name for name, each in ENGINES.items() if each.sends_spikes)
"""The engines that are held against golden."""
CHOICES: Mapping[str, Iterable[str]] = MappingProxyType(
    {"target": TARGETS, "code": CODES, "engine": ENGINES, "lava_model": LAVA_MODELS}
)
"""What may be chosen, where names are looked up."""


def completing(option: str) -> Callable[[], list[str]] | None:
    """What a shell offers for an option: the names among which one chooses."""
    return (lambda: list(CHOICES[option])) if option in CHOICES else None


def takes_options(kind: type[ModelKeywords]) -> Callable[[Command], Command]:
    """Derive the options of a command from those fields of `CompileOptions` that are keywords.

    Args:
        kind: the keywords.
    """
    hints = get_type_hints(CompileOptions)
    chosen = [each for each in fields(CompileOptions) if each.name in kind.__annotations__]
    parsers = {each.name: _parser(each.name, hints[each.name]) for each in chosen}

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def parsed(**given: Any) -> None:  # noqa: ANN401
            with reports_problems():
                options = {name: parse(given.pop(name)) for name, parse in parsers.items()}
            command(**given, **options)

        signature = inspect.signature(command, eval_str=True)
        own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        derived = [_parameter(each, hints[each.name]) for each in chosen]
        parameters = [*own, *derived]
        parsed.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        parsed.__annotations__ = {each.name: each.annotation for each in parameters}
        return parsed

    return decorate


def whole_numbers(name: str, text: str) -> tuple[tuple[int, ...], list[Problem]]:
    """The whole numbers of a list, and what is none."""
    words = text.replace(",", " ").split()
    wrong = [each for each in words if not WHOLE_NUMBER.fullmatch(each)]
    problems = [
        Problem(f"`{name}`", f"{each!r} is no whole number", "write 1,2,4") for each in wrong
    ]
    found = tuple(int(each) for each in words if each not in wrong)
    # nothing is left of a list that is wrong, which does not make it empty
    return found or (1,) * bool(wrong), problems


def names(text: str) -> tuple[str, ...]:
    """The names of a list."""
    return tuple(text.replace(",", " ").split())


def view_of(wide: bool, columns: str, *tables: Sequence[Column[Any]]) -> View:
    """What a user wants to see of the tables of a command.

    Raises:
        SnncError: for a column that none of them has.
    """
    from snnc.runtime.output.tables import View

    known = {_typed(each.name): each.name for table in tables for each in table}
    wanted = [_typed(each) for each in columns.split(",") if each.strip()]
    if unknown := [each for each in wanted if each not in known]:
        what = f"no table here has {', '.join(map(repr, unknown))}; allowed: {', '.join(known)}"
        raise refusal("`columns`", what, "choose some of them")
    return View(wide, tuple(known[each] for each in wanted))


def _typed(name: str) -> str:
    """A name without what is hard to type: small letters, hyphens for spaces."""
    return name.strip().lower().replace(" ", "-")


LavaProcesses = Annotated[
    str,
    typer.Option(
        autocompletion=completing("lava_model"),
        help=f"What a process of Lava is: {' or '.join(LAVA_MODELS)}; both give the same.",
    ),
]


def engine_name(name: str) -> str:
    """Let only names of engines pass.

    Raises:
        typer.BadParameter: for any other.
    """
    if name not in ENGINES:
        raise typer.BadParameter(f"{name!r} is no engine; allowed: {', '.join(ENGINES)}")
    return name


def _parameter(field: Field[Any], kind: Any) -> inspect.Parameter:  # noqa: ANN401
    """A field as a keyword that typer understands."""
    text = as_flags(field.metadata["help"])
    if field.name in CHOICES:
        text = f"{text.removesuffix('.')}: {', '.join(CHOICES[field.name])}."
    flag = [f"--{field.name.replace('_', '-')}"] if kind is bool else []
    default = "" if _is_list(kind) else _as_written(field.default, kind)
    described = typer.Option(*flag, help=text, autocompletion=completing(field.name))
    annotation: Any = Annotated[_flag_type(kind), described]
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(field.name, keyword, default=default, annotation=annotation)


def _flag_type(kind: Any) -> Any:  # noqa: ANN401
    """The type that typer reads: a list is text, and of images a file."""
    if _is_list(kind) or kind == WeightBits:
        return str
    return Path | None if Path in get_args(kind) else kind


def _is_list(kind: Any) -> bool:  # noqa: ANN401
    """Whether a field holds any number of values."""
    return get_origin(kind) is tuple and get_args(kind)[-1] is Ellipsis


def _parser(name: str, kind: Any) -> Callable[[Any], Any]:  # noqa: ANN401
    """What makes the value of a field of what typer read."""
    if kind == WeightBits:
        return functools.partial(_number_or_word, name, get_args(get_args(kind)[1]))
    if not _is_list(kind):
        return lambda value: value
    if get_args(kind)[0] is int:
        return sizes
    return functools.partial(_numbers, name) if get_args(kind)[0] is float else _labels


def _numbers(name: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(each) for each in text.replace(",", " ").split())
    except ValueError:
        what = f"{text!r} is not a list of numbers"
        raise refusal(f"`{name}`", what, "write 0.49,0.48,0.45") from None


def sizes(text: str) -> tuple[int, ...]:
    """The sizes of a sample.

    Raises:
        SnncError: for what is none.
    """
    found, problems = whole_numbers("input_shape", text)
    if problems:
        raise SnncError(*problems)
    return found


def _as_written(default: Any, kind: Any) -> Any:  # noqa: ANN401
    return str(default) if kind == WeightBits else default


def _number_or_word(name: str, words: tuple[str, ...], text: str) -> int | str:
    """A whole number, or one of some words."""
    if text in words:
        return text
    if not WHOLE_NUMBER.fullmatch(text):
        what = f"{text!r} is no whole number; allowed besides: {', '.join(words)}"
        raise refusal(f"`{name}`", what, "write 4")
    return int(text)


def _labels(text: str) -> tuple[str, ...]:
    """Labels may hold spaces."""
    return tuple(each.strip() for each in text.split(",") if each.strip())
