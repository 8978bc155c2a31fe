"""What the pieces of a layer read of its source, along one axis.

A layer is cut along channels, rows and columns, and so is what each piece reads: everything that a
cut costs is a product of three numbers, one of each axis. Pieces are balanced: the i-th of n pieces
of an extent E runs from ⌊i·E/n⌋ to before ⌊(i + 1)·E/n⌋.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import TypeAlias

import numpy as np

from snnc.compiler.laws import Integers


def bounds_of(extent: int, pieces: int) -> Integers:
    """Where the pieces of an extent begin, and where the last one ends; (pieces + 1,)."""
    return np.asarray(np.arange(pieces + 1) * extent // pieces)


def numbers_of_pieces(extent: int) -> Integers:
    """The numbers of pieces worth a look, rising: a further piece makes the largest one smaller."""
    sizes = np.arange(1, extent + 1)
    return np.asarray(np.unique(-(-extent // sizes)))


@dataclass(frozen=True)
class Sliding:
    """Rows or columns of a convolution: y reads y·stride + tap·dilation − pad."""

    source: int
    extent: int
    taps: int = 1
    stride: int = 1
    pad: int = 0
    dilation: int = 1

    def meetings(self, pieces: int) -> Integers:
        """How many synapses join each piece with each place of the source; (pieces, source)."""
        places = self._places()
        inside = (places >= 0) & (places < self.source)
        owners = np.repeat(np.arange(pieces), np.diff(bounds_of(self.extent, pieces)))
        pairs = np.broadcast_to(owners[:, None] * self.source, places.shape) + places
        found = np.bincount(pairs[inside], minlength=pieces * self.source)
        return found.reshape(pieces, self.source)

    def reads(self, pieces: int) -> Integers:
        """How many places each piece reads; (pieces,).

        What y reads through a tap, y − d/g read through the tap that is s/g further, where g is the
        greatest common divisor of stride s and dilation d. Without such a tap y is the first in
        any piece, otherwise only among the first d/g of it.
        """
        places = self._places()
        inside = (places >= 0) & (places < self.source)
        common = gcd(self.stride, self.dilation)
        repeated = max(0, self.taps - self.stride // common)
        always = _sums(inside[:, repeated:].sum(1))
        at_first = _sums(inside[:, :repeated].sum(1))
        bounds = bounds_of(self.extent, pieces)
        starts, stops = bounds[:-1], bounds[1:]
        head = np.minimum(stops, starts + self.dilation // common)
        return np.asarray(always[stops] - always[starts] + at_first[head] - at_first[starts])

    @property
    def fan_in(self) -> int:
        """Synapses of one place, away from the border."""
        return self.taps

    def _places(self) -> Integers:
        targets = np.arange(self.extent)[:, None] * self.stride
        return targets + np.arange(self.taps) * self.dilation - self.pad


@dataclass(frozen=True)
class Grouped:
    """Channels of a convolution: those of a group read the channels of their group."""

    source: int
    extent: int
    groups: int = 1

    def meetings(self, pieces: int) -> Integers:
        """How many synapses join each piece with each channel of the source; (pieces, source)."""
        return np.repeat(self.in_groups(pieces), self.source // self.groups, axis=1)

    def in_groups(self, pieces: int) -> Integers:
        """How many channels of each group are in a piece; (pieces, groups)."""
        bounds = bounds_of(self.extent, pieces)
        size = self.extent // self.groups
        starts = np.arange(self.groups) * size
        shared = np.minimum(bounds[1:, None], starts + size) - np.maximum(bounds[:-1, None], starts)
        return np.asarray(np.maximum(shared, 0))

    def reads(self, pieces: int) -> Integers:
        """How many channels each piece reads; (pieces,)."""
        bounds = bounds_of(self.extent, pieces)
        size = self.extent // self.groups
        touched = -(-bounds[1:] // size) - bounds[:-1] // size
        return np.asarray(touched * (self.source // self.groups))

    @property
    def fan_in(self) -> int:
        """Synapses of one channel."""
        return self.source // self.groups


@dataclass(frozen=True)
class Whole:
    """An axis of a dense layer: every piece reads all of the source."""

    source: int
    extent: int

    def meetings(self, pieces: int) -> Integers:
        """How many synapses join each piece with each place of the source; (pieces, source)."""
        sizes = np.diff(bounds_of(self.extent, pieces))
        return np.broadcast_to(sizes[:, None], (pieces, self.source))

    def reads(self, pieces: int) -> Integers:
        """How many places each piece reads; (pieces,)."""
        return np.full(pieces, self.source)

    @property
    def fan_in(self) -> int:
        """Synapses of one place."""
        return self.source


Axis: TypeAlias = Sliding | Grouped | Whole


def _sums(counts: Integers) -> Integers:
    """The sum of all before each place; one more than there are."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
