"""Selections of channels go into the weights that read them: no projection is needed for them."""

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
    MatMul,
    Operator,
    Pad,
    Reshape,
    Select,
    Shape,
    Spread,
)


def selections_last(operators: Iterable[Operator], shape: Shape) -> Iterator[Operator]:
    """The same linear chain with its selections moved to the end, or gone into the next weights."""
    select: Select | None = None
    for operator in operators:
        if isinstance(operator, Select):
            select = operator.behind(select) if select else operator
            continue
        narrowed, moved = _swapped(select, operator, shape) if select else (operator, None)
        if narrowed is None:
            assert select is not None
            yield select
            narrowed, shape = operator, select.shape_of(shape)
        yield narrowed
        select, shape = moved, narrowed.shape_of(shape)
    if select:
        yield select


def _swapped(
    select: Select, operator: Operator, shape: Shape
) -> tuple[Operator | None, Select | None]:
    """What the operator does to the source of a selection, and the selection of that.

    (None, None) if there is nothing of the kind. The shape is that of the selection's source.
    """
    if isinstance(operator, AveragePool | Pad | Spread):
        return operator, select
    if isinstance(operator, Affine):
        return _scaled(select, operator, shape)
    if isinstance(operator, MatMul):
        return _narrowed(select, operator, shape), None
    if isinstance(operator, Reshape):
        return _reshaped(select, operator, shape)
    if isinstance(operator, Conv) and operator.groups == len(select.channels):
        return (None, None) if select.repeats else _depthwise(select, operator, shape[0])
    if isinstance(operator, Conv):
        weights = select.scattered(ungrouped(operator), shape[0], 1)
        return replace(operator, weights=weights, groups=1), None
    return None, None


def _scaled(
    select: Select, operator: Affine, shape: Shape
) -> tuple[Operator | None, Select | None]:
    """The scales of the chosen channels, and 1 for those that are left out."""
    scale = operator.scale
    if scale.ndim == len(shape) and len(scale) > 1:
        if select.repeats:
            return None, None
        wider = np.ones((shape[0], *scale.shape[1:]))
        wider[select.channels[select.kept]] = scale[select.kept]
        scale = wider
    return Affine(scale, np.array(0.0)), select


def _narrowed(select: Select, operator: MatMul, shape: Shape) -> MatMul:
    """A matrix of the source's elements."""
    blocks = operator.weights.reshape(len(operator.weights), len(select.channels), -1)
    weights = select.scattered(blocks, shape[0], 1)
    return replace(operator, weights=weights.reshape(len(weights), -1))


def _reshaped(
    select: Select, operator: Reshape, shape: Shape
) -> tuple[Operator | None, Select | None]:
    """Channels are whole blocks of the flattened elements."""
    if len(operator.shape) == 1:
        return Reshape((prod(shape),)), _blocks(select, prod(shape[1:]))
    if operator.shape[0] == len(select.channels):
        return Reshape((shape[0], *operator.shape[1:])), select
    return None, None


def _depthwise(select: Select, conv: Conv, count: int) -> tuple[Operator, Select]:
    """Each channel has kernels of its own; those that are left out have kernels of 0."""
    each = len(conv.weights) // len(select.channels)
    kernels = conv.weights.reshape(len(select.channels), each, *conv.weights.shape[1:])
    weights = select.scattered(kernels, count, 0).reshape(-1, *conv.weights.shape[1:])
    narrowed = replace(conv, weights=weights, bias=np.zeros(len(weights)), groups=count)
    return narrowed, _blocks(select, each)


def _blocks(select: Select, size: int) -> Select:
    """The same choice where each channel has become so many."""
    chosen = select.channels[:, None] * size + np.arange(size)
    chosen[select.channels == Select.NONE] = Select.NONE
    return Select(chosen.reshape(-1))
