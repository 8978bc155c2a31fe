"""The instructions of neuron programs, their text, and the operations that they take.

    v <- v + a          a register takes a sum, a difference, a number shifted left, or a copy
    if v >= θ:          what stands indented below runs where the comparison holds,
    else:               or where it does not
    repeat k = 2..0:    once for each k; a chip without loops has the lines several times
    spike               a spike leaves the neuron
    spike n             … with a payload

A name is a register, a constant of the neuron, `a`, which is what arrives in this time step, or
`k`. `r[k]` is bit k of a register of bits.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from textwrap import dedent, indent
from typing import TypeAlias

OPERATIONS = ("add", "subtract", "shift", "copy", "compare", "branch", "spike")
"""What is counted, in the order in which it is shown."""
OF_OPERATOR = {"+": "add", "-": "subtract", "<<": "shift"}
COUNTER = "k"
ARRIVED = "a"

_WORD = r"(-?\w+(?:\[k\])?)"
_ASSIGN = re.compile(rf"{_WORD} <- {_WORD}(?: (\+|-|<<) {_WORD})?")
_IF = re.compile(rf"if {_WORD} (>=|>|<|!=) {_WORD}:")
_REPEAT = re.compile(r"repeat k = (\d+)\.\.0:")
_SPIKE = re.compile(rf"spike(?: {_WORD})?")


@dataclass(frozen=True)
class Assign:
    """A register takes a number, or what one operation makes of two."""

    target: str
    first: str
    operator: str = ""
    second: str = ""

    def __str__(self) -> str:
        return f"{self.target} <- {self.first} {self.operator} {self.second}".rstrip()


@dataclass(frozen=True)
class If:
    """One of two sequences runs; which, a comparison says."""

    first: str
    relation: str
    second: str
    then: tuple[Instruction, ...]
    otherwise: tuple[Instruction, ...] = ()

    def __str__(self) -> str:
        below = f"if {self.first} {self.relation} {self.second}:\n{_indented(self.then)}"
        return f"{below}\nelse:\n{_indented(self.otherwise)}" if self.otherwise else below


@dataclass(frozen=True)
class Repeat:
    """The same for k = last … 0."""

    last: int
    body: tuple[Instruction, ...]

    def __str__(self) -> str:
        return f"repeat k = {self.last}..0:\n{_indented(self.body)}"


@dataclass(frozen=True)
class Spike:
    """What leaves the neuron: 1, or a number."""

    payload: str = ""

    def __str__(self) -> str:
        return f"spike {self.payload}".rstrip()


Instruction: TypeAlias = Assign | If | Repeat | Spike


def text_of(code: Sequence[Instruction]) -> str:
    """The instructions, a line each."""
    return "\n".join(map(str, code))


def parsed(text: str) -> tuple[Instruction, ...]:
    """The instructions of a text; blank lines part nothing.

    Raises:
        ValueError: for a line that is none.
    """
    lines = [line for line in dedent(text).splitlines() if line.strip()]
    return _parsed(lines)


def _parsed(lines: Sequence[str]) -> tuple[Instruction, ...]:
    """The instructions of lines of one depth, and of what is indented below them."""
    found: list[Instruction] = []
    for head, below in _parts(lines):
        inner = _parsed([line[4:] for line in below])
        last = found[-1] if found else None
        if head == "else:" and isinstance(last, If) and not last.otherwise:
            found[-1] = If(last.first, last.relation, last.second, last.then, inner)
        else:
            found.append(_instruction(head, inner))
    return tuple(found)


def _instruction(head: str, inner: tuple[Instruction, ...]) -> Instruction:
    if inner and (match := _IF.fullmatch(head)):
        return If(match[1], match[2], match[3], inner)
    if inner and (match := _REPEAT.fullmatch(head)):
        return Repeat(int(match[1]), inner)
    if not inner and (match := _ASSIGN.fullmatch(head)):
        return Assign(match[1], match[2], match[3] or "", match[4] or "")
    if not inner and (match := _SPIKE.fullmatch(head)):
        return Spike(match[1] or "")
    raise ValueError(f"{head!r} is no instruction of a neuron program")


def _parts(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Each line that is not indented, and those that are indented below it."""
    heads = [i for i, line in enumerate(lines) if not line.startswith(" ")]
    if lines and heads[:1] != [0]:
        raise ValueError(f"{lines[0]!r} is indented below nothing")
    for begin, end in pairwise([*heads, len(lines)]):
        yield lines[begin], list(lines[begin + 1 : end])


def _indented(code: Sequence[Instruction]) -> str:
    return indent(text_of(code), "    ")


@dataclass(frozen=True)
class Operations:
    """How often a neuron does what: on its shortest way through some instructions, and its longest.

    The longest takes every comparison the way that costs more, whether or not one number can.
    """

    least: Counter[str]
    most: Counter[str]

    @classmethod
    def none(cls) -> Operations:
        """Of no instruction."""
        return cls(Counter(), Counter())

    @classmethod
    def always(cls, *kinds: str) -> Operations:
        """Those that every neuron does."""
        return cls(Counter(kinds), Counter(kinds))

    @property
    def range(self) -> tuple[int, int]:
        """All of them: the least and the most."""
        return self.least.total(), self.most.total()

    def __add__(self, other: Operations) -> Operations:
        return Operations(self.least + other.least, self.most + other.most)

    def times(self, count: int) -> Operations:
        """The same, so often."""
        both = (Counter({k: n * count for k, n in c.items()}) for c in (self.least, self.most))
        return Operations(*both)

    def or_else(self, other: Operations) -> Operations:
        """One way or the other."""
        ways = self.least, other.least, self.most, other.most
        return Operations(min(ways[:2], key=Counter.total), max(ways[2:], key=Counter.total))


def operations_of(code: Sequence[Instruction]) -> Operations:
    """What a neuron does in some instructions."""
    found = Operations.none()
    for each in code:
        found += _operations(each)
    return found


def _operations(instruction: Instruction) -> Operations:
    match instruction:
        case Assign(operator=operator):
            return Operations.always(OF_OPERATOR.get(operator, "copy"))
        case Spike():
            return Operations.always("spike")
        case Repeat(last, body):
            return operations_of(body).times(last + 1)
        case If(then=then, otherwise=otherwise):
            ways = operations_of(then).or_else(operations_of(otherwise))
            return Operations.always("compare", "branch") + ways
