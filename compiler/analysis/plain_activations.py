"""Activations without levels, ReLU, its kin and curves: where they are, and what replaces them.

Found by the algebra of `snnc.compiler.analysis.staircase`: what belongs to a staircase already is
left alone, in whatever order an exporter wrote its parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from snnc.compiler.analysis import staircase
from snnc.compiler.analysis.ramps import Ramps, Sums
from snnc.compiler.analysis.staircase import Atom, Form, NoStaircaseError, apply_form
from snnc.compiler.network import Builder, Network, Node
from snnc.compiler.operators import (
    Affine,
    Clip,
    Curve,
    Elementwise,
    Floats,
    Floor,
    Operator,
    Staircase,
)


@dataclass(frozen=True, eq=False)
class Qcfs:
    """low + λ/L · clip(⌊(x + shift − low)·L/λ + ½⌋, 0, L)."""

    levels: int
    """L."""
    threshold: float
    """λ."""
    low: float = 0.0
    shift: Floats = field(default_factory=lambda: np.array(0.0))
    """Broadcasts over a sample."""

    @property
    def step(self) -> float:
        """The real value of one level."""
        return self.threshold / self.levels

    @property
    def populations(self) -> int:
        """A single one."""
        return 1

    @property
    def span(self) -> tuple[float, float]:
        """Where its levels begin and end."""
        return self.low, self.low + self.threshold

    def apply(self, sums: Sums) -> Sums:
        """What comes of sums, in their precision."""
        kind = sums.dtype.type
        values = sums * kind(1 / self.step)
        values += ((self.shift - self.low) / self.step + 0.5).astype(kind)
        np.floor(values, out=values)
        np.clip(values, 0, self.levels, out=values)
        values *= kind(self.step)
        values += kind(self.low)
        return values

    def add_to(self, builder: Builder, name: str, source: str) -> str:
        """Write it behind a source in parts, as the recogniser of staircases reads them."""
        parts: Mapping[str, Operator] = {
            "levels": Affine(np.array(1 / self.step), (self.shift - self.low) / self.step + 0.5),
            "floor": Floor(),
            "clip": Clip(np.array(0.0), np.array(float(self.levels))),
            "value": Affine(np.array(self.step), np.array(self.low)),
        }
        for role, operator in parts.items():
            source = builder.add(f"{name}.{role}", operator, source)
        return source


Activation: TypeAlias = Qcfs | Ramps
"""What stands in the place of an activation, and has levels."""


def isolate_activations(network: Network) -> tuple[Network, tuple[Node, ...]]:
    """Write every activation without levels as one clip or curve of the sum before it.

    Returns:
        The network, the same object if nothing was to be done, and these clips and curves in order.
    """
    walk = _Walk(network)
    plain = walk.plain()
    if any(name in walk.nested for name in plain):
        network = _isolated(network, {n: a for n, a in plain.items() if n in walk.nested})
    return network, tuple(
        node for node in network if node.name in plain or isinstance(node.operator, Curve)
    )


def insert_activations(network: Network, activations: Mapping[str, Activation]) -> Network:
    """Put what has levels in the place of each clip and curve that is named."""
    builder, renamed = Builder(), dict[str, str]()
    for node in network:
        sources = tuple(renamed[each] for each in node.sources)
        if node.name in activations:
            renamed[node.name] = activations[node.name].add_to(builder, node.name, *sources)
        else:
            renamed[node.name] = builder.add(node.name, node.operator, *sources)
    return network.replaced(builder.nodes(renamed[network.output.name]))


class _Walk:
    """What every element-wise node is in the algebra, and which atoms others get to see."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.forms: dict[str, Form] = {}
        self.clips: dict[str, Atom] = {}
        self.nested: set[str] = set()
        """Clips of what is clipped already."""
        self.shown: list[Atom] = []
        for node in network:
            self.forms[node.name] = self.form(node)
        self.show([network.output.name])

    def plain(self) -> Mapping[str, Atom]:
        """The clips that are shown as they are: nobody rounds them."""
        return {
            name: atom
            for name, atom in self.clips.items()
            if np.isfinite(atom.low).all()
            and all(np.all(each == each.flat[0]) for each in (atom.low, atom.high))
            and any(atom.equals(each) for each in self.shown)
        }

    def form(self, node: Node) -> Form:
        """As far as the algebra carries; what it cannot follow is a tensor of its own."""
        operator = node.operator
        if not isinstance(operator, Elementwise) or isinstance(operator, Staircase):
            self.show(node.sources)
            return staircase.opaque(node.name)
        sources = [self.forms[each] for each in node.sources]
        try:
            form = apply_form(node, sources)
        except NoStaircaseError:
            self.show(node.sources)
            sources = [staircase.opaque(each) for each in node.sources]
            form = self.alone(node, sources)
        if isinstance(operator, Clip) and form.terms and form.only[1].kind == "clipped":
            self.clips[node.name] = form.only[1]
            if sources[0].only[1].kind == "clipped":
                self.nested.add(node.name)
        return form

    def alone(self, node: Node, sources: list[Form]) -> Form:
        """What a node makes of tensors of which nothing is known; if nothing follows, itself."""
        try:
            return apply_form(node, sources)
        except NoStaircaseError:
            return staircase.opaque(node.name)

    def show(self, names: Iterable[str]) -> None:
        """These tensors are read by what is not element-wise."""
        self.shown += (atom for each in names for _, atom in self.forms[each].terms)


def _isolated(network: Network, clips: Mapping[str, Atom]) -> Network:
    builder, renamed = Builder(), dict[str, str]()
    for node in network:
        if node.name in clips:
            atom = clips[node.name]
            affine = Affine(atom.scale, atom.shift)
            sums = builder.add(f"{node.name}.sum", affine, renamed[atom.base])
            operator: Operator = Clip(atom.low, atom.high)
            renamed[node.name] = builder.add(node.name, operator, sums)
        else:
            sources = (renamed[each] for each in node.sources)
            renamed[node.name] = builder.add(node.name, node.operator, *sources)
    return network.replaced(builder.nodes(renamed[network.output.name]))
