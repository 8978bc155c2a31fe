"""Runs a neuron program for all neurons of a population at once, an instruction at a time.

Every number is checked as it is written: a register that lasts must fit its declared width, any
other the 24 bits of a state. Neurons that an `if` leaves out keep their registers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from snnc.compiler.laws import Integers
from snnc.compiler.programs.instructions import (
    ARRIVED,
    COUNTER,
    OF_OPERATOR,
    Assign,
    If,
    Instruction,
    Repeat,
    Spike,
)
from snnc.compiler.programs.program import Program
from snnc.compiler.target import LOIHI

OPERATORS: Mapping[str, Callable[..., Integers]] = MappingProxyType(
    {"+": np.add, "-": np.subtract, "<<": np.left_shift}
)
RELATIONS: Mapping[str, Callable[..., npt.NDArray[np.bool_]]] = MappingProxyType(
    {">=": np.greater_equal, ">": np.greater, "<": np.less, "!=": np.not_equal}
)
Mask = npt.NDArray[np.bool_]


class ProgramNeurons:
    """The neurons of one population, and how often they did what."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.operations: Counter[str] = Counter()
        """Of all neurons together, so far."""
        self.states: dict[str, Integers] = {
            each.name: np.zeros((*(each.length,) * (each.length > 0), *program.shape), np.int64)
            for each in program.states
        }
        self._bits = {each.name: each.bits for each in program.states if not each.length}
        self._constants = {each.name: each.values for each in program.constants}
        self._now: dict[str, Integers] = {}
        """What lasts for this time step alone."""
        self._sent = np.zeros(program.shape, np.int64)
        self._blocks = [tuple(program.at(step)) for step in range(program.period)]

    def step(self, now: int, arrived: npt.NDArray[np.integer]) -> Integers:  # type: ignore[type-arg]
        """Live through time step now, in which the weighted spikes arrived; give what is sent.

        Raises:
            OverflowError: naming the register.
        """
        self._sent = np.zeros(self.program.shape, np.int64)
        if now < self.program.first:
            return self._sent
        step = (now - self.program.first) % self.program.period
        everyone = np.ones(self.program.shape, np.bool_)
        self._count(everyone, "branch")
        for block in self._blocks[step]:
            self._now = {ARRIVED: np.asarray(arrived, np.int64)}
            self._now[COUNTER] = np.array(block.counter(step))
            self._run(block.code, everyone)
        return self._sent

    def _run(self, code: Sequence[Instruction], who: Mask) -> None:
        for each in code:
            match each:
                case Assign():
                    self._assign(each, who)
                case Spike(payload):
                    self._count(who, "spike")
                    self._sent = np.where(who, self._value(payload or "1"), self._sent)
                case If(first, relation, second, then, otherwise):
                    self._count(who, "compare", "branch")
                    holds = RELATIONS[relation](self._value(first), self._value(second))
                    self._run(then, who & holds)
                    self._run(otherwise, who & ~holds)
                case Repeat(last, body):
                    for count in range(last, -1, -1):
                        self._now[COUNTER] = np.array(count)
                        self._run(body, who)

    def _assign(self, each: Assign, who: Mask) -> None:
        self._count(who, OF_OPERATOR.get(each.operator, "copy"))
        value = self._value(each.first)
        if each.operator:
            value = OPERATORS[each.operator](value, self._value(each.second))
        self._check(each.target, value, who)
        if each.target.endswith("]"):
            bits = self._bits_of(each.target)
            bits[...] = np.where(who, value, bits)
        elif each.target in self.states:
            self.states[each.target] = np.where(who, value, self.states[each.target])
        else:
            self._now[each.target] = np.where(who, value, self._now.get(each.target, 0))

    def _value(self, name: str) -> Integers:
        if name.lstrip("-").isdecimal():
            return np.array(int(name))
        if name.endswith("]"):
            return self._bits_of(name)
        for place in (self._now, self.states, self._constants):
            if name in place:
                return place[name]
        raise KeyError(f"{self.program.layer}: {name} is no register of its program")

    def _bits_of(self, name: str) -> Integers:
        """The bit `r[k]` of a register of bits, of every neuron."""
        register, _, _ = name.partition("[")
        bit: Integers = self.states[register][int(self._now[COUNTER])]
        return bit

    def _check(self, target: str, value: Integers, who: Mask) -> None:
        top = 1 << self._bits.get(target, LOIHI.state_bits) - 1
        wrong = who & ((value < -top) | (value >= top))
        if wrong.any():
            found = np.broadcast_to(value, wrong.shape)[wrong][0]
            raise OverflowError(
                f"{self.program.layer}: {target} is {found}; allowed: {-top}..{top - 1}"
            )

    def _count(self, who: Mask, *kinds: str) -> None:
        count = int(np.count_nonzero(who))
        for kind in kinds:
            self.operations[kind] += count
