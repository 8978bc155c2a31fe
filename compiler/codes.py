"""The codes: how a level becomes spikes. What may be chosen, and what fits together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

from snnc.compiler.errors import Problem
from snnc.compiler.neurons import Integers, OffsetSpike, Rate
from snnc.compiler.spiking import InputCode
from snnc.compiler.target import Target

Code: TypeAlias = Literal["bit-serial", "rate", "offset-spike", "one-spike", "graded"]
CODES: tuple[Code, ...] = get_args(Code)
RATE_CODES: tuple[Code, ...] = ("rate", "offset-spike")
"""Codes of neurons that integrate and fire; they approximate the levels of a network."""
SPIKES_COUNT: tuple[Code, ...] = (*RATE_CODES, "one-spike")
"""Codes in which a level is a number of spikes, each worth as much as the others."""
DEFAULT_RHO = 4
"""As in Hao et al., ICLR 2023."""
MOST_STEPS = 1 << 12


@dataclass(frozen=True)
class Coding:
    """A code and its settings; None where the user leaves one to the compiler."""

    code: Code = "bit-serial"
    time_steps: int | None = None
    """T. Bit-serial: fewer than the levels have bits make it coarser. One-spike: the groups."""
    rho: int | None = None
    iterations: int | None = None
    light: bool = False

    @property
    def counts_spikes(self) -> bool:
        """Whether a level is a number of equal spikes."""
        return self.code in SPIKES_COUNT

    @property
    def steps(self) -> int:
        """T, once it is settled."""
        assert self.time_steps is not None
        return self.time_steps

    def settled(self, levels: int) -> Coding:
        """The same for a network of so many levels: as many time steps, where none were chosen."""
        if not self.counts_spikes:
            return self
        rho = DEFAULT_RHO if self.rho is None else self.rho
        iterations = 1 if self.iterations is None else self.iterations
        time_steps = levels if self.time_steps is None else self.time_steps
        return replace(self, time_steps=time_steps, rho=rho, iterations=iterations)

    def neuron(self, step: Integers) -> Rate | OffsetSpike:
        """The rate neuron of this code, with v(0) = θ/2."""
        if self.code != "offset-spike":
            return Rate(step, step // 2, self.steps)
        assert self.rho is not None
        assert self.iterations is not None
        return OffsetSpike(step, step // 2, self.steps, self.rho, self.iterations, self.light)


def problems_of(coding: Coding, target: Target, input_code: InputCode) -> Iterator[Problem]:
    """Whatever does not fit together, with a mend."""
    code = coding.code
    if code not in CODES:
        what = f"{code!r} is not a code; allowed: {', '.join(CODES)}"
        yield Problem("--code", what, "leave it out for bit-serial")
        return
    if target.stock_only and code != "one-spike":
        what = (
            f"{code!r} on {target.name}, which has no programmable neurons and no graded spikes; "
            "allowed: one-spike, which stock CUBA neurons run"
        )
        yield Problem("--code", what, "use --code one-spike, or --target loihi")
    yield from _problems_of_steps(coding)
    yield from _problems_of_calibration(coding)
    if code in RATE_CODES and input_code != "graded":
        what = f"{input_code!r} with the code {code!r}, whose input is a current; allowed: graded"
        yield Problem("--input-code", what, "leave it out")
    if target.stock_only and input_code == "graded":
        what = f"'graded' on {target.name}, which has no graded spikes; allowed: bits"
        yield Problem("--input-code", what, "leave it out")


def _problems_of_steps(coding: Coding) -> Iterator[Problem]:
    steps = coding.time_steps
    if steps is None:
        return
    if not 1 <= steps <= MOST_STEPS:
        mend = "leave it out to keep every level"
        yield Problem("--timesteps", f"{steps} time steps; allowed: 1 to {MOST_STEPS}", mend)
    elif coding.code == "graded":
        what = f"{steps} with the code 'graded', which takes one time step a layer"
        yield Problem("--timesteps", what, "leave it out, or use another --code")


def _problems_of_calibration(coding: Coding) -> Iterator[Problem]:
    given = {"--rho": coding.rho, "--iterations": coding.iterations}
    for option, number in given.items():
        if number is not None and not 1 <= number <= MOST_STEPS:
            yield Problem(option, f"{number}; allowed: 1 to {MOST_STEPS}", "leave it out")
    used = [option for option, number in given.items() if number is not None]
    used += ["--light"] * coding.light
    if used and coding.code != "offset-spike":
        what = f"calibrates offset spikes, and the code is {coding.code!r}"
        yield Problem(", ".join(used), what, "add --code offset-spike, or leave it out")
    elif coding.light and (coding.iterations or 1) > 1:
        what = f"{coding.iterations} with --light, which keeps the residual once"
        yield Problem("--iterations", what, "leave one of them out")
