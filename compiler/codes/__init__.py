"""The codes: how a level becomes spikes; docs/codes holds a page on every one of them."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from snnc.compiler.codes.base import Code, SweepGrid, SweepPoint
from snnc.compiler.codes.bit_serial import BitSerialCode
from snnc.compiler.codes.delta import DeltaCode
from snnc.compiler.codes.graded import GradedCode
from snnc.compiler.codes.offset_spike import OffsetSpikeCode
from snnc.compiler.codes.one_spike import OneSpikeCode
from snnc.compiler.codes.rate import RateCode
from snnc.compiler.codes.settings import problems_of_settings
from snnc.compiler.errors import Problem, SnncError
from snnc.compiler.options import CompileOptions
from snnc.compiler.target import Target

CODES: Mapping[str, type[Code]] = MappingProxyType(
    {
        each.name: each
        for each in (BitSerialCode, RateCode, OffsetSpikeCode, OneSpikeCode, GradedCode, DeltaCode)
    }
)
"""Every code by its name."""


def code_of(options: CompileOptions, target: Target) -> Code:
    """The code that options ask for, with its settings.

    Raises:
        SnncError: with whatever does not fit together.
    """
    problems = tuple(problems_of_options(options, target))
    if problems:
        raise SnncError(*problems)
    return CODES[options.code].of(options)


def problems_of_options(options: CompileOptions, target: Target) -> Iterator[Problem]:
    """Whatever does not fit together, with a mend."""
    if options.code not in CODES:
        yield unknown_code("code", options.code, "leave it out for bit-serial")
        return
    code = CODES[options.code]
    if target.stock_only and not code.runs_on_stock:
        what = (
            f"{code.name!r} on {target.name}, which has no programmable neurons and no graded "
            "spikes; allowed: one-spike, which stock CUBA neurons run"
        )
        yield Problem("`code`", what, "use `code='one-spike'`, or `target='loihi2'`")
    yield from problems_of_settings(options, code)
    yield from code.of(options).problems(options, target)
    if target.stock_only and options.input_of(target) == "graded":
        what = f"'graded' on {target.name}, which has no graded spikes; allowed: bits"
        yield Problem("`input_code`", what, "leave it out")


def unknown_code(option: str, name: str, mend: str) -> Problem:
    """The problem of a name that no code has."""
    return Problem(f"`{option}`", f"{name!r} is not a code; allowed: {', '.join(CODES)}", mend)


def find_code(name: str) -> type[Code] | None:
    """The code of a file, by its name; None for one that this snnc does not have."""
    return CODES.get(name)


__all__ = [
    "CODES",
    "Code",
    "SweepGrid",
    "SweepPoint",
    "code_of",
    "find_code",
    "problems_of_options",
    "unknown_code",
]
