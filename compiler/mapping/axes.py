"""What the pieces of a layer read of its source, along one axis.

A layer is cut along channels, rows and columns, and so is what each piece reads: everything that a
cut costs is a product of three numbers, one of each axis. Pieces are balanced: the i-th of n pieces
of an extent E runs from ⌊i·E/n⌋ to before ⌊(i + 1)·E/n⌋.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import gcd
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

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
        owners = np.repeat(np.arange(pieces), np.diff(bounds_of(self.extent, pieces)))
        pairs = owners[:, None] * self.source + self._places
        found = np.bincount(pairs[self._inside], minlength=pieces * self.source)
        return found.reshape(pieces, self.source)

    def reads(self, pieces: int) -> Integers:
        """How many places each piece reads; (pieces,)."""
        always, at_first = self._sums
        bounds = bounds_of(self.extent, pieces)
        starts, stops = bounds[:-1], bounds[1:]
        head = np.minimum(stops, starts + self._again)
        return np.asarray(always[stops] - always[starts] + at_first[head] - at_first[starts])

    def readers(self, pieces: int) -> Integers:
        """How many pieces read each place; (source,)."""
        bounds = bounds_of(self.extent, pieces)
        since = np.arange(self.extent) - np.repeat(bounds[:-1], np.diff(bounds))
        first = np.broadcast_to((since < self._again)[:, None], self._places.shape).copy()
        first[:, self._repeated :] = True
        return np.bincount(self._places[first & self._inside], minlength=self.source)

    @property
    def fan_in(self) -> int:
        """Synapses of one place, away from the border."""
        return self.taps

    @cached_property
    def _places(self) -> Integers:
        """What each place reads through each tap; (extent, taps)."""
        targets = np.arange(self.extent)[:, None] * self.stride
        return np.asarray(targets + np.arange(self.taps) * self.dilation - self.pad)

    @cached_property
    def _inside(self) -> npt.NDArray[np.bool_]:
        return np.asarray((self._places >= 0) & (self._places < self.source))

    # What y reads through a tap, y − d/g reads through the tap that is s/g further, where g is the
    # greatest common divisor of stride s and dilation d. Where there is no such tap, y is the first
    # of any piece to read it; otherwise it is so among the first d/g of a piece alone.

    @property
    def _again(self) -> int:
        """After how many places the same is read again: d/g."""
        return self.dilation // gcd(self.stride, self.dilation)

    @property
    def _repeated(self) -> int:
        """The taps, the first ones, that read what was read before."""
        return max(0, self.taps - self.stride // gcd(self.stride, self.dilation))

    @cached_property
    def _sums(self) -> tuple[Integers, Integers]:
        """Before each place the first reads of any piece, and those of its head."""
        inside, repeated = self._inside, self._repeated
        return _sums(inside[:, repeated:].sum(1)), _sums(inside[:, :repeated].sum(1))


@dataclass(frozen=True)
class Grouped:
    """Channels of a convolution: those of a group read the channels of their group."""

    source: int
    extent: int
    groups: int = 1

    def meetings(self, pieces: int) -> Integers:
        """How many synapses join each piece with each channel of the source; (pieces, source)."""
        bounds, size = bounds_of(self.extent, pieces), self.extent // self.groups
        starts = np.arange(self.groups) * size
        shared = np.minimum(bounds[1:, None], starts + size) - np.maximum(bounds[:-1, None], starts)
        return np.repeat(np.maximum(shared, 0), self.source // self.groups, axis=1)

    def in_groups(self, pieces: int) -> tuple[Integers, Integers, Integers]:
        """Of each piece the channels in its first group, whole groups after it, and what is left.

        The channels left are those in its last group, 0 where that is the first.
        """
        bounds, size = bounds_of(self.extent, pieces), self.extent // self.groups
        starts, stops = bounds[:-1], bounds[1:]
        first, last = starts // size, (stops - 1) // size
        at_first = np.minimum(stops, (first + 1) * size) - starts
        at_last = np.where(last > first, stops - last * size, 0)
        return at_first, np.maximum(last - first - 1, 0), at_last

    def reads(self, pieces: int) -> Integers:
        """How many channels each piece reads; (pieces,)."""
        bounds = bounds_of(self.extent, pieces)
        size = self.extent // self.groups
        touched = -(-bounds[1:] // size) - bounds[:-1] // size
        return np.asarray(touched * (self.source // self.groups))

    def readers(self, pieces: int) -> Integers:
        """How many pieces read each channel; (source,)."""
        bounds, size = bounds_of(self.extent, pieces), self.extent // self.groups
        starts = np.arange(self.groups) * size
        first = np.searchsorted(bounds, starts, side="right")
        last = np.searchsorted(bounds, starts + size, side="left")
        return np.repeat(last - first + 1, self.source // self.groups)

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

    def readers(self, pieces: int) -> Integers:
        """How many pieces read each place; (source,)."""
        return np.full(self.source, pieces)

    @property
    def fan_in(self) -> int:
        """Synapses of one place."""
        return self.source


Axis: TypeAlias = Sliding | Grouped | Whole


def _sums(counts: Integers) -> Integers:
    """The sum of all before each place; one more than there are."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
