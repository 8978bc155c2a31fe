"""A neuron program: registers, constants, and what is done in which time step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from textwrap import indent
from typing import Any

from snnc.compiler.laws import Integers
from snnc.compiler.laws.base import Shape, span_of
from snnc.compiler.programs.instructions import (
    ARRIVED,
    COUNTER,
    OPERATIONS,
    Instruction,
    Operations,
    operations_of,
    text_of,
)

TITLE = "neuron program (register transfer), not Loihi 2 assembly"


@dataclass(frozen=True)
class State:
    """A register that outlives a time step; 0 at first."""

    name: str
    bits: int
    """Signed width; every value that it takes is proved to fit."""
    meaning: str
    length: int = 0
    """Of a register of bits: how many; 0 of a number."""


@dataclass(frozen=True, eq=False)
class Constant:
    """What a neuron is given once."""

    name: str
    values: Integers
    """They broadcast over the neurons."""
    meaning: str


@dataclass(frozen=True)
class Block:
    """What is done in some steps of the period."""

    when: str
    steps: tuple[int, ...]
    """Counted from the first arrival on, modulo the period."""
    code: tuple[Instruction, ...]
    counts: tuple[int, ...] = ()
    """k in each of the steps, where the code asks for it."""

    def counter(self, step: int) -> int:
        """K in one of the steps."""
        return self.counts[self.steps.index(step)] if self.counts else 0

    def __str__(self) -> str:
        steps = f"t = {_listed(self.steps)}"
        counts = f", {COUNTER} = {_listed(self.counts)}" if self.counts else ""
        return f"{self.when}: {steps}{counts}\n{indent(text_of(self.code), '    ')}"


@dataclass(frozen=True, eq=False)
class Program:
    """What every neuron of a population does."""

    layer: str
    law: str
    shape: Shape
    """Of the neurons; copies come first, each a neuron of its own."""
    first: int
    """The time step in which the first spike of image 0 arrives: t = 0."""
    period: int
    states: tuple[State, ...]
    constants: tuple[Constant, ...]
    blocks: tuple[Block, ...]
    """In a time step those that have it run, one after the other."""

    def at(self, step: int) -> Iterator[Block]:
        """The blocks that run in a step of the period."""
        return (each for each in self.blocks if step in each.steps)

    def operations(self, step: int) -> Operations:
        """What a neuron does in a step of the period; one branch on t leads to it."""
        found = Operations.always("branch")
        for each in self.at(step):
            found += operations_of(each.code)
        return found

    @property
    def operations_per_image(self) -> Operations:
        """What a neuron does in a whole period."""
        found = Operations.always("branch").times(self.period)
        for each in self.blocks:
            found += operations_of(each.code).times(len(each.steps))
        return found

    @property
    def alike(self) -> Mapping[tuple[Block, ...], Sequence[int]]:
        """The steps of the period, those in which the same blocks run together."""
        running: list[tuple[Block, ...]] = [()] * self.period
        for block in self.blocks:
            for step in block.steps:
                running[step] += (block,)
        found: dict[tuple[Block, ...], list[int]] = {}
        for step, blocks in enumerate(running):
            found.setdefault(blocks, []).append(step)
        return found

    @property
    def state_bits(self) -> int:
        """The bits of all states of a neuron."""
        return sum(each.length or each.bits for each in self.states)

    @property
    def instructions(self) -> int:
        """Lines of code, each block once."""
        return sum(len(text_of(each.code).splitlines()) for each in self.blocks)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def as_json(self) -> dict[str, Any]:
        """What the listing says."""
        return {
            "layer": self.layer,
            "law": self.law,
            "first": self.first,
            "period": self.period,
            "states": [asdict(each) for each in self.states],
            "constants": [
                {"name": each.name, "meaning": each.meaning, "range": _range(each.values)}
                for each in self.constants
            ],
            "blocks": [
                {
                    "when": each.when,
                    "steps": each.steps,
                    "k": each.counts,
                    "code": text_of(each.code).splitlines(),
                }
                for each in self.blocks
            ],
            "operations": [_counts(self.operations(step)) for step in range(self.period)],
        }

    def lines(self) -> Iterator[str]:
        """The listing."""
        yield f"{self.layer}: {TITLE}"
        yield f"  {self.law}"
        yield (
            f"  t counts the time steps modulo {self.period}; t = 0 is time step {self.first}, "
            "before which nothing runs"
        )
        yield f"  {ARRIVED} is what arrives in a time step, {COUNTER} a number that t gives"
        yield "  states"
        for state in self.states:
            yield f"    {state.name:<9}{state.length or state.bits:>3} bits   {state.meaning}"
        yield "  constants"
        for constant in self.constants:
            yield f"    {constant.name:<9}{span_of(constant.values)}: {constant.meaning}"
        for block in self.blocks:
            yield from indent(str(block), "  ").splitlines()
        yield "  operations of a neuron, a branch on t among them"
        yield from (f"    {line}" for line in self._counted())

    def _counted(self) -> Iterator[str]:
        """The operations of each time step, alike ones together."""
        counted: dict[tuple[int, int], list[int]] = {}
        for steps in self.alike.values():
            counted.setdefault(self.operations(steps[0]).range, []).extend(steps)
        for (least, most), found in counted.items():
            yield f"t = {_listed(sorted(found))}: {_span(least, most)}"
        period = f"{self.period} time step{'s' * (self.period > 1)}"
        yield f"an image: {_span(*self.operations_per_image.range)} in {period}"


def _counts(operations: Operations) -> dict[str, dict[str, int]]:
    """Every kind by its name, the least and the most of it on the two ways."""
    ways = {"least": operations.least, "most": operations.most}
    return {way: {kind: found[kind] for kind in OPERATIONS} for way, found in ways.items()}


def _range(values: Integers) -> tuple[int, int]:
    return int(values.min()), int(values.max())


def _span(least: int, most: int) -> str:
    return str(least) if least == most else f"{least} to {most}"


def _listed(numbers: Sequence[int]) -> str:
    """Numbers, runs of more than two by their ends."""
    parts: list[list[int]] = []
    for each in numbers:
        run = parts[-1] if parts else []
        rise = run[1] - run[0] if len(run) > 1 else each - run[0] if run else 0
        if run and rise in (1, -1) and each - run[-1] == rise:
            run.append(each)
        else:
            parts.append([each])
    return ", ".join(f"{run[0]}..{run[-1]}" if len(run) > 2 else _few(run) for run in parts)


def _few(run: Sequence[int]) -> str:
    return ", ".join(map(str, run))
