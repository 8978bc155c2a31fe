"""Options that are settings of codes: their ranges, and what is said of one that a code lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

from snnc.compiler.codes.base import Code
from snnc.compiler.errors import Problem
from snnc.compiler.options import MOST_STEPS, CompileOptions, InputCode, counts_in_range

SETTINGS = ("timesteps", "rho", "iterations", "light")
CALIBRATION: Mapping[str, Any] = MappingProxyType({"rho": None, "iterations": None, "light": False})
"""The settings of a calibration, as they are where nobody gives them."""


def problems_of_settings(options: CompileOptions, code: type[Code]) -> Iterator[Problem]:
    """Settings out of range, or of another code."""
    known = {each.name for each in fields(code)}  # type: ignore[arg-type]
    steps = options.timesteps
    if steps is not None and not 1 <= steps <= MOST_STEPS:
        what = f"{steps} time steps; allowed: 1 to {MOST_STEPS}"
        yield Problem("`timesteps`", what, "leave it out to keep every level")
    elif steps is not None and "timesteps" not in known:
        what = f"{steps} with the code {code.name!r}, which takes one time step a layer"
        yield Problem("`timesteps`", what, "leave it out, or use another `code`")
    given = {k: getattr(options, k) for k, unset in CALIBRATION.items()}
    given = {k: value for k, value in given.items() if value != CALIBRATION[k]}
    yield from counts_in_range({k: (n,) for k, n in given.items() if n is not True})
    if foreign := [f"`{name}`" for name in given if name not in known]:
        what = f"calibrates offset spikes, and the code is {code.name!r}"
        yield Problem(", ".join(foreign), what, "add `code='offset-spike'`, or leave it out")


def graded_pixels_alone(code: str, wanted: InputCode | None, pixels: str) -> Iterator[Problem]:
    """The problem of bits, asked for where pixels are something else."""
    if wanted == "bits":
        what = f"{wanted!r} with the code {code!r}, whose input is {pixels}; allowed: graded"
        yield Problem("`input_code`", what, "leave it out")
