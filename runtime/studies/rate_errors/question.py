"""What the study of rate errors is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from snnc.compiler.codes import Code, find_code
from snnc.compiler.codes.offset_spike import OffsetSpikeCode
from snnc.compiler.codes.rate import RateCode
from snnc.compiler.errors import Problem
from snnc.compiler.options import counts_in_range

UNEVEN = (RateCode, OffsetSpikeCode)
"""The codes whose spikes may come unevenly."""


@dataclass(frozen=True)
class Question:
    """A code and its settings, by the names of the options that give them."""

    code: str
    timesteps: Sequence[int]
    rho: int | None = None
    """Of offset-spike: time steps of one calibration; T by default."""
    iterations: int = 1
    """Of offset-spike: every number of calibrations up to this one."""
    light: bool = False
    """Of offset-spike: the light variant too."""

    @property
    def calibrates(self) -> bool:
        """Whether offset spikes are calibrated away."""
        return find_code(self.code) is OffsetSpikeCode


def problems_of_question(question: Question) -> Iterator[Problem]:
    """Whatever is wrong with what is asked for."""
    if find_code(question.code) not in UNEVEN:
        allowed = ", ".join(each.name for each in UNEVEN)
        what = f"{question.code!r} has no spikes that come unevenly; allowed: {allowed}"
        yield Problem("`code`", what, f"leave it out for {RateCode.name}")
    given = ["`rho`"] * (question.rho is not None) + ["`light`"] * question.light
    if given and find_code(question.code) is RateCode:
        what = f"calibrates offset spikes, and the code is {question.code!r}"
        mend = f"add `code={OffsetSpikeCode.name!r}`, or leave it out"
        yield Problem(", ".join(given), what, mend)
    rho = () if question.rho is None else (question.rho,)
    steps = tuple(question.timesteps)
    yield from counts_in_range(
        {"timesteps": steps, "iterations": (question.iterations,), "rho": rho}
    )
    if not steps:
        yield Problem("`timesteps`", "it is empty; at least one is needed", "leave it out")


def codes_of(question: Question) -> Iterator[Code]:
    """The codes to compile: one for each T; variants of a compiled network answer the rest."""
    for steps in dict.fromkeys(question.timesteps):
        if question.calibrates:
            yield OffsetSpikeCode(steps, question.rho or steps, question.iterations)
        else:
            yield RateCode(steps)
