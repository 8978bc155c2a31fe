"""How pixels are sent, in the attributes of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import h5py
import numpy as np

from snnc.backends.netx import schema
from snnc.backends.netx.arrays import integer_of, real_of, reals_of, texts, word_of
from snnc.compiler.inputs import (
    INPUTS,
    BitsInput,
    ChangesInput,
    CurrentInput,
    GradedInput,
    Input,
    PlanesInput,
)
from snnc.compiler.laws.base import Shape
from snnc.compiler.limits import LEVELS, PLANES, SWITCH, TURN, Range


def write_input(file: h5py.File, source: Input) -> None:
    """Write the kind of an input and its encoding; its name and shape stand with the layer."""
    file.attrs[schema.INPUT_CODE] = texts(source.kind)[0]
    file.attrs[schema.INPUT_LEVELS] = source.levels
    file.attrs[schema.INPUT_LOW] = float(source.low)
    file.attrs[schema.INPUT_STEP] = float(source.step)
    file.attrs[schema.INPUT_MEAN] = np.array(source.mean, np.float64)
    file.attrs[schema.INPUT_STD] = np.array(source.std, np.float64)
    if source.channels_last:
        file.attrs[schema.INPUT_CHANNELS_LAST] = 1
    if count := COUNTS[type(source)]:
        file.attrs[count.key] = getattr(source, count.field)


def read_input(file: h5py.File, name: str, shape: Shape) -> Input:
    """The input of a file, whose first layer has this name and shape.

    Raises:
        SnncError: where it is unsound.
    """
    kind = INPUTS[word_of(file, schema.INPUT_CODE, *INPUTS)]
    levels = integer_of(file, schema.INPUT_LEVELS, LEVELS)
    low, step = real_of(file, schema.INPUT_LOW), real_of(file, schema.INPUT_STEP)
    mean, std = reals_of(file, schema.INPUT_MEAN), reals_of(file, schema.INPUT_STD)
    count = COUNTS[kind]
    more = (integer_of(file, count.key, count.allowed),) if count else ()
    key = schema.INPUT_CHANNELS_LAST
    last = key in file.attrs and bool(integer_of(file, key, SWITCH))
    return kind(name, shape, levels, low, step, mean, std, *more, channels_last=last)


@dataclass(frozen=True)
class Count:
    """A number that one kind of input has besides."""

    key: str
    field: str
    allowed: Range


COUNTS: Mapping[type[Input], Count | None] = MappingProxyType(
    {
        GradedInput: None,
        BitsInput: None,
        ChangesInput: None,
        CurrentInput: Count(schema.INPUT_REPEATS, "turn", TURN),
        PlanesInput: Count(schema.INPUT_PLANES, "planes", PLANES),
    }
)
"""What the last field of each kind is called."""
