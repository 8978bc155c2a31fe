"""Copies of neurons in a file: as many channels as stock netx would build, weights repeated.

Channel c of a population with N copies becomes the channels c·N … c·N + N − 1. So the groups of a
convolution stay together, and a flattened source keeps its order.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from snnc.compiler.laws import Integers
from snnc.compiler.spiking import (
    Connection,
    Convolution,
    Dense,
)

Shape: TypeAlias = tuple[int, ...]
Scalar = TypeVar("Scalar", bound=np.generic)


def expanded(connection: Connection, shapes: tuple[Shape, Shape], copies: Shape) -> Connection:
    """The connection between copies, given shapes and copies of source and population."""
    into, out = copies
    if isinstance(connection, Dense):
        parts = np.repeat(np.repeat(_parted(connection.weights, shapes), out, 0), into, 2)
        return Dense(parts.reshape(parts.shape[0] * parts.shape[1], -1))
    return replace(connection, weights=np.repeat(np.repeat(connection.weights, out, 0), into, 1))


def collapsed(
    connection: Connection, shapes: tuple[Shape, Shape], copies: Shape
) -> Connection | None:
    """The connection whose copies these are, given the shapes of the file; None if they differ."""
    into, out = copies
    if isinstance(connection, Convolution):
        weights = connection.weights[::out, ::into]
        found: Connection = replace(connection, weights=weights)
    else:
        parts = _parted(connection.weights, shapes)[::out, :, ::into]
        found = Dense(parts.reshape(parts.shape[0] * parts.shape[1], -1))
    smaller = tuple((s[0] // c, *s[1:]) for s, c in zip(shapes, copies, strict=True))
    again = expanded(found, (smaller[0], smaller[1]), copies)
    return found if np.array_equal(again.weights, connection.weights) else None


def _parted(weights: Integers, shapes: tuple[Shape, Shape]) -> Integers:
    source, population = shapes
    return weights.reshape(population[0], prod(population[1:]), source[0], prod(source[1:]))


def repeated(values: npt.NDArray[Scalar], copies: int) -> npt.NDArray[Scalar]:
    """Values for each channel of the file."""
    return np.repeat(values, copies, 0)


def stock_thresholds(thresholds: Integers) -> Integers:
    """As netx reads them: (channels,), or (width, height, channels) where neurons differ."""
    channels = np.swapaxes(thresholds, 0, 1)
    flat = channels.reshape(-1, *thresholds.shape[2:])
    return flat if flat.ndim == 1 else flat.transpose(2, 1, 0)


def thresholds_by_copy(stored: Integers, copies: int) -> Integers:
    """The inverse of `stock_thresholds`."""
    flat = stored if stored.ndim == 1 else stored.transpose(2, 1, 0)
    return np.ascontiguousarray(np.swapaxes(flat.reshape(-1, copies, *flat.shape[1:]), 0, 1))
