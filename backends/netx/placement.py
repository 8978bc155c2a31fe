"""Onto which cores a network goes, in a group of its own, which netx does not look at."""

from __future__ import annotations

import h5py
import numpy as np

from snnc.backends.netx import schema
from snnc.backends.netx.arrays import read_group, read_integer, read_integers, write_array
from snnc.compiler.limits import EXTENT, MOST_CORES, STATE_WORDS, Range
from snnc.compiler.spiking import Placement


def write_placement(group: h5py.Group, placement: Placement) -> None:
    """Fill the group."""
    write_array(group, schema.CUTS, np.array(placement.cuts, schema.COUNT_TYPE))
    write_array(group, schema.CHIPS, np.array(placement.chips, schema.COUNT_TYPE))
    group[schema.STATE_WORDS] = schema.COUNT_TYPE(placement.state_words)


def read_placement(file: h5py.File) -> Placement | None:
    """The placement of a file, if it has one; that it fits the network is a rule.

    Raises:
        SnncError: where it is unsound.
    """
    if schema.MAPPING not in file:
        return None
    group = read_group(file, schema.MAPPING)
    cuts = read_integers(group, schema.CUTS, EXTENT, (None, 3))
    chips = read_integers(group, schema.CHIPS, Range(0, MOST_CORES), (None,))
    return Placement(
        tuple((channels, rows, columns) for channels, rows, columns in cuts.tolist()),
        tuple(chips.tolist()),
        read_integer(group, schema.STATE_WORDS, STATE_WORDS),
    )
