"""The algebra of element-wise chains.

Every chain of affine maps, clips and roundings of one tensor x is a sum of terms k·atom plus an
offset, where an atom is x itself, clip(a·x + c, low, high) or ⌊a·x + c⌋ within low … high. Each
operator maps such a form to another, exactly, because floor and clip are monotone:

    ⌊clip(u, low, high)⌋ = clip(⌊u⌋, ⌊low⌋, ⌊high⌋)

So the order in which an exporter wrote the parts does not matter; and the straight-through trick
u + (⌊u⌋ − u) comes out as ⌊u⌋, because the terms in u cancel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from snnc.compiler.network import Node
from snnc.compiler.operators import Add, Affine, Clip, Floats, Floor, Round, per_channel

Kind: TypeAlias = Literal["linear", "clipped", "stepped"]
GRID_TOLERANCE = 1e-4
"""Bounds this near to a whole number are that number: float32 divisions made them differ."""


class NoStaircaseError(Exception):
    """The chain leaves the algebra; the message says why."""


@dataclass(frozen=True, eq=False)
class Atom:
    """x, clip(a·x + c, low, high), or the same with ⌊a·x + c⌋."""

    kind: Kind
    base: str
    scale: Floats
    shift: Floats
    low: Floats
    high: Floats

    def equals(self, other: Atom) -> bool:
        """Whether both are the same function of the same tensor."""
        ours = (self.scale, self.shift, self.low, self.high)
        theirs = (other.scale, other.shift, other.low, other.high)
        same = (np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))
        return self.kind == other.kind and self.base == other.base and all(same)


@dataclass(frozen=True, eq=False)
class Form:
    """Σ factor·atom + offset; factors and offset broadcast over a sample."""

    terms: tuple[tuple[Floats, Atom], ...]
    offset: Floats

    @property
    def only(self) -> tuple[Floats, Atom]:
        """The one term of a chain that does not branch."""
        if len(self.terms) != 1:
            raise NoStaircaseError("clips or rounds a sum of several activations")
        return self.terms[0]


def opaque(base: str) -> Form:
    """A tensor about which nothing is known."""
    one, zero, infinite = np.array(1.0), np.array(0.0), np.array(np.inf)
    return Form(((one, Atom("linear", base, one, zero, -infinite, infinite)),), zero)


def affine(form: Form, scale: Floats, offset: Floats) -> Form:
    """The form times scale, plus offset."""
    terms = tuple((factor * scale, atom) for factor, atom in form.terms)
    return Form(terms, form.offset * scale + offset)


def add(*forms: Form) -> Form:
    """The sum, with equal atoms taken together and those that cancel dropped."""
    terms: list[tuple[Floats, Atom]] = []
    for factor, atom in (term for form in forms for term in form.terms):
        same = next((i for i, (_, each) in enumerate(terms) if each.equals(atom)), None)
        if same is None:
            terms.append((factor, atom))
        else:
            terms[same] = (terms[same][0] + factor, atom)
    kept = tuple((factor, atom) for factor, atom in terms if np.any(factor != 0))
    return Form(kept, np.asarray(sum(form.offset for form in forms)))


def clip(form: Form, low: Floats, high: Floats) -> Form:
    """The form within low … high."""
    if not form.terms:
        return Form((), np.clip(form.offset, low, high))
    factor, atom = form.only
    if atom.kind == "stepped":
        return _clip_steps(form, low, high)
    inner = _scaled(atom, factor, form.offset)
    bounds = (np.clip(each, low, high) for each in (inner.low, inner.high))
    return _single(Atom("clipped", inner.base, inner.scale, inner.shift, *bounds))


def floor(form: Form) -> Form:
    """The whole numbers below the form."""
    if not form.terms:
        return Form((), np.floor(form.offset))
    factor, atom = form.only
    if atom.kind == "stepped":
        return _floor_steps(form)
    inner = _scaled(atom, factor, form.offset)
    low, high = (np.floor(_snap(each)) for each in (inner.low, inner.high))
    return _single(Atom("stepped", inner.base, inner.scale, inner.shift, low, high))


def with_constants(atom: Atom) -> Atom:
    """The same function, its constant channels with as many levels as the others.

    A norm that was pruned scales a channel away: it takes one value whatever x is. That is the
    lowest level of a staircase as high as the others.
    """
    scale, low, high = np.broadcast_arrays(atom.scale, atom.low, atom.high)
    constant = (scale == 0) & (low == high)
    if not constant.any() or constant.all():
        return atom
    height = (high - low)[~constant].max()
    shift, high = np.where(constant, low, atom.shift), np.where(constant, low + height, high)
    return Atom(atom.kind, atom.base, atom.scale, shift, low, high)


def apply_form(node: Node, sources: list[Form]) -> Form:
    """One element-wise operator, in the algebra.

    Raises:
        NoStaircaseError: for one that leaves the algebra.
    """
    operator = node.operator
    rank = len(node.shape)
    if isinstance(operator, Affine):
        return affine(sources[0], operator.scale, operator.offset)
    if isinstance(operator, Clip):
        return clip(sources[0], operator.low, operator.high)
    if isinstance(operator, Floor):
        return floor(sources[0])
    if isinstance(operator, Round):
        half = per_channel(np.array(0.5), rank)
        return floor(affine(sources[0], np.array(1.0), half))
    if isinstance(operator, Add):
        return add(*sources)
    raise NoStaircaseError(f"{operator} is no part of the algebra")


def _single(atom: Atom) -> Form:
    return Form(((np.array(1.0), atom),), np.array(0.0))


def _scaled(atom: Atom, factor: Floats, offset: Floats) -> Atom:
    """factor·clip(u, low, high) + offset, as a clip of its own."""
    ends = [
        np.where(factor == 0, offset, _product(factor, e) + offset) for e in (atom.low, atom.high)
    ]
    low, high = np.minimum(*ends), np.maximum(*ends)
    return Atom("clipped", atom.base, factor * atom.scale, factor * atom.shift + offset, low, high)


def _product(factor: Floats, bound: Floats) -> Floats:
    """0·∞ counts as 0: a channel that is scaled away has no bounds."""
    return np.multiply(
        factor, bound, where=factor != 0, out=np.zeros(np.broadcast(factor, bound).shape)
    )


def _clip_steps(form: Form, low: Floats, high: Floats) -> Form:
    """Move a clip of factor·n + offset onto n, where its bounds must lie on the grid of levels."""
    factor, atom = form.only
    if np.any(factor == 0):
        raise NoStaircaseError("clips levels that were multiplied by 0")
    ends = [(bound - form.offset) / factor for bound in (low, high)]
    least, most = np.minimum(*ends), np.maximum(*ends)
    bounds = []
    for bound in (atom.low, atom.high):
        snapped = _snap(np.clip(bound, least, most))
        if not _whole(snapped[np.isfinite(snapped)]):
            raise NoStaircaseError("clips its levels between two of them")
        bounds.append(snapped)
    clipped = Atom("stepped", atom.base, atom.scale, atom.shift, *bounds)
    return Form(((factor, clipped),), form.offset)


def _floor_steps(form: Form) -> Form:
    """⌊factor·n + offset⌋ as k·n + ⌊offset⌋, for a whole k so near that no n leaves its step.

    A tensor that is quantised again has factor s·(1/s), which floats make next to 1, and offset ½.
    """
    factor, atom = form.only
    whole, offset = np.round(factor), _snap(form.offset)
    start = np.floor(offset)
    for end in (atom.low, atom.high):
        place = _product(factor - whole, end) + (offset - start)
        if np.any(place < -GRID_TOLERANCE) or np.any(place >= 1):
            raise NoStaircaseError("rounds twice, on two different grids")
    return add(Form(((whole, atom),), start))


def _snap(values: Floats) -> Floats:
    """Take values next to a whole number for that number."""
    values = np.asarray(values, float)
    nearest = np.where(np.isfinite(values), np.round(np.nan_to_num(values)), values)
    with np.errstate(invalid="ignore"):
        near = np.abs(values - nearest) <= GRID_TOLERANCE
    return np.where(near, nearest, values)


def _whole(values: Floats) -> bool:
    return bool(np.all(values == np.round(values)))
