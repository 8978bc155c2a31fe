"""Concatenation without weights of 0: what reads some channels of many reads just these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import prod

import numpy as np

from snnc.compiler.composition.convolutions import ungrouped
from snnc.compiler.operators import (
    Affine,
    AveragePool,
    Conv,
    Floats,
    MatMul,
    Operator,
    Pad,
    Place,
    Reshape,
    Shape,
)


def places_last(operators: Iterable[Operator], shape: Shape) -> Iterator[Operator]:
    """The same linear chain with its places moved to the end, or gone into the next weights."""
    place: Place | None = None
    for operator in operators:
        if isinstance(operator, Place):
            first = operator.first + (place.first if place else 0)
            place = Place(operator.channels, first)
            continue
        narrowed, moved = _swapped(place, operator, shape) if place else (operator, None)
        if narrowed is None:
            assert place is not None
            yield place
            narrowed, shape = operator, place.shape_of(shape)
        yield narrowed
        place, shape = moved, narrowed.shape_of(shape)
    if place:
        yield place


def _swapped(
    place: Place, operator: Operator, shape: Shape
) -> tuple[Operator | None, Place | None]:
    """What the operator does to the source of a place, and the place of that; (None, None) if none.

    The shape is that of the place's source.
    """
    part = slice(place.first, place.first + shape[0])
    if isinstance(operator, AveragePool | Pad):
        return operator, place
    if isinstance(operator, Affine):
        return Affine(_part(operator.scale, place, part), np.array(0.0)), place
    if isinstance(operator, MatMul):
        return replace(operator, weights=operator.weights[:, part]), None
    if isinstance(operator, Reshape):
        return _reshaped(place, operator, shape)
    if isinstance(operator, Conv) and operator.groups == place.channels:
        return _depthwise(place, operator, shape[0])
    if isinstance(operator, Conv):
        return replace(operator, weights=ungrouped(operator)[:, part], groups=1), None
    return None, None


def _part(scale: Floats, place: Place, part: slice) -> Floats:
    return scale[part] if scale.ndim and len(scale) == place.channels else scale


def _reshaped(
    place: Place, operator: Reshape, shape: Shape
) -> tuple[Operator | None, Place | None]:
    """Channels are whole blocks of the flattened elements."""
    if len(operator.shape) == 1:
        block = prod(shape[1:])
        return Reshape((prod(shape),)), Place(place.channels * block, place.first * block)
    if operator.shape[0] == place.channels:
        return Reshape((shape[0], *operator.shape[1:])), place
    return None, None


def _depthwise(place: Place, conv: Conv, count: int) -> tuple[Operator, Place]:
    """Each channel has kernels of its own."""
    each = len(conv.weights) // place.channels
    first = place.first * each
    weights = conv.weights[first : first + count * each]
    narrowed = replace(conv, weights=weights, bias=np.zeros(len(weights)), groups=count)
    return narrowed, Place(place.channels * each, first)
